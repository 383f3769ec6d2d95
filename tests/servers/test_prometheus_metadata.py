"""What a real Prometheus says of itself, read for `validate --prometheus` and `doctor`."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from collectors.readers.prometheus.metadata import PrometheusMetadata
from slo.errors import SourceUnavailable
from slo.promql import Matcher, Selector, parse_selector
from tests.contract.levels import source
from tests.servers.loopback import Loopback, Reply, envelope
from tests.servers.processes import Prometheus, create_blocks, wait_until
from tests.servers.recorded import Recording

END = 1_790_000_100
START_AT = datetime.fromtimestamp(END - 3600, UTC)
END_AT = datetime.fromtimestamp(END, UTC)

RULES = """
groups:
- name: fine
  interval: 1s
  rules:
  - {record: "a:sum", expr: "sum(up)"}
  - {alert: Down, expr: "up == 0", labels: {severity: page}}
- name: broken
  interval: 1s
  rules:
  - record: b
    expr: >
      vector(1) * on() group_left()
      (label_replace(vector(1), "x", "a", "", "") or label_replace(vector(1), "x", "b", "", ""))
"""


def selector(text: str) -> Selector:
    """Parse a selector without mistakes."""
    found = parse_selector(text)
    assert isinstance(found, Selector)
    return found


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server with a histogram, two jobs and rules of which one fails."""
    folder = tmp_path_factory.mktemp("metadata")
    recording = Recording()
    times = range(END - 1800, END, 30)
    for bound in ("0.1", "0.3", "1", "1.0", "+Inf"):
        recording.add(
            "latency_seconds_bucket", {"job": "api", "le": bound}, [(at, 1.0) for at in times]
        )
    recording.add("requests_total", {"job": "web"}, [(at, 1.0) for at in times])
    recording.write(folder / "series.txt")
    create_blocks(prometheus_bin, folder / "series.txt", folder / "data")
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    with Prometheus(prometheus_bin, data=folder / "data", rules=[rules]) as running:
        yield running


@pytest.fixture
def metadata(server: Prometheus) -> PrometheusMetadata:
    """Ask that server."""
    return PrometheusMetadata(source(server.url))


def test_series_exist_where_they_have_samples(metadata: PrometheusMetadata) -> None:
    """In the range, by the selector."""
    there, gone = selector('requests_total{job="web"}'), selector('requests_total{job="x"}')
    assert metadata.series_exist(there, START_AT, END_AT)
    assert not metadata.series_exist(gone, START_AT, END_AT)
    before = START_AT - timedelta(days=9)
    assert not metadata.series_exist(there, before, before + timedelta(hours=1))


def test_names_and_label_values_are_listed(metadata: PrometheusMetadata) -> None:
    """All of them, or those that a selector selects."""
    names = metadata.metric_names(START_AT, END_AT)
    assert {"latency_seconds_bucket", "requests_total"} <= names
    assert ("api", "web") == metadata.label_values("job", (), START_AT, END_AT)
    web = Selector(metric=None, matchers=(Matcher(name="job", op="!=", value="api"),))
    only = Selector(metric="requests_total", matchers=web.matchers)
    assert ("web",) == metadata.label_values("job", (only,), START_AT, END_AT)


def test_buckets_are_numbers_each_once(metadata: PrometheusMetadata) -> None:
    """``1`` and ``1.0`` are one boundary, and infinity is none."""
    found = metadata.buckets(selector('latency_seconds{job="api"}'), START_AT, END_AT)
    assert (Decimal("0.1"), Decimal("0.3"), Decimal(1)) == found
    assert () == metadata.buckets(selector("requests_total"), START_AT, END_AT)


def test_rules_come_with_their_health(metadata: PrometheusMetadata) -> None:
    """Also the one that fails, and why."""
    wait_until(
        lambda: {"ok", "err"} <= {rule.health for g in metadata.rules() for rule in g.rules},
        what="both groups are evaluated",
    )
    groups = {group.name: group for group in metadata.rules()}
    fine, broken = groups["fine"], groups["broken"]
    assert [("a:sum", "recording"), ("Down", "alerting")] == [(r.name, r.kind) for r in fine.rules]
    assert {"severity": "page"} == fine.rules[1].labels
    assert Decimal(1) == fine.interval
    assert fine.last_evaluation is not None
    assert abs(fine.last_evaluation - datetime.now(UTC)) < timedelta(minutes=1)
    assert "err" == broken.rules[0].health
    assert broken.rules[0].last_error


def test_version_and_time_are_told(metadata: PrometheusMetadata) -> None:
    """For the doctor."""
    assert metadata.build_info()["version"]
    assert abs(metadata.server_time() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("ask", "data"),
    [
        (lambda m: m.rules(), {"groups": [1]}),
        (lambda m: m.rules(), {"groups": [{"rules": []}]}),
        (lambda m: m.rules(), {"groups": 7}),
    ],
)
def test_rules_of_another_shape_are_an_error(
    ask: Callable[[PrometheusMetadata], object], data: object
) -> None:
    """A proxy's idea of an answer is not ours."""
    with Loopback([envelope(data)]) as fake, pytest.raises(SourceUnavailable, match="shape"):
        ask(PrometheusMetadata(source(fake.url)))


def test_null_is_nothing() -> None:
    """Some servers answer null where nothing matches."""
    with Loopback([envelope(None)]) as fake:
        found = PrometheusMetadata(source(fake.url))
        assert () == found.label_values("x", (), START_AT, END_AT)
        assert () == found.rules()
        assert {} == found.build_info()


def test_a_server_without_a_date_has_no_time() -> None:
    """No guess is made."""
    fine = envelope({})
    with (
        Loopback([Reply(body=fine.body, headers={"Date": "yesterday"})]) as fake,
        pytest.raises(SourceUnavailable, match="its time"),
    ):
        PrometheusMetadata(source(fake.url)).server_time()
