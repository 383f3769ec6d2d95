"""The evaluator against Prometheus's own rule manager: the same rules on the same samples.

promtool runs the rules of the generated file in made-up time, every group once a minute.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.evaluator.alerting import Alert, Stage
from app.evaluator.plan import turns
from slo import naming
from slo.model import AlertGuard, AlertSettings
from slo.units import Duration
from tests.builders import events, level, slo
from tests.servers.evaluated import (
    SETTINGS,
    START,
    Counter,
    all_every,
    counters_of,
    evaluating,
    ticks,
)
from tests.servers.processes import promtool_test_rules
from tests.servers.rule_cases import rules_of, series
from tests.servers.traffic import simulate
from tests.servers.traffic_model import Deploy, Phase, Restart, Scenario

SEED = int(os.environ.get("HEADROOM_SEED", "7"))
EVERY = Duration.parse("1m")
MINUTE = 60
LENGTH = 120 * MINUTE
WITHIN = 1e-3

TOTAL, BAD = 'http_requests_total{job="api"}', 'http_requests_total{job="api",code=~"5.."}'
GOOD = 'http_requests_total{job="api",code!~"5.."}'
LEVEL = level(
    replace(
        slo(
            events(TOTAL, bad=BAD),
            window="2h",
            proven=False,
            alerts=AlertSettings(
                absent_for=Duration.parse("10m"),
                page=AlertGuard(min_events=100, min_bad=5),
                labels={"owner": "anna {{ $value }}"},
            ),
        ),
        pairs=None,
    )
)
BY_GOOD = level(slo(events(TOTAL, good=GOOD), window="2h", target="99"), app="checkin")

Moment = dict[str, Any]


def _scenario() -> Scenario:
    """A bad deploy, a lull, an outage of all, and nothing at all for an hour."""
    phases = (
        Phase(seconds=20 * MINUTE, rps=8, errors={"404": 0.02}),
        Phase(seconds=12 * MINUTE, rps=8, errors={"500": 0.2}),
        Phase(seconds=13 * MINUTE, rps=8),
        Phase(seconds=8 * MINUTE, rps=4, errors={"503": 1.0}),
        Phase(seconds=12 * MINUTE, rps=8, errors={"503": 0.001}),
        Phase(seconds=55 * MINUTE, rps=0),
    )
    return Scenario(
        name="evaluator",
        seed=SEED,
        phases=phases,
        pods=3,
        start=START,
        restarts=(Restart(pod=1, at=15 * MINUTE, down=60),),
        deploys=(Deploy(at=19 * MINUTE),),
    )


def _stays(counters: list[Counter]) -> list[Counter]:
    """Every series ends half an hour before the end, so that the indicator is absent."""
    last = START + LENGTH - 35 * MINUTE
    return [
        replace(one, points=tuple((at, value) for at, value in one.points if at <= last))
        for one in counters
    ]


def _notation(counter: Counter) -> str:
    known = {round(at - START): value for at, value in counter.points}
    values = [known.get(at) for at in range(0, LENGTH + 1, 15)]
    return " ".join("_" if value is None else f"{value:.0f}" for value in values)


def _key(labels: Mapping[str, str]) -> str:
    return series(labels["__name__"], **{k: v for k, v in labels.items() if k != "__name__"})


@pytest.fixture(scope="module")
def counters() -> list[Counter]:
    print(f"seed {SEED}")
    return _stays(counters_of(simulate(_scenario()), until=START + LENGTH))


@pytest.fixture(scope="module")
def moments(counters: list[Counter], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Moment]:
    """What the evaluator recorded and which alerts it knew, by seconds since the start."""
    found: dict[int, Moment] = {}
    folder = tmp_path_factory.mktemp("evaluator") / "store"
    with evaluating(folder, (LEVEL, BY_GOOD), counters) as evaluator:
        all_every(evaluator, EVERY)

        def look(at: float) -> None:
            recorded = {}
            for name in NAMES:
                for one in evaluator.query(name, round(at * 1000)):
                    recorded[_key(one.labels)] = float(one.values[-1])
            alerts = {
                (alert.stage.value, alert.key): alert
                for alert in evaluator.book.alerts(Stage.PENDING, Stage.FIRING)
            }
            found[round(at - START)] = {"recorded": recorded, "alerts": alerts}

        ticks(evaluator, start=START, end=START + LENGTH, step=MINUTE, seen=look)
        assert () == evaluator.failing
    return found


NAMES = (
    *(naming.TOTAL_RATE, naming.BAD_RATE, naming.TOTAL_INCREASE, naming.BAD_INCREASE),
    *(naming.LEDGER_SLOT, naming.UNPAIRED, naming.PROVEN, naming.PERIOD_RATIO, naming.INFO),
    *(naming.OBJECTIVE, naming.ERROR_BUDGET, naming.PERIOD_BURN_RATE, naming.BUDGET_REMAINING),
    *(naming.PERIOD_COVERAGE, naming.TOTAL_PERIOD, naming.BAD_PERIOD),
    *(f"slo:error:ratio_rate{each}" for each in ("5m", "30m", "1h")),
)


def _run(binaries: Path, folder: Path, counters: list[Counter], tests: list[dict[str, Any]]) -> str:
    """What promtool finds wrong with these expectations; nothing when all hold."""
    rules = rules_of(LEVEL, BY_GOOD)
    for name, text in rules.items():
        (folder / name).write_text(text, encoding="utf-8")
    groups = [turn.group.name for turn in turns((LEVEL, BY_GOOD), SETTINGS)]
    written = [group["name"] for text in rules.values() for group in yaml.safe_load(text)["groups"]]
    assert sorted(written) == sorted(groups)
    data = {
        "evaluation_interval": "1m",
        "rule_files": sorted(rules),
        "group_eval_order": groups,
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": series(one.name, **one.labels), "values": _notation(one)}
                    for one in counters
                ],
                "promql_expr_test": tests,
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    outcome = promtool_test_rules(binaries, path)
    return "" if outcome.ok else outcome.output[:6000]


ONE = [{"labels": "{}", "value": 1}]


def _holds(at: int, expr: str) -> dict[str, Any]:
    return {"expr": f"count({expr}) > bool 0", "eval_time": f"{at}s", "exp_samples": ONE}


def _counts(at: int, selector: str, number: int) -> dict[str, Any]:
    expr = f"(count({selector}) or vector(0)) == bool {number}"
    return {"expr": expr, "eval_time": f"{at}s", "exp_samples": ONE}


def test_every_recorded_series_has_the_values_that_prometheus_records(
    newest_prometheus_bin: Path,
    tmp_path: Path,
    counters: list[Counter],
    moments: dict[int, Moment],
) -> None:
    """Labels and values (0.1 %) are the same, and no series is on one side only."""
    tests = []
    for at in range(0, LENGTH + 1, 180):
        recorded = moments[at]["recorded"]
        tests += [
            _holds(at, f"abs({selector} - {value!r}) <= {abs(value) * WITHIN + 1e-12!r}")
            for selector, value in recorded.items()
        ]
        names = "|".join(NAMES)
        tests.append(_counts(at, f'{{__name__=~"{names}"}}', len(recorded)))
    assert len(tests) > 1000
    assert "" == _run(newest_prometheus_bin, tmp_path, counters, tests)


def test_the_same_alerts_are_pending_and_fire_at_the_same_ticks(
    newest_prometheus_bin: Path,
    tmp_path: Path,
    counters: list[Counter],
    moments: dict[int, Moment],
) -> None:
    """Names and labels, at every single evaluation."""
    tests = []
    fired = set()
    for at, moment in moments.items():
        alerts: dict[tuple[str, Any], Alert] = moment["alerts"]
        tests.append(_counts(at, "ALERTS", len(alerts)))
        for stage, key in alerts:
            labels = dict(key)
            fired.add((labels["alertname"], labels["severity"], stage))
            tests.append(_holds(at, series("ALERTS", alertstate=stage, **labels)))
    print(sorted(fired))
    assert {
        ("ErrorBudgetBurn", "page", "firing"),
        ("SLIAbsent", "ticket", "pending"),
        ("SLIAbsent", "ticket", "firing"),
    } <= fired
    assert "" == _run(newest_prometheus_bin, tmp_path, counters, tests)
