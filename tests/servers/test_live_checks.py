"""`validate --prometheus` against real servers: what exists there, and what is only written."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.live_checks import live_problems
from app.live_checks.run import Bar
from app.project import open_project
from slo.errors import SourceUnavailable
from slo.problems import Problem
from tests.servers.processes import Prometheus, create_blocks

END = 1_790_000_100 // 300 * 300
AT = datetime.fromtimestamp(END, UTC)
DAY_AGO = END - 30 * 3600
HOURS_AGO = END - 3 * 3600

_API = 'job="api",instance="a",namespace="ticketing",cluster="eu"'
SERIES = {
    f'http_requests_total{{{_API},code="200"}}': END,
    f'http_requests_total{{{_API},code="500"}}': END,
    'http_requests_total{job="cargo",instance="c",code="200",namespace="cargo"}': END,
    'http_requests_total{job="gone",instance="g",code="200"}': HOURS_AGO,
    'http_requests_total{job="ancient",instance="x",code="200"}': DAY_AGO,
    'mixed_total{job="shared",namespace="ticketing"}': END,
    'mixed_total{job="shared",namespace="cargo"}': END,
    'errors_total{job="api",instance="a"}': END,
    'errors_total{job="api",instance="b"}': END,
    'rpc_seconds_bucket{job="api",le="0.1"}': END,
    'rpc_seconds_bucket{job="api",le="0.5"}': END,
    'rpc_seconds_bucket{job="api",le="1"}': END,
    'rpc_seconds_bucket{job="api",le="+Inf"}': END,
    'rpc_seconds_count{job="api"}': END,
    'rpc_seconds_bucket{job="old",le="0.25"}': END,
    'rpc_seconds_bucket{job="old",le="+Inf"}': END,
    'rpc_seconds_count{job="old"}': END,
    'summary_seconds{job="api",quantile="0.9"}': END,
    'summary_seconds_count{job="api"}': END,
    'plain_gauge{job="api"}': END,
}


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server with a few series that end at different times."""
    folder = tmp_path_factory.mktemp("live")
    lines = []
    for series, end in sorted(SERIES.items()):
        lines += [f"{series} {n} {end - 3600 + n * 60}" for n in range(61)]
    (folder / "text").write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    create_blocks(prometheus_bin, folder / "text", folder / "data")
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


Check = Callable[..., list[Problem]]


@pytest.fixture
def check(server: Prometheus, tmp_path: Path) -> Check:
    """Check apps, given as `name=(indicator, …)` or with environments in front."""

    def run(environments: str = "", **apps: str) -> list[Problem]:
        for name, indicator in apps.items():
            (tmp_path / f"{name}.yaml").write_text(app_file(name, indicator, environments))
        return problems_of(tmp_path, server.url)

    return run


def app_file(name: str, indicator: str, environments: str = "") -> str:
    """One app with one SLO; the indicator is a YAML flow mapping."""
    where = f"  environments: {environments}\n" if environments else ""
    return (
        "apiVersion: headroom/v1\nkind: App\n"
        f"metadata: {{name: {name}, team: bookings}}\n"
        f"spec:\n{where}  slos:\n    - name: availability\n      objective: 99\n"
        f"      indicator: {indicator}\n"
    )


def problems_of(folder: Path, url: str) -> list[Problem]:
    project = open_project([str(folder)], environment={}, prometheus=url)
    return live_problems(project, AT, lambda _total, _label: nullcontext(_Silent()))


class _Silent(Bar):
    def advance(self, steps: int = 1) -> None:
        pass


def events(total: str, bad: str, more: str = "") -> str:
    return f"{{events: {{total: '{total}', bad: '{bad}'}}{more}}}"


def latency(histogram: str, threshold: str, more: str = "") -> str:
    return f"{{latency: {{histogram: '{histogram}', threshold: {threshold}{more}}}}}"


TOTAL = 'http_requests_total{job="api"}'
BAD = 'http_requests_total{job="api",code=~"5.."}'


def only(problems: list[Problem]) -> Problem:
    """The one problem that there is."""
    assert 1 == len(problems), problems
    return problems[0]


def test_a_specification_that_fits_the_server_has_no_problems(check: Check) -> None:
    """Nothing is found where everything is there."""
    assert [] == check(ticketing=events(TOTAL, BAD))


def test_an_unknown_metric_is_found_and_the_right_name_proposed(check: Check) -> None:
    """The names come from the server."""
    problem = only(check(ticketing=events("http_request_total", BAD, ", proven: true")))
    assert "live/unknown-metric" == problem.id
    assert 'no metric "http_request_total"; did you mean "http_requests_total"?' in problem.message
    assert problem.span is not None
    assert (6, 13) == (problem.span.line, problem.span.column)


def test_a_label_that_the_metric_lacks_is_found(check: Check) -> None:
    """Also in a selector of failures, which would never match."""
    bad = 'http_requests_total{job="api",status_code=~"5.."}'
    problem = only(check(ticketing=events(TOTAL, bad)))
    assert ("live/unknown-label", "error") == (problem.id, problem.severity)
    assert '"http_requests_total" has no label "status_code"' in problem.message


def test_the_matcher_that_is_to_blame_is_named_with_the_values_that_exist(check: Check) -> None:
    """Each matcher is left out in turn."""
    total = 'http_requests_total{code="200",job="apii"}'
    problem = only(check(ticketing=events(total, BAD, ", proven: true")))
    assert "live/no-series" == problem.id
    assert 'without job="apii" it does' in problem.message
    assert problem.hint is not None
    assert 'job is "api", "cargo" there; did you mean "api"?' == problem.hint


def test_matchers_that_fail_only_together_are_said_to(check: Check) -> None:
    """Cargo has no 500, and there is a 500, and there is a cargo."""
    total = 'http_requests_total{job="cargo",code="500"}'
    problem = only(check(ticketing=events(total, BAD, ", proven: true")))
    assert 'it does without either of job="cargo", code="500"' in problem.message


def test_failures_that_never_happened_are_unproven_and_no_error(check: Check) -> None:
    """Until the author says that the selector is right."""
    bad = 'http_requests_total{job="api",code="503"}'
    problem = only(check(ticketing=events(TOTAL, bad)))
    assert ("live/unproven", "warning") == (problem.id, problem.severity)
    assert problem.hint is not None
    assert "proven: true" in problem.hint
    assert [] == check(ticketing=events(TOTAL, bad, ", proven: true"))


def test_series_of_three_hours_ago_are_gone_and_those_of_yesterday_unknown(check: Check) -> None:
    """A target that is scraped no more is not a mistake in the file."""
    total = 'http_requests_total{job="%s"}'
    gone = only(check(ticketing=events(total % "gone", BAD)))
    assert ("live/series-gone", "warning") == (gone.id, gone.severity)
    ancient = only(check(ticketing=events(total % "ancient", BAD, ", proven: true")))
    assert "live/no-series" == ancient.id


def test_a_matcher_that_excludes_nothing_is_found(check: Check) -> None:
    """`status!~"2.."` on a metric without status would call everything bad."""
    bad = 'http_requests_total{job="api",cod!~"2.."}'
    problem = only(check(ticketing=events(TOTAL, bad)))
    assert ("live/unknown-label", "warning") == (problem.id, problem.severity)
    assert 'cod!~"2.." has no effect' in problem.message


def test_a_threshold_between_buckets_names_the_nearest(check: Check) -> None:
    """The boundaries are those of the series that the selector selects."""
    problem = only(check(ticketing=latency('rpc_seconds{job="api"}', "300ms")))
    assert "live/bucket-boundary" == problem.id
    assert "the nearest boundaries are 100ms and 500ms" == problem.hint
    above = only(check(ticketing=latency('rpc_seconds{job="api"}', "2s")))
    assert "the nearest boundary is 1s" == above.hint
    assert [] == check(ticketing=latency('rpc_seconds{job="api"}', "1s"))


def test_a_bucket_that_some_series_lack_is_found(check: Check) -> None:
    """Their requests would all count as slow."""
    problem = only(check(ticketing=latency("rpc_seconds", "500ms")))
    assert "live/bucket-boundary" == problem.id
    assert '1 of 2 series of "rpc_seconds" have no bucket at 500ms' in problem.message


@pytest.mark.parametrize(
    ("indicator", "message"),
    [
        (latency("rpc_seconds", "500ms", ", native: true"), "is a classic histogram"),
        (latency("plain_gauge", "500ms", ", native: true"), "holds plain numbers"),
        (latency("plain_gauge", "500ms"), "is no classic histogram"),
        (latency("summary_seconds", "500ms"), "has no buckets"),
        (latency("rpc_second", "500ms"), 'did you mean "rpc_seconds"?'),
    ],
)
def test_a_histogram_of_another_kind_is_found(check: Check, indicator: str, message: str) -> None:
    """Classic, native, summary or no histogram at all."""
    problem = only(check(ticketing=indicator))
    assert message in problem.message
    assert "error" == problem.severity


def test_bad_events_outside_the_total_are_found(check: Check) -> None:
    """By series where both are one metric, by target where they are two."""
    outside = only(check(ticketing=events('http_requests_total{job="cargo"}', BAD)))
    assert "live/not-in-total" == outside.id
    other = only(check(ticketing=events(TOTAL, 'errors_total{job="api"}')))
    assert "1 targets (job, instance) of the bad events" in other.message


def test_an_environment_whose_labels_select_nothing_is_reported_once(check: Check) -> None:
    """At the app's name, and without a problem for every query in it."""
    where = (
        "[{name: prod, match: {namespace: ticketing}}, {name: dev, match: {namespace: tickets}}]"
    )
    problem = only(check(where, ticketing=events(TOTAL, BAD)))
    assert "live/no-environment" == problem.id
    assert 'environment\'s labels namespace="tickets" (dev)' in problem.message
    assert problem.span is not None
    assert 3 == problem.span.line


def test_a_metric_that_an_environment_lacks_is_found_there(check: Check) -> None:
    """Clusters are named beside their environment."""
    clusters = "[{name: eu, match: {cluster: eu}}, {name: cargo, match: {namespace: cargo}}]"
    where = f"[{{name: prod, clusters: {clusters}}}]"
    problem = only(check(where, ticketing="{probe: 'http_requests_total{code=\"500\"}'}"))
    assert "live/no-series" == problem.id
    assert problem.message.endswith('; without code="500" it does (prod/cargo)')


def test_two_apps_that_count_the_same_series_are_named(check: Check) -> None:
    """The finding stands at one and points at the other."""
    everything = events("http_requests_total", 'http_requests_total{code=~"5.."}')
    problems = check(ticketing=events(TOTAL, BAD), platform=everything)
    shared = only([each for each in problems if each.id == "live/shared-series"])
    assert "platform and ticketing count the same series: 2 of those" in shared.message
    assert "ticketing/default/availability counts them too" == shared.related[0][1]
    separate = events('http_requests_total{job="cargo"}', BAD, ", proven: true")
    found = check(ticketing=events(TOTAL, BAD), platform=separate)
    assert "live/shared-series" not in {each.id for each in found}


def test_a_selector_over_several_namespaces_is_found_unless_something_chooses(check: Check) -> None:
    """Both namespaces are named."""
    mixed = "{probe: 'mixed_total{job=\"shared\"}'}"
    problem = only(check(ticketing=mixed))
    assert ("live/mixed-series", "warning") == (problem.id, problem.severity)
    assert 'namespace is "cargo", "ticketing"' in problem.message
    assert [] == check("[{name: prod, match: {namespace: cargo}}]", ticketing=mixed)


def test_a_ratio_forgives_errors_that_never_happened_and_nothing_else(check: Check) -> None:
    """One of its selectors has to be there."""
    ratio = "{ratio: {error: 'sum(rate(%s[$window])) / sum(rate(%s[$window]))'}}"
    lenient = only(check(ticketing=ratio % ("errors_totl", TOTAL)))
    assert "live/unproven" == lenient.id
    strict = check(ticketing=ratio % ("errors_totl", "requests"))
    assert ["live/unknown-metric"] * 2 == [each.id for each in strict]


def test_an_indicator_that_no_prometheus_computes_asks_nothing(check: Check) -> None:
    """Logs and spans are another source's."""
    assert [] == check(ticketing="{logs: {query: 'a: b', bad: 'c: d'}}")


def test_a_server_that_is_down_is_an_error_and_no_problem(tmp_path: Path) -> None:
    """Not to know is not to find."""
    (tmp_path / "a.yaml").write_text(app_file("ticketing", events(TOTAL, BAD)))
    with pytest.raises(SourceUnavailable):
        problems_of(tmp_path, "http://127.0.0.1:9")
