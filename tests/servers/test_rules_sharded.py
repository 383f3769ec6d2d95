"""The sharded layout: base rules on shards, ratios and alerts on the ruler above them."""

from dataclasses import replace
from pathlib import Path

import yaml

from alerts.prometheus.layouts import sharded
from slo.model import Cluster
from tests.builders import events, level, slo
from tests.servers.processes import promtool_check_rules
from tests.servers.rule_cases import SETTINGS, Case, Check, firing, near, rules_of, series

ABOVE = replace(SETTINGS, shard_labels=("shard",))
LEVEL = level(slo(events("total", bad="bad")))
IDENTITY = {"app": "ticketing", "env": "prod", "slo": "availability"}
RATIO = series("slo:error:ratio_period", **IDENTITY)


def _files() -> dict[str, str]:
    return {path.split("/")[1]: text for path, text in sharded(LEVEL.app, ABOVE).items()}


def _shard(shard: str, replica: str, total: str, bad: str, *, slot: str = "1x24") -> dict[str, str]:
    where = {**IDENTITY, "shard": shard, "replica": replica}
    return {
        series("slo:total:increase5m", **where): total,
        series("slo:bad:increase5m", **where): bad,
        series("slo:total:rate", **where): total,
        series("slo:bad:rate", **where): bad,
        series("slo:ledger:slot", **where): slot,
    }


def test_the_ratio_above_shards_is_a_ratio_of_sums(prometheus_bin: Path, tmp_path: Path) -> None:
    """A busy good shard and a quiet bad one: 1,100 events, 51 of them bad."""
    Case(
        rules={"global.yaml": _files()["global"]},
        series={**_shard("a", "0", "1000x24", "1x24"), **_shard("b", "0", "100x24", "50x24")},
        checks=[
            Check(
                at="2h",
                holds=[
                    near(RATIO, 51 / 1100),
                    near(series("slo:error:ratio_rate2h", **IDENTITY), 51 / 1100),
                    near(series("slo:error:ratio_rate5m", **IDENTITY), 51 / 1100),
                    near(series("slo:total:increase_period", **IDENTITY), 25 * 1100),
                    firing("ErrorBudgetBurn", severity="page"),
                ],
                lacks=["count by (__name__) ({shard!='', __name__=~'slo:error.*'})"],
            )
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_copies_of_a_shard_count_once_and_the_fullest_wins(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """A replica that was down for half of the time takes nothing away and adds nothing."""
    Case(
        rules={"global.yaml": _files()["global"]},
        series={
            **_shard("a", "0", "1000x24", "1x24"),
            **_shard("a", "1", "1000x12 _x12", "1x12 _x12", slot="1x12 _x12"),
            **_shard("b", "0", "100x24", "50x24"),
        },
        checks=[
            Check(
                at="2h",
                holds=[
                    near(RATIO, 51 / 1100),
                    near(series("slo:total:increase_period", **IDENTITY), 25 * 1100),
                ],
            )
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_the_poorest_shard_decides_the_coverage(prometheus_bin: Path, tmp_path: Path) -> None:
    """A shard that recorded half of the slots leaves half of the events unknown."""
    Case(
        rules={"global.yaml": _files()["global"]},
        series={
            **_shard("a", "0", "1000x24", "1x24"),
            **_shard("b", "0", "_x12 100x11", "_x12 50x11", slot="_x12 1x11"),
        },
        checks=[
            Check(at="2h", holds=[near("slo:coverage:ratio_period", 12 / 8640, 0.1)]),
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_a_shard_without_its_bad_half_never_makes_things_look_better(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Its events leave the total too, and the alert says that something is missing."""
    where = {**IDENTITY, "shard": "b", "replica": "0"}
    half = _shard("b", "0", "100x24", "50x24")
    del half[series("slo:bad:increase5m", **where)]
    half[series("slo:ledger:unpaired", **where)] = "100x24"
    Case(
        rules={"global.yaml": _files()["global"]},
        series={**_shard("a", "0", "1000x24", "10x24"), **half},
        checks=[Check(at="2h", holds=[near(RATIO, 0.01), firing("SLIIncomplete")])],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_shard_rules_record_what_the_ruler_reads(prometheus_bin: Path, tmp_path: Path) -> None:
    """On a shard only base series appear, and the same rules on one server give both."""
    inputs = {
        series("total", job="api", instance="a"): "0+100x120",
        series("bad", job="api", instance="a"): "0+1x120",
    }
    Case(
        rules={"shard.yaml": _files()["shard"]},
        series=inputs,
        checks=[
            Check(
                at="2h",
                holds=[
                    near(series("slo:total:increase5m", **IDENTITY), 500),
                    near(series("slo:bad:increase5m", **IDENTITY), 5),
                    series("slo:ledger:slot", **IDENTITY),
                ],
                lacks=['{__name__=~"slo:error.*|slo_info|ALERTS"}'],
            )
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_both_files_are_valid_and_hold_every_rule_once(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """What a plain file holds is split, and nothing is lost or doubled."""
    files = _files()
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    checked = promtool_check_rules(prometheus_bin, sorted(tmp_path.glob("*.yaml")))
    assert checked.ok, checked.output
    split = sorted(name for text in files.values() for name in _names(text))
    assert sorted(_names(rules_of(LEVEL)["0.yaml"])) == split


def _names(text: str) -> list[str]:
    groups = yaml.safe_load(text)["groups"]
    return [rule.get("record") or rule["alert"] for group in groups for rule in group["rules"]]


def test_clusters_of_a_shard_are_selected_there(prometheus_bin: Path, tmp_path: Path) -> None:
    """Cluster matchers stand on the shards, where the raw series are, and nowhere above."""
    two = level(
        LEVEL.slo,
        clusters=[Cluster(name=name, match={"cluster": name}) for name in ("eu", "us")],
    )
    files = sharded(two.app, ABOVE)
    above = next(text for path, text in files.items() if "global" in path)
    assert "cluster" not in above
    assert all('cluster=~"eu|us"' in text for path, text in files.items() if "shard/" in path)
