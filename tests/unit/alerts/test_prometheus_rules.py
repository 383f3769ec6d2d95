"""Rule groups as data: identity, labels, what is left out, what reads what."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from alerts.prometheus.groups import RuleSettings, ServiceRules, joined, service_rules
from alerts.prometheus.rules import MAX_RULES, Alerting, Group, Recording, Rule
from alerts.prometheus.wording import literal
from slo import naming
from slo.model import AlertSettings, Logs, ServiceLevel
from slo.promql import QueryProblem, parse_query
from slo.units import Duration
from tests.builders import CATALOGUE, events, guard, latency, level, slo

SETTINGS = RuleSettings(catalogue=CATALOGUE)
HOSTILE = {"app": "other", "severity": "none", "team": "x", "revision": "0", "long": "1s"}
FREE = {"owner": "anna", "tier": "1"}


def _service(one: ServiceLevel, settings: RuleSettings = SETTINGS) -> ServiceRules:
    rules = service_rules(one, settings)
    assert rules is not None
    return rules


def _rules(one: ServiceLevel) -> Iterator[Rule]:
    for group in joined(_service(one)):
        yield from group.rules


def _recordings(one: ServiceLevel) -> list[Recording]:
    return [rule for rule in _rules(one) if isinstance(rule, Recording)]


def _alerts(one: ServiceLevel) -> list[Alerting]:
    return [rule for rule in _rules(one) if isinstance(rule, Alerting)]


def _labelled(labels: Mapping[str, str]) -> ServiceLevel:
    settings = AlertSettings(absent_for=Duration.parse("10m"), labels=labels)
    one = level(slo(labels=labels, alerts=settings, proven=False))
    return replace(one, app=replace(one.app, labels=labels))


@pytest.mark.parametrize("labels", [{}, FREE, HOSTILE], ids=["none", "free", "hostile"])
def test_recorded_series_carry_identity_and_nothing_else(labels: Mapping[str, str]) -> None:
    """But the two that describe a revision."""
    one = _labelled(labels)
    for rule in _recordings(one):
        more = {naming.INFO: set(rule.labels), naming.REVISION_START: {"revision"}}
        assert {"app": "ticketing", "env": "prod", "slo": "availability"}.items() <= (
            rule.labels.items()
        )
        assert set(rule.labels) <= {*naming.IDENTITY_LABELS, *more.get(rule.record, set())}


def test_a_changed_user_label_changes_no_rule_but_info_and_alerts() -> None:
    """So that series recorded before and after it are the same ones."""
    before, after = (
        [rule for rule in _recordings(_labelled(labels)) if rule.record != naming.INFO]
        for labels in ({"owner": "anna"}, {"owner": "bert", "tier": "2"})
    )
    assert before == after


def test_user_labels_stand_on_info_and_on_alerts() -> None:
    """Where people and routes look for them."""
    one = _labelled(FREE)
    (info,) = (rule for rule in _recordings(one) if rule.record == naming.INFO)
    assert FREE.items() <= info.labels.items()
    assert all(FREE.items() <= alert.labels.items() for alert in _alerts(one))


def test_user_labels_overwrite_nothing_that_is_ours() -> None:
    """Identity, team, severity, windows and revision are facts."""
    one = _labelled(HOSTILE)
    ours = {"app": "ticketing", "team": "bookings"}
    assert all(ours.items() <= alert.labels.items() for alert in _alerts(one))
    assert all(alert.labels["severity"] != "none" for alert in _alerts(one))
    burns = [alert for alert in _alerts(one) if alert.alert == naming.ALERT_BURN]
    assert ["1h", "6h", "1d", "3d"] == [alert.labels["long"] for alert in burns]
    (info,) = (rule for rule in _recordings(one) if rule.record == naming.INFO)
    assert naming.revision(one) == info.labels["revision"]


def test_every_expression_parses() -> None:
    """No rule is left to the server to refuse."""
    for one in (_labelled(FREE), level(slo(latency("1s")))):
        for rule in _rules(one):
            assert not isinstance(parse_query(rule.expr), QueryProblem), rule


def test_only_base_rules_touch_the_raw_series() -> None:
    """Everything derived reads what was recorded, whatever the window."""
    rules = _service(_labelled(FREE))
    assert all(group.reads_raw for group in rules.base)
    for group in rules.derived:
        assert not group.reads_raw
        assert all("http_requests_total" not in rule.expr for rule in group.rules)


def test_rules_come_in_three_groups_of_their_own_pace() -> None:
    """Fast for pages, slots for budgets, and a minute for what is read again."""
    groups = joined(_service(level()))
    assert [
        ("ticketing/prod/availability/fast", "30s"),
        ("ticketing/prod/availability/ledger", "5m"),
        ("ticketing/prod/availability/meta", "1m"),
    ] == [(group.name, str(group.interval)) for group in groups]


def test_a_group_refuses_more_rules_than_mimir_takes() -> None:
    """Twenty-one are one too many."""
    rule = Recording(record="a", expr="1")
    Group(name="g", interval=Duration.parse("1m"), rules=(rule,) * MAX_RULES)
    with pytest.raises(ValueError, match="g has 21 rules"):
        Group(name="g", interval=Duration.parse("1m"), rules=(rule,) * (MAX_RULES + 1))


def test_an_slo_of_log_records_has_no_prometheus_rules() -> None:
    """Other readers count them."""
    assert service_rules(level(slo(Logs(query="a", bad="b"))), SETTINGS) is None


def test_dropped_pairs_have_neither_alert_nor_ratio() -> None:
    """At 50 % only the ticket of three days can fire; nothing reads 5m, 30m, 2h and 1d."""
    one = level(slo(target="50"))
    assert ["3d"] == [a.labels["long"] for a in _alerts(one) if a.alert == naming.ALERT_BURN]
    ratios = {rule.record for rule in _recordings(one) if "ratio_rate" in rule.record}
    assert {"slo:error:ratio_rate1h", "slo:error:ratio_rate6h", "slo:error:ratio_rate3d"} == ratios


@pytest.mark.parametrize(
    ("changed", "alert"),
    [
        (slo(alerts=AlertSettings(absent_for=None)), naming.ALERT_ABSENT),
        (slo(proven=True), naming.ALERT_UNPROVEN),
        (slo(events(good="good_total"), proven=False), naming.ALERT_UNPROVEN),
        (slo(), naming.ALERT_BUCKET),
        (slo(), naming.ALERT_LEFT),
    ],
)
def test_an_alert_that_means_nothing_here_is_left_out(changed: object, alert: str) -> None:
    """Ignored absence, proven selectors, no histogram, no thresholds."""
    names = {each.alert for each in _alerts(level(changed))}  # type: ignore[arg-type] # from the table
    assert alert not in names
    assert {naming.ALERT_BURN, naming.ALERT_INCOMPLETE} <= names


def test_thresholds_of_alerts_are_exact() -> None:
    """14.4 times a budget of 0.1 % is 0.0144 and no float beside it."""
    (page, *_) = _alerts(level())
    assert "> 0.0144 " in page.expr
    assert "0000000" not in page.expr


def test_pages_and_tickets_are_kept_for_their_time() -> None:
    """Two minutes and a quarter of an hour."""
    kept = {
        (alert.labels["severity"], str(alert.keep_firing))
        for alert in _alerts(level())
        if alert.alert == naming.ALERT_BURN
    }
    assert {("page", "2m"), ("ticket", "15m")} == kept


def test_either_kind_of_evidence_lets_an_alert_fire() -> None:
    """Enough events, or enough bad ones."""
    alerts = AlertSettings(page=guard(min_events=100, min_bad=10))
    page, _, *tickets = _alerts(level(slo(alerts=alerts)))
    assert ">= 100 or " in page.expr
    assert ">= 10)" in page.expr
    assert all(">=" not in each.expr for each in tickets if each.alert == naming.ALERT_BURN)


def test_each_share_of_the_budget_has_its_own_alert() -> None:
    """Labelled by the share, exact."""
    alerts = AlertSettings(budget_left=(Fraction(1, 2), Fraction(1, 4), Fraction(0)))
    left = [a for a in _alerts(level(slo(alerts=alerts))) if a.alert == naming.ALERT_LEFT]
    assert ["0.5", "0.25", "0"] == [each.labels["left"] for each in left]
    assert all(each.expr.endswith(f"<= {each.labels['left']}") for each in left)


@pytest.mark.parametrize("text", ["plain", "{{7*7}}", "a {{ b }} {{ c", "}}", "{{{{"])
def test_user_text_is_printed_as_it_stands(text: str) -> None:
    """Every opening brace pair becomes a template that prints one."""
    assert text == literal(text).replace('{{ "{{" }}', "{{")
    assert text.count("{{") == literal(text).count('{{ "{{" }}')
