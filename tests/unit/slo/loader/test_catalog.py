"""App files that are right: what the model holds, defaults and overrides applied."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from slo.loader import SourceFile, load_catalog
from slo.model import (
    AlertGuard,
    AlertSeverity,
    BurnPair,
    Cluster,
    Comparison,
    Events,
    Latency,
    Logs,
    Measure,
    Probe,
    Ratio,
    Slices,
    Spans,
    TimeUnit,
)
from slo.promql import Query
from slo.units import Duration
from tests.unit.slo.loader.reading import (
    app_text,
    defaults,
    indicator_text,
    load,
    only_app,
    only_slo,
    slo_text,
    told,
)

SMALLEST = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  slos:
    - name: availability
      objective: 99.90
      indicator:
        events:
          total: http_requests_total{job="ticketing-api"}
          bad: http_requests_total{job="ticketing-api",code=~"5.."}
"""


def minutes(count: int) -> Duration:
    """Return a duration of minutes."""
    return Duration.of(minutes=count)


def measure(keys: str) -> Measure:
    """Return what an indicator of these keys measures."""
    return only_slo(indicator_text(keys)).indicator.measure


def text_of(query: Query | None) -> str:
    """Return the text of a query that must be there."""
    assert query is not None
    return query.text


def test_smallest_file_gets_defaults() -> None:
    """A file that says little means one environment, the usual window and quiet alerts."""
    app = only_app(SMALLEST)
    (environment,) = app.environments
    (slo,) = environment.slos
    assert ("ticketing", "bookings", "ticketing") == (app.name, app.team, app.title)
    assert ("default", (Cluster(name="default"),)) == (environment.name, environment.clusters)
    assert ("99.90", Decimal("99.9")) == (slo.objective.text, slo.objective.percent)
    assert Duration.of(days=30) == slo.window
    assert Duration.of(seconds=30) == slo.indicator.scrape_interval
    assert (("job", "instance"), None, None) == (
        slo.indicator.target,
        slo.indicator.offset,
        slo.indicator.source,
    )
    assert AlertGuard(min_bad=2) == slo.alerts.page == slo.alerts.ticket
    assert minutes(10) == slo.alerts.absent_for
    assert slo.pairs is None
    assert slo.span is not None
    assert "file.yaml:6:13" == slo.span.location


def test_workspace_defaults_hold_where_the_file_is_silent() -> None:
    """The installation's window and scrape interval reach an SLO that names none."""
    own = replace(defaults(), window=Duration.of(days=28), scrape_interval=minutes(1))
    (level,) = load(SMALLEST, defaults_=own).catalog.levels()
    assert Duration.of(days=28) == level.slo.window
    assert minutes(1) == level.slo.indicator.scrape_interval


def test_known_buckets_check_a_threshold() -> None:
    """Boundaries of the workspace serve every app; those of the file come first."""
    own = replace(defaults(), buckets={"x_seconds": (Decimal("0.1"), Decimal(1))})
    keys = "latency: {histogram: x_seconds, threshold: 300ms%s}"
    problems = load(indicator_text(keys % ""), defaults_=own).problems
    assert ["the nearest boundaries are 100ms and 1s"] == [each.hint for each in problems]
    assert () == load(indicator_text(keys % ", buckets: [0.3]"), defaults_=own).problems
    assert () == load(indicator_text(keys % ", native: true"), defaults_=own).problems


def test_events_keep_their_queries() -> None:
    """Selectors and expressions are parsed, bad or good."""
    bad = measure("events: {total: 'sum(rate(a[$window]))', bad: b_total}")
    assert isinstance(bad, Events)
    assert ("sum(rate(a[$window]))", "b_total") == (bad.total.text, text_of(bad.bad))
    good = measure("events: {total: a_total, good: b_total}")
    assert isinstance(good, Events)
    assert good.bad is None
    assert "b_total" == text_of(good.good)


def test_latency_keeps_unit_and_buckets() -> None:
    """A histogram's boundaries are sorted and in its own unit."""
    found = measure(
        "latency: {histogram: x_ms, threshold: 250ms, unit: milliseconds, buckets: [500, 250]}"
    )
    assert isinstance(found, Latency)
    assert TimeUnit.MILLISECONDS is found.unit
    assert (Decimal(250), Decimal(500)) == found.buckets
    assert not found.native


@pytest.mark.parametrize("key", ["error", "good"])
def test_ratio_keeps_its_side_and_weight(key: str) -> None:
    """A share of bad or of good, weighted or not."""
    found = measure(
        f"ratio: {{{key}: 'avg_over_time(x[$window])', weight: 'sum(rate(y[$window]))'}}"
    )
    assert isinstance(found, Ratio)
    assert "avg_over_time(x[$window])" == text_of(getattr(found, key))
    assert "sum(rate(y[$window]))" == text_of(found.weight)


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("< 0.3", "<", "0.3"),
        (">=-5", ">=", "-5"),
        (" == 1 ", "==", "1"),
        ("!= .5", "!=", "0.5"),
        ("<= +2", "<=", "2"),
    ],
)
def test_condition_of_a_good_slice(text: str, operator: str, value: str) -> None:
    """An operator and an exact number, spaced in any way."""
    found = measure(f"slices: {{expr: max(lag), goodWhen: '{text}'}}")
    assert isinstance(found, Slices)
    assert Comparison(operator=operator, value=Decimal(value)) == found.good_when
    assert minutes(1) == found.slice


def test_probe_in_both_forms() -> None:
    """A probe is a selector, or a selector with the length of its slices."""
    short, long = measure("probe: up"), measure("probe: {selector: up, slice: 30s}")
    assert isinstance(short, Probe)
    assert isinstance(long, Probe)
    assert ("up", minutes(1)) == (short.selector.text, short.slice)
    assert Duration.of(seconds=30) == long.slice


def test_logs_and_spans_are_modelled() -> None:
    """Indicators of other stores are read now, and computed by readers that know them."""
    assert Logs(query="a: b", bad="c: d") == measure("logs: {query: 'a: b', bad: 'c: d'}")
    assert Spans(service="api", bad_error=True, slower_than=Duration(milliseconds=300)) == measure(
        "spans: {service: api, bad: error, slowerThan: 300ms}"
    )
    assert Spans(service="api", operation="GET /", slower_than=minutes(1)) == measure(
        "spans: {service: api, operation: GET /, slowerThan: 1m}"
    )


def test_keys_beside_a_kind() -> None:
    """Where and how an indicator is read stands beside its kind."""
    indicator = only_slo(
        indicator_text(
            "probe: up\noffset: 2m\ntarget: [pod]\nscrapeInterval: 1m\nproven: true\n"
            "source: prometheus/eu"
        )
    ).indicator
    assert (minutes(2), ("pod",), minutes(1), True, "prometheus/eu") == (
        indicator.offset,
        indicator.target,
        indicator.scrape_interval,
        indicator.proven,
        indicator.source,
    )


def test_template_is_expanded_and_named() -> None:
    """A template gives the measure; the file's own keys come after those of the template."""
    indicator = only_slo(
        indicator_text("template: istio-availability\nwith: {destination: api}\noffset: 3m")
    ).indicator
    assert "istio-availability" == indicator.template
    assert isinstance(indicator.measure, Events)
    assert 'destination_service_name="api"' in indicator.measure.total.text
    assert minutes(3) == indicator.offset


def test_alert_settings_are_read() -> None:
    """Guards, absence, shares of the budget, labels and annotations."""
    alerts = only_slo(
        slo_text(
            "alerts:\n"
            "  page: {minEvents: 100, minBad: 10}\n"
            "  ticket: false\n"
            "  absent: ignore\n"
            "  budgetLeft: [50, 12.5, 0]\n"
            "  labels: {product: tickets}\n"
            "  annotations: {impact: none}\n"
        )
    ).alerts
    assert AlertGuard(min_events=100, min_bad=10) == alerts.page
    assert not alerts.ticket.enabled
    assert alerts.absent_for is None
    assert (Fraction(1, 2), Fraction(1, 8), Fraction(0)) == alerts.budget_left
    assert ({"product": "tickets"}, {"impact": "none"}) == (alerts.labels, alerts.annotations)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("{}", AlertGuard(min_bad=2)),
        ("true", AlertGuard(min_bad=2)),
        ("{enabled: false}", AlertGuard(enabled=False, min_bad=2)),
        ("{minEvents: 50}", AlertGuard(min_events=50)),
        ("{minBad: 1}", AlertGuard(min_bad=1)),
        ("{minBad: 0}", AlertGuard(min_bad=0)),
    ],
)
def test_a_number_of_ones_own_replaces_the_default(page: str, expected: AlertGuard) -> None:
    """The default of two bad events would undo a `minEvents` that stands alone."""
    assert expected == only_slo(slo_text(f"alerts: {{page: {page}}}")).alerts.page


def test_time_needs_no_number_of_events() -> None:
    """Indicators of time alert on their burn rate alone."""
    assert AlertGuard() == only_slo(indicator_text("probe: up")).alerts.page


def test_own_pairs_have_factors() -> None:
    """A share of the budget becomes a factor for the SLO's own period."""
    slo = only_slo(
        slo_text(
            "window: 7d\n"
            "alerts:\n"
            "  windows:\n"
            "    - {severity: page, long: 1h, short: 5m, factor: 14.4}\n"
            "    - {severity: ticket, long: 1d, short: 2h, budget: 50}\n"
        )
    )
    assert (
        BurnPair(
            severity=AlertSeverity.PAGE,
            long=Duration.of(hours=1),
            short=minutes(5),
            factor=Fraction("14.4"),
        ),
        BurnPair(
            severity=AlertSeverity.TICKET,
            long=Duration.of(days=1),
            short=Duration.of(hours=2),
            factor=Fraction(7, 2),
        ),
    ) == slo.pairs


TWO_PLACES = app_text(
    "gate: usual\n"
    "environments:\n"
    "  - name: prod\n"
    "    gate: strict\n"
    "    clusters:\n"
    "      - {name: eu, source: prometheus/eu, match: {cluster: eu-1}}\n"
    "      - {name: us, match: {cluster: us-1}}\n"
    "  - name: staging\n"
    "    source: prometheus/eu\n"
    "    match: {cluster: eu-2}\n"
    "    slos:\n"
    "      b: {enabled: false}\n"
    "      a:\n"
    "        objective: 95\n"
    "        window: 14d\n"
    "        indicator: {source: prometheus/us, scrapeInterval: 1m}\n"
    "slos:\n"
    "  - name: a\n"
    "    objective: 99.9\n"
    "    indicator: {events: {total: a_total, bad: b_total}, offset: 1m}\n"
    "    alerts: {windows: [{severity: page, long: 1d, short: 2h, budget: 20}]}\n"
    "  - {name: b, objective: 99, indicator: {probe: up}}\n"
)


def test_environments_have_clusters() -> None:
    """An environment lists its clusters, or is one itself."""
    prod, staging = only_app(TWO_PLACES).environments
    assert (
        Cluster(name="eu", source="prometheus/eu", match={"cluster": "eu-1"}),
        Cluster(name="us", match={"cluster": "us-1"}),
    ) == prod.clusters
    assert (
        Cluster(name="staging", source="prometheus/eu", match={"cluster": "eu-2"}),
    ) == staging.clusters
    assert ("strict", None, "usual") == (prod.gate, staging.gate, only_app(TWO_PLACES).gate)


def test_environments_change_slos() -> None:
    """Objective, window and source differ by environment; an SLO can be left out."""
    catalog = load(TWO_PLACES).catalog
    assert ["one/prod/a", "one/prod/b", "one/staging/a"] == [
        str(level.key) for level in catalog.levels()
    ]
    prod, _, staging = (level.slo for level in catalog.levels())
    assert ("99.9", "95") == (prod.objective.text, staging.objective.text)
    assert (Duration.of(days=30), Duration.of(days=14)) == (prod.window, staging.window)
    assert (None, "prometheus/us") == (prod.indicator.source, staging.indicator.source)
    assert minutes(1) == staging.indicator.scrape_interval == staging.indicator.offset
    assert prod.pairs is not None
    assert staging.pairs is not None
    assert (Fraction(6), Fraction("2.8")) == (prod.pairs[0].factor, staging.pairs[0].factor)


def test_components_keep_their_keys() -> None:
    """What recognises a component's telemetry is kept."""
    app = only_app(
        app_text(
            "components:\n"
            "  - name: api\n"
            "    kind: service\n"
            "    service: ticketing-api\n"
            "    kubernetes: {namespace: n, workload: deployment/api, labels: {app.io/name: x}}\n"
            "    images: [registry.example.com/api]\n"
            "    dependsOn: [front]\n"
            "    logs: [{kubernetes: true, traceId: trace_id},"
            " {path: /a/*.log, format: plain, multiline: '^\\d'}, {journald: api.service}]\n"
            "  - name: front\n"
            "    kind: load_balancer\n"
            "    address: lb.internal\n"
            "    share: {backend: x}\n"
            "    cloudwatch: {namespace: AWS/ApplicationELB, dimensions: {TargetGroup: tg/x}}\n"
        )
    )
    api, front = app.components
    assert ("n", "deployment/api", {"app.io/name": "x"}) == (
        api.namespace,
        api.workload,
        api.pod_labels,
    )
    assert [
        ("kubernetes", None, "json", None, "trace_id"),
        ("file", "/a/*.log", "plain", "^\\d", None),
        ("journald", "api.service", "json", None, None),
    ] == [(log.kind, log.path, log.format, log.multiline, log.trace_id) for log in api.logs]
    assert (("front",), ("registry.example.com/api",)) == (api.depends_on, api.images)
    assert ("AWS/ApplicationELB", {"TargetGroup": "tg/x"}, {"backend": "x"}) == (
        front.cloudwatch_namespace,
        front.cloudwatch_dimensions,
        front.share,
    )


def test_user_labels_keep_their_text() -> None:
    """What YAML 1.1 would read as a number or a boolean stays text."""
    text = SMALLEST.replace(
        "team: bookings}", "team: bookings, labels: {tier: 1, beta: no, v: 1.10, at: 12:30:00}}"
    )
    assert {"tier": "1", "beta": "no", "v": "1.10", "at": "12:30:00"} == only_app(text).labels


def test_two_files_of_one_app_name_both_places() -> None:
    """The same app twice is an error, and neither of the two is taken."""
    loaded = load(SMALLEST, SMALLEST)
    assert () == loaded.catalog.apps
    assert (
        'file2.yaml:3:18: error: the app "ticketing" is described twice '
        "[spec/duplicate-app]\n"
        "hint: an app has one document; give this one another name or join the two\n"
        "file.yaml:3:18: note: first described here\n"
    ) == told(loaded.problems)


def test_a_broken_app_leaves_the_others() -> None:
    """An error keeps its own app out of the catalog and no other, in the same file or not."""
    broken = SMALLEST.replace("ticketing,", "cargo,").replace("99.90", "100")
    other = SMALLEST.replace("ticketing,", "loyalty,")
    unclosed = "---\napiVersion: headroom/v1\nkind: App\nmetadata: {name: x\n"
    loaded = load(f"{broken}---\n{SMALLEST}", other, unclosed)
    assert ["loyalty", "ticketing"] == [app.name for app in loaded.catalog.apps]
    assert ["file.yaml", "file3.yaml"] == [
        problem.span.file for problem in loaded.problems if problem.span
    ]


def test_order_of_files_does_not_matter() -> None:
    """The same files give the same catalog and the same problems in any order."""
    files = [
        SourceFile(name=f"{name}.yaml", text=SMALLEST.replace("ticketing,", f"{name},") + extra)
        for name, extra in (("b", ""), ("c", "  slo: []\n"), ("a", ""), ("a", "  dependsOn: [q]\n"))
    ]
    assert load_catalog(files, defaults()) == load_catalog(files[::-1], defaults())


def test_files_of_a_folder_may_be_of_other_programs() -> None:
    """What a folder holds besides is passed over, even where it is no YAML at all."""
    others = ("kind: App\n", "{{ template }}: [", "apiVersion: v1\nkind: ConfigMap\n", "")
    files = [
        SourceFile(name=f"{number}.yaml", text=text, explicit=False)
        for number, text in enumerate((*others, SMALLEST))
    ]
    loaded = load_catalog(files, defaults())
    assert ((), ["ticketing"]) == (loaded.problems, [app.name for app in loaded.catalog.apps])


def test_broken_file_of_ours_in_a_folder_is_told() -> None:
    """A file that says it is Headroom's is not passed over for a mistake."""
    texts = ("apiVersion: headroom/v1\nkind: [", "apiversion: headroom/v1\nkind: App\n")
    for text in texts:
        file = SourceFile(name="a.yaml", text=text, explicit=False)
        assert load_catalog([file], defaults()).problems


def test_other_kinds_are_left_to_their_loaders() -> None:
    """A policy or a workspace in the same file is no mistake here."""
    policy = "---\napiVersion: headroom/v1\nkind: GatePolicy\nwhatever: true\n"
    loaded = load(SMALLEST + policy)
    assert ((), 1) == (loaded.problems, len(loaded.catalog.apps))


def test_sources_of_the_workspace_are_checked() -> None:
    """A source that the workspace lacks is an error where it is named; unknown sources pass."""
    assert () == load(TWO_PLACES).problems
    assert (
        'file.yaml:20:31: error: the workspace has no source "prometheus/us"'
        '; did you mean "prometheus/eu"? [spec/unknown-source]\n'
        "hint: its sources are prometheus/eu\n"
    ) == told(load(TWO_PLACES, sources=["prometheus/eu"]).problems)


def test_a_catalogue_pair_that_one_environment_cannot_use_is_named_there() -> None:
    """Notes say in which environment a pair is left out."""
    text = app_text(
        "environments:\n"
        "  - {name: prod, match: {a: b}}\n"
        "  - {name: dev, match: {a: c}, slos: {a: {objective: 90}}}\n"
        "slos: [{name: a, objective: 99, indicator: {probe: up}}]\n"
    )
    (note,) = load(text).problems
    assert note.message.endswith("at an objective of 90 % in dev")


def test_mistakes_in_a_template_point_at_its_name() -> None:
    """What a template made has no place of its own in the app file."""
    problems = load(
        indicator_text("template: istio-latency\nwith: {destination: api, threshold: 301ms}")
    ).problems
    assert {"file.yaml"} == {problem.span.file for problem in problems if problem.span}
