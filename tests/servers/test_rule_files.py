"""Every layout's files, golden and valid by themselves for both promtools."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.prometheus.layouts import LAYOUTS
from alerts.prometheus.rules import MAX_RULES
from slo.model import (
    AlertSettings,
    App,
    Cluster,
    Comparison,
    Latency,
    Measure,
    Probe,
    Ratio,
    Slices,
)
from slo.units import Duration
from slo.workspace import Links
from tests.builders import events, guard, latency, query, slo
from tests.servers.processes import promtool_check_rules
from tests.servers.rule_cases import SETTINGS, app_of

Golden = Callable[[str, str], None]
MINUTE = Duration.parse("1m")
CLUSTERS = (
    Cluster(name="eu", match={"cluster": "eu-1"}),
    Cluster(name="us", match={"region": "us", "zone": "b"}),
)
RATE = "sum(rate(http_requests_total{code='500'}[$window]))"
MEASURES: Mapping[str, Measure] = {
    "events-bad": events(),
    "events-good": events(good='http_requests_total{job="api",code="200"}'),
    "events-window": events("sum(increase(http_requests_total[$window]))", bad=RATE),
    "latency": latency(),
    "latency-native": Latency(
        histogram=query("latency_seconds"), threshold=Duration.parse("300ms"), native=True
    ),
    "ratio": Ratio(error=query("avg_over_time(errors[$window])")),
    "ratio-weighted": Ratio(good=query("health{job='api'}"), weight=query("load{job='api'}")),
    "slices": Slices(
        expr=query("histogram_quantile(0.99, sum by (le) (rate(h_bucket[5m])))"),
        good_when=Comparison(operator="<", value=Decimal("0.3")),
        slice=MINUTE,
    ),
    "probe": Probe(selector=query("probe_success{job='web'}"), slice=MINUTE),
}
CASES: Mapping[str, App] = {
    **{
        name: app_of(slo(measure, name="one", proven=name != "events-bad"), clusters=CLUSTERS)
        for name, measure in MEASURES.items()
    },
    "whole": app_of(
        slo(
            proven=False,
            labels={"tier": "1"},
            alerts=AlertSettings(
                page=guard(min_events=100, min_bad=10),
                absent_for=Duration.parse("10m"),
                budget_left=(Fraction(1, 2), Fraction(1, 4), Fraction(0)),
                annotations={"chat": "#bookings"},
            ),
        ),
        slo(latency(), name="latency", target="95", window="7d"),
        slo(MEASURES["probe"], name="reachable", target="99", scrape="1m", offset="2m"),
        match={"env": "prod"},
    ),
}
LINKED = replace(
    SETTINGS,
    links=Links(console="https://console.example.com", grafana="https://grafana.example.com"),
    shard_labels=("shard",),
)
DELAYED = replace(LINKED, query_offset=MINUTE)


def _files(case: str, layout: str) -> Mapping[str, str]:
    settings = DELAYED if layout in {"operator", "mimir"} else LINKED
    return LAYOUTS[layout](CASES[case], settings)


def _groups(text: str) -> Sequence[Mapping[str, Any]]:
    documents = list(yaml.safe_load_all(text))
    assert 1 == len(documents)
    data = documents[0]
    groups: Sequence[Mapping[str, Any]] = data.get("groups") or data["spec"]["groups"]
    return groups


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_files_of_a_whole_app_are_golden(golden: Golden, layout: str) -> None:
    """What each layout writes for three SLOs with everything in them."""
    for path, text in _files("whole", layout).items():
        golden(f"rules/{path}", text)


@pytest.mark.parametrize("case", MEASURES)
def test_the_plain_file_of_each_indicator_is_golden(golden: Golden, case: str) -> None:
    """What each indicator turns into, over two clusters with different labels."""
    for path, text in _files(case, "plain").items():
        golden(f"{case}/{path}", text)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES)
def test_groups_are_small_named_once_and_in_one_document(case: str, layout: str) -> None:
    """Mimir takes twenty rules a group; Prometheus reads the first document only."""
    for text in _files(case, layout).values():
        groups = _groups(text)
        assert all(0 < len(group["rules"]) <= MAX_RULES for group in groups)
        names = [group["name"] for group in groups]
        assert sorted(set(names)) == sorted(names)
        assert all(group["interval"] for group in groups)


def test_the_plain_and_the_other_layouts_hold_the_same_rules() -> None:
    """Only the wrapping differs."""
    rules = {
        layout: [
            [group["rules"] for group in _groups(text)] for text in _files("whole", layout).values()
        ]
        for layout in ("plain", "operator", "mimir", "thanos")
    }
    assert all(each == rules["plain"] for each in rules.values())


def test_what_only_some_tools_know_stands_in_their_layouts_only() -> None:
    """`query_offset` and `partial_response_strategy` would stop another tool."""
    texts = {layout: "".join(_files("whole", layout).values()) for layout in LAYOUTS}
    knows = {
        key: {layout for layout, text in texts.items() if key in text}
        for key in ("query_offset", "partial_response_strategy", "namespace:")
    }
    assert {"operator", "mimir"} == knows["query_offset"]
    assert {"thanos"} == knows["partial_response_strategy"]
    assert {"mimir"} == knows["namespace:"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_files_are_valid_by_themselves(
    prometheus_bin: Path, tmp_path: Path, layout: str
) -> None:
    """Promtool accepts each file's groups, without what only the layout's own tool knows."""
    paths = []
    for case in CASES:
        for number, (name, text) in enumerate(_files(case, layout).items()):
            path = tmp_path / f"{case}-{number}.yaml"
            path.write_text(text if layout == "plain" else _bare(text), encoding="utf-8")
            paths.append(path)
            assert name.endswith(".yaml")
    checked = promtool_check_rules(prometheus_bin, paths)
    assert checked.ok, checked.output
    assert "duplicate" not in checked.output.lower(), checked.output


def _bare(text: str) -> str:
    unknown = {"partial_response_strategy", "query_offset"}
    groups = [{k: v for k, v in group.items() if k not in unknown} for group in _groups(text)]
    return yaml.safe_dump({"groups": groups}, allow_unicode=True)


def test_the_newest_promtool_knows_the_query_offset(
    newest_prometheus_bin: Path, tmp_path: Path
) -> None:
    """Version 3 reads `query_offset`, which the operator passes on to it."""
    (text,) = _files("whole", "operator").values()
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": list(_groups(text))}), encoding="utf-8")
    checked = promtool_check_rules(newest_prometheus_bin, [path])
    assert checked.ok, checked.output
