"""The PromQL of indicators as text: which selectors, which windows, which offsets."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from slo.ledger import Expressions, Part, bucket_selector, count_selector, expressions
from slo.model import (
    Cluster,
    Comparison,
    Latency,
    Logs,
    Measure,
    Probe,
    Ratio,
    ServiceLevel,
    Slices,
    Spans,
    TimeUnit,
)
from slo.promql import QueryProblem, parse_query
from slo.units import Duration
from tests.builders import events, latency, level, query, slo

MINUTE = Duration.parse("1m")
MEASURES: Mapping[str, Measure] = {
    "bad": events(),
    "good": events(good='http_requests_total{job="api",code="200"}'),
    "window": events("sum(increase(a_total[$window]))", bad="sum(rate(b_total[$window]))"),
    "mixed": events("sum(increase(a_total[$window]))", bad="b_total"),
    "latency": latency(),
    "native": Latency(
        histogram=query("latency_seconds"), threshold=Duration.parse("300ms"), native=True
    ),
    "ratio": Ratio(error=query("avg_over_time(errors[$window])")),
    "weighted": Ratio(good=query("health"), weight=query("load")),
    "slices": Slices(
        expr=query("max(lag)"),
        good_when=Comparison(operator="<=", value=Decimal("0.30")),
        slice=MINUTE,
    ),
    "probe": Probe(selector=query("probe_success"), slice=MINUTE),
}
EU, US = (
    Cluster(name=name, match={"cluster": name}, source=f"prometheus/{name}")
    for name in ("eu", "us")
)
FAR = Cluster(name="far", match={"region": "far", "zone": "z"})


def _all(
    one: ServiceLevel, *, source: str | None = None, default_source: str | None = None
) -> Expressions:
    found = expressions(one, source=source, default_source=default_source)
    assert found is not None
    return found


def _texts(found: Expressions) -> list[str]:
    texts = [found.total_rate, found.part_rate, found.total_increase, found.part_increase]
    return [*texts, found.part_series] if found.part_series else texts


@pytest.mark.parametrize("clusters", [(), (EU,), (EU, US), (EU, FAR)], ids=["0", "1", "2", "far"])
@pytest.mark.parametrize("name", MEASURES)
def test_every_expression_is_promql_and_selects_its_clusters(
    name: str, clusters: tuple[Cluster, ...]
) -> None:
    """Each selector carries the matchers of one of the clusters, and none is left out."""
    one = level(slo(MEASURES[name], offset="1m"), clusters=clusters or [Cluster(name="all")])
    for text in _texts(_all(one)):
        parsed = parse_query(text)
        assert not isinstance(parsed, QueryProblem), parsed
        for selector in parsed.selectors:
            labels = {matcher.name: matcher.value for matcher in selector.matchers}
            places = [labels.get("cluster"), labels.get("region")]
            assert any(places) == bool(clusters), selector
            assert text.count(str(selector.metric)) >= 1
        for cluster in clusters:
            assert all(value in text for value in cluster.match.values())


@pytest.mark.parametrize("name", MEASURES)
def test_an_offset_stands_behind_every_selector(name: str) -> None:
    """A late source is read in the past in each of its legs, or slots would not join."""
    plain = _texts(_all(level(slo(MEASURES[name]))))
    late = _texts(_all(level(slo(MEASURES[name], offset="2m"))))
    for before, after in zip(plain, late, strict=True):
        parsed = parse_query(before)
        assert not isinstance(parsed, QueryProblem)
        reads = len(parsed.selectors)
        assert reads == after.count(" offset ")
        assert "offset 5m" not in after
        assert ("offset 5m" in before) == ("offset 7m" in after)


def test_the_part_is_what_the_author_counts() -> None:
    """Bad where there is a bad selector; otherwise good, and bad is the difference."""
    parts = {name: _all(level(slo(measure))).part for name, measure in MEASURES.items()}
    bad = {"bad", "window", "mixed", "ratio"}
    assert bad == {name for name, part in parts.items() if part is Part.BAD}


@pytest.mark.parametrize(
    "measure",
    [Logs(query="a", bad="b"), Spans(service="api", bad_error=True)],
    ids=["logs", "spans"],
)
def test_what_prometheus_cannot_count_has_no_expressions(measure: Measure) -> None:
    """Other readers count log records and spans."""
    assert expressions(level(slo(measure))) is None


def test_a_source_without_clusters_of_the_level_has_no_expressions() -> None:
    """And one with some reads them only."""
    one = level(slo(), clusters=(EU, US))
    assert expressions(one, source="prometheus/asia") is None
    assert 'cluster="us"' not in _all(one, source="prometheus/eu").total_increase
    assert 'cluster="eu"' in _all(one, source="prometheus/eu").total_increase


def test_a_cluster_without_a_source_is_read_from_the_default() -> None:
    """The reader says which source that is."""
    one = level(slo(), clusters=(EU, FAR))
    text = _all(one, source="prometheus/main", default_source="prometheus/main").total_rate
    assert 'region="far"' in text
    assert "eu" not in text


@pytest.mark.parametrize(
    ("scrape", "base", "slot"), [("15s", "[1m]", "[5m]"), ("5m", "[20m]", "[10m]")]
)
def test_ranges_follow_the_scrape_interval(scrape: str, base: str, slot: str) -> None:
    """Four scrapes for a rate, two at least for a slot."""
    found = _all(level(slo(scrape=scrape)))
    assert base in found.total_rate
    assert f'last_over_time(http_requests_total{{job="api"}}{slot})' in found.total_increase


@pytest.mark.parametrize(
    ("threshold", "matcher"),
    [
        ("300ms", 'le="0.3"'),
        ("1s", r'le=~"1|1\\.0"'),
        ("10s", r'le=~"10|10\\.0"'),
        ("2500ms", 'le="2.5"'),
    ],
)
def test_a_bucket_matches_both_spellings_of_a_whole_number(threshold: str, matcher: str) -> None:
    """Version 3 of Prometheus stores 1 as 1.0."""
    assert matcher in str(bucket_selector(latency(threshold)))


def test_a_histogram_of_milliseconds_has_its_bounds_in_them() -> None:
    """Its unit is the author's to say."""
    slow = replace(latency("300ms"), unit=TimeUnit.MILLISECONDS)
    assert r'le=~"300|300\\.0"' in str(bucket_selector(slow))


def test_a_histogram_is_counted_by_its_count() -> None:
    """The name's ends are ours to add."""
    assert 'http_request_duration_seconds_count{job="api"}' == str(count_selector(latency()))


def test_only_selectors_can_be_proven() -> None:
    """An expression always yields something; whether it matched cannot be seen."""
    series = {name: _all(level(slo(one))).part_series for name, one in MEASURES.items()}
    assert {"bad", "good", "latency", "mixed"} == {name for name, text in series.items() if text}


def test_targets_are_told_apart_by_the_labels_the_author_names() -> None:
    """And by the label that tells clusters apart, where one selector reads several."""
    pods = slo()
    pods = replace(pods, indicator=replace(pods.indicator, target=("namespace", "pod")))
    assert "on (namespace, pod) " in _all(level(pods, clusters=(EU,))).part_increase
    assert "on (namespace, pod, cluster) " in _all(level(pods, clusters=(EU, US))).part_increase


def test_births_are_counted_alike_in_a_total_and_its_good_part() -> None:
    """Where bad is the difference, what one of them missed would be noise."""
    assert "count_over_time" in _all(level(slo(MEASURES["good"]))).total_increase
    assert "count_over_time" not in _all(level(slo(MEASURES["bad"]))).total_increase
