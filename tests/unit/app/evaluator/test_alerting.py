"""The life of an alert."""

from alerts.prometheus.rules import Alerting
from app.evaluator.alerting import RETAINED, Alert, Found, Key, Stage, advance
from slo.units import Duration

MINUTE = 60_000
PLAIN = Alerting(alert="Burn", expr="x", labels={}, annotations={})
WAITING = Alerting(alert="Gone", expr="x", labels={}, annotations={}, wait=Duration.parse("10m"))
KEEPING = Alerting(
    alert="Burn", expr="x", labels={}, annotations={}, keep_firing=Duration.parse("2m")
)
FOUND = Found(labels={"alertname": "Burn", "app": "a"}, annotations={}, value=1.0)


def _lived(rule: Alerting, found: str) -> list[str]:
    """The stage after each evaluation, once a minute: an x where the condition holds, else a dot.

    An empty stage stands for an alert that is unknown.
    """
    known: dict[Key, Alert] = {}
    stages = []
    for place, there in enumerate(found):
        known = advance(rule, known, [FOUND] if there == "x" else [], place * MINUTE)
        stages.append(next((each.stage.value for each in known.values()), ""))
    return stages


def test_without_a_wait_an_alert_fires_at_once_and_ends_at_once() -> None:
    """It is remembered as resolved for a while."""
    assert ["firing", "resolved", "firing"] == _lived(PLAIN, "x.x")


def test_an_alert_waits_and_begins_again_when_its_condition_breaks() -> None:
    """Ten minutes without a break."""
    nine = ["pending"] * 9
    lived = _lived(WAITING, 9 * "x" + "." + 11 * "x")
    assert [*nine, "", *nine, "pending", "firing"] == lived


def test_an_alert_is_kept_for_a_while_after_its_condition() -> None:
    """And longer when the condition comes back in between."""
    lived = _lived(KEEPING, "x..x...")
    assert ["firing"] * 6 == lived[:6]
    assert "resolved" == lived[6]


def test_a_resolved_alert_is_forgotten_in_the_end() -> None:
    """After twice the time that news of tickets may wait."""
    minutes = RETAINED.milliseconds // MINUTE
    lived = _lived(PLAIN, "x" + (minutes + 2) * ".")
    assert ["resolved"] * (minutes + 1) == lived[1:-1]
    assert "" == lived[-1]


def test_an_alert_that_comes_back_is_a_new_one() -> None:
    """Its beginning is the new one."""
    known = advance(PLAIN, {}, [FOUND], 0)
    known = advance(PLAIN, known, [], MINUTE)
    (again,) = advance(PLAIN, known, [FOUND], 2 * MINUTE).values()
    assert (Stage.FIRING, 2 * MINUTE, None) == (again.stage, again.fired_at, again.resolved_at)
