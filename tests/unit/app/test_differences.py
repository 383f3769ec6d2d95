"""What newly generated files would change, told by application and SLO."""

import json
import textwrap

import pytest

from app.differences import (
    Change,
    DashboardDifference,
    Fate,
    FileDifference,
    FileKind,
    What,
    differences,
    to_json,
    to_markdown,
    to_text,
)
from app.differences.rules import read_rules

PATH = "prometheus/prod/ticketing.rules.yaml"


def rules(
    *,
    app: str = "ticketing",
    slo: str = "availability",
    objective: str = "0.999",
    bad: str = 'http_requests_total{code=~"5.."}',
    factor: str = "14.4",
    wait: str = "",
    team: str = "bookings",
    summary: str = "burns",
) -> str:
    """Return a rule file with two recording rules and an alert."""
    return textwrap.dedent(f"""\
        groups:
          - name: {app}/prod/{slo}/base
            interval: 30s
            rules:
              - record: slo:bad:rate
                expr: sum(rate({bad}[2m]))
                labels: {{app: {app}, env: prod, slo: {slo}}}
              - record: slo:objective:ratio
                expr: vector({objective})
                labels: {{app: {app}, env: prod, slo: {slo}}}
          - name: {app}/prod/{slo}/alerts
            interval: 30s
            rules:
              - alert: ErrorBudgetBurn
                expr: slo:error:ratio_rate1h{{app="{app}"}} > {factor} * 0.001
                {wait}
                labels: {{app: {app}, env: prod, slo: {slo}, long: 1h, short: 5m, team: {team}}}
                annotations: {{summary: {summary}}}
        """)


def changes(old: str, new: str) -> tuple[Change, ...]:
    """Return the changes of the one SLO that differs."""
    (slo,) = differences({PATH: old}, {PATH: new}).slos
    assert slo.fate is Fate.CHANGED
    assert (slo.app, slo.env, slo.slo) == ("ticketing", "prod", "availability")
    return slo.changes


def test_equal_files_have_no_differences() -> None:
    """Nor do files that differ in nothing that a rule is made of."""
    assert differences({PATH: rules()}, {PATH: rules()}).is_empty
    report = differences({PATH: rules()}, {PATH: f"# a comment\n{rules()}"})
    assert () == report.slos
    expected = (FileDifference(path=PATH, kind=FileKind.RULES, fate=Fate.CHANGED),)
    assert expected == report.files


def test_a_new_slo_is_added_with_its_counts() -> None:
    """Its rules are not listed one by one."""
    (slo,) = differences({}, {PATH: rules()}).slos
    assert (slo.fate, slo.rules, slo.alerts, slo.changes) == (Fate.ADDED, 2, 1, ())


def test_a_removed_slo_keeps_the_counts_of_what_was_there() -> None:
    """So that a reviewer sees how much goes."""
    other = rules(slo="latency")
    (slo,) = differences({PATH: rules(), "b.yaml": other}, {"b.yaml": other}).slos
    assert (slo.slo, slo.fate, slo.rules, slo.alerts) == ("availability", Fate.REMOVED, 2, 1)


def test_rules_that_only_move_to_another_file_do_not_change() -> None:
    """As when a layout renames its files."""
    report = differences({PATH: rules()}, {"elsewhere.yaml": rules()})
    assert () == report.slos
    assert [Fate.ADDED, Fate.REMOVED] == [file.fate for file in report.files]


def test_an_objective_is_told_in_percent_and_without_the_rules_that_only_repeat_it() -> None:
    """Exactly: 0.9995 is 99.95 %."""
    expected = (Change(what=What.OBJECTIVE, old="99.9", new="99.95"),)
    assert expected == changes(rules(), rules(objective="0.9995"))


def priced(objective: str = "99.9", budget: str = "0.001", window: str = "30d") -> str:
    """Return a rule file as far as it depends on the objective and the window."""
    identity = "app: ticketing, env: prod, slo: availability"
    revision = f"r{objective}{window}"
    return textwrap.dedent(f"""\
        groups:
          - name: ticketing/prod/availability/meta
            rules:
              - {{record: "slo:bad:increase_period", expr: "sum_over_time(x[{window}])", labels: {{{identity}}}}}
              - {{record: "slo:burn_rate:ratio_period", expr: "y / {budget}", labels: {{{identity}}}}}
              - {{record: slo_info, expr: vector(1), labels: {{{identity}, objective: "{objective}", window: {window}, revision: {revision}, tier: a}}}}
              - {{record: "slo:revision_start:timestamp", expr: 'min(z{{revision="{revision}"}})', labels: {{{identity}, revision: {revision}}}}}
              - alert: ErrorBudgetBurn
                expr: x > 14.4 * {budget}
                labels: {{{identity}, long: 1h, short: 5m}}
                annotations: {{description: "the budget of {window} burns {{{{ with query `x / {budget}` }}}}"}}
        """)  # noqa: E501 - a rule on a line


def test_what_follows_from_a_new_objective_is_not_told_beside_it() -> None:
    """But the alerts' thresholds are, and the revision."""
    alert = "alert ErrorBudgetBurn (1h, 5m)"
    expected = (
        Change(what=What.OBJECTIVE, old="99.9", new="99"),
        Change(what=What.LABELS, rule="slo_info", old="revision=r99.930d", new="revision=r9930d"),
        Change(what=What.THRESHOLD, rule=alert, old="0.001", new="0.01"),
    )
    assert expected == changes(priced(), priced(objective="99", budget="0.01"))


def test_a_new_window_is_told_like_an_objective() -> None:
    """The rules that count over it need no mention."""
    expected = (
        Change(what=What.WINDOW, old="30d", new="7d"),
        Change(what=What.LABELS, rule="slo_info", old="revision=r99.930d", new="revision=r99.97d"),
    )
    assert expected == changes(priced(), priced(window="7d"))
    assert "~ window: 30d -> 7d\n" in to_text(
        differences({PATH: priced()}, {PATH: priced(window="7d")})
    )


def test_a_change_that_does_not_follow_from_the_objective_is_told_beside_it() -> None:
    """However alike the two look."""
    new = priced(objective="99", budget="0.01").replace("sum_over_time(x[", "sum_over_time(y[")
    kinds = [change.what for change in changes(priced(), new.replace("burns", "melts"))]
    assert [What.OBJECTIVE, What.EXPRESSION, What.LABELS, What.THRESHOLD, What.ANNOTATIONS] == kinds


def test_an_expression_that_differs_in_a_number_alone_is_a_threshold() -> None:
    """The alert is named with its windows."""
    rule = "alert ErrorBudgetBurn (1h, 5m)"
    expected = (Change(what=What.THRESHOLD, rule=rule, old="14.4", new="10"),)
    assert expected == changes(rules(), rules(factor="10"))


@pytest.mark.parametrize(
    "bad", ['http_requests_total{code=~"4.."}', "http2_requests_total", "other"]
)
def test_any_other_difference_is_one_of_the_expression(bad: str) -> None:
    """Digits inside strings and names are no thresholds."""
    expected = (
        Change(
            what=What.EXPRESSION,
            rule="slo:bad:rate",
            old='sum(rate(http_requests_total{code=~"5.."}[2m]))',
            new=f"sum(rate({bad}[2m]))",
        ),
    )
    assert expected == changes(rules(), rules(bad=bad))


def test_a_window_is_part_of_the_expression() -> None:
    """`[2m]` and `[5m]` ask different questions."""
    (change,) = changes(rules(), rules().replace("[2m]", "[5m]"))
    assert change.what is What.EXPRESSION


@pytest.mark.parametrize(
    ("new", "what", "before", "after"),
    [
        (rules(wait="for: 2m"), What.TIMING, None, "for=2m"),
        (rules(team="payments"), What.LABELS, "team=bookings", "team=payments"),
        (rules(summary="melts"), What.ANNOTATIONS, "summary=burns", "summary=melts"),
    ],
)
def test_what_else_an_alert_has_is_told_by_what_differs(
    new: str, what: What, before: str | None, after: str | None
) -> None:
    """Labels that stay are left out."""
    expected = Change(what=what, rule="alert ErrorBudgetBurn (1h, 5m)", old=before, new=after)
    assert (expected,) == changes(rules(), new)


def test_rules_that_come_and_go_within_an_slo_are_named() -> None:
    """Another pair of windows is another alert."""
    new = rules().replace("long: 1h", "long: 6h").replace("ratio_rate1h", "ratio_rate6h")
    found = [(change.what, change.rule) for change in changes(rules(), new)]
    expected = [
        (What.RULE_REMOVED, "alert ErrorBudgetBurn (1h, 5m)"),
        (What.RULE_ADDED, "alert ErrorBudgetBurn (6h, 5m)"),
    ]
    assert expected == found


def test_a_prometheus_rule_manifest_is_read_like_a_rule_file() -> None:
    """Operator layouts tell the same story."""
    wrapped = "kind: PrometheusRule\nspec:\n" + textwrap.indent(rules(), "  ")
    (slo,) = differences({"operator/a.yaml": wrapped}, {}).slos
    assert ("ticketing", Fate.REMOVED) == (slo.app, slo.fate)


def test_the_same_change_in_two_layouts_is_told_once() -> None:
    """A reviewer decides about it once."""
    old = {"plain/a.yaml": rules(), "mimir/a.yaml": f"namespace: a\n{rules()}"}
    new = {path: text.replace("14.4", "10") for path, text in old.items()}
    (slo,) = differences(old, new).slos
    assert [What.THRESHOLD] == [change.what for change in slo.changes]


def test_rules_without_identity_labels_belong_to_their_group() -> None:
    """The group is named app/env/slo/part; any other group stands for itself."""
    text = "groups: [{name: a/prod/b/ledger, rules: [{record: x, expr: '1'}]}]"
    (slo,) = differences({}, {"x.yaml": text}).slos
    assert (slo.app, slo.env, slo.slo) == ("a", "prod", "b")
    (slo,) = differences({}, {"x.yaml": text.replace("a/prod/b/ledger", "meta")}).slos
    assert (slo.app, slo.env, slo.slo) == ("", "", "meta")


def test_dashboards_are_told_by_uid_and_title() -> None:
    """A dashboard that moves to another file has not changed."""
    old = {
        "grafana/a.json": '{"uid": "a", "title": "A", "panels": []}',
        "grafana/b.json": '{"uid": "b", "title": "B"}',
    }
    new = {
        "grafana/a.json": '{"uid": "a", "title": "A", "panels": [1]}',
        "moved/b.json": '{"uid": "b", "title": "B"}',
        "grafana/c.json": '{"uid": "c", "title": "C"}',
    }
    expected = (
        DashboardDifference(uid="a", title="A", fate=Fate.CHANGED),
        DashboardDifference(uid="c", title="C", fate=Fate.ADDED),
    )
    assert expected == differences(old, new).dashboards


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<<<<<<< HEAD",
        "a: [",
        "groups: 1",
        "route: {receiver: none}",
        "[" * 100_000,
        "- " * 100_000,
        "groups: &a [*a]",
        "groups: !!python/object:os.system {}",
        "\0",
    ],
)
def test_a_file_that_holds_no_rules_is_told_as_a_file(text: str) -> None:
    """Whatever someone made of it by hand; libyaml alone would crash on the deep ones."""
    report = differences({"x.yaml": text}, {"x.yaml": "groups: []"})
    assert () == report.slos
    assert ["x.yaml"] == [file.path for file in report.files]


def test_a_bomb_of_aliases_costs_no_more_than_its_text() -> None:
    """A thousand aliases of a group of a thousand aliases are one group of one rule."""
    aliases = ", ".join(["*rule"] * 999)
    groups = ", ".join(["*group"] * 999)
    rule = f"rules: [&rule {{record: x, expr: '1'}}, {aliases}]"
    text = f"groups: [&group {{name: g, {rule}}}, {groups}]"
    found = read_rules(text)
    assert found is not None
    assert ["x"] == [rule.name for rule in found]


def test_text_is_grouped_by_app_and_ends_with_counts() -> None:
    """What is neither a rule nor a dashboard is listed as a file."""
    old = {PATH: rules(), "alertmanager/alertmanager.yaml": "route: {}"}
    new = {
        PATH: rules(factor="10", bad="other"),
        "b.yaml": rules(app="loyalty"),
        "c.json": '{"uid": "c", "title": "C"}',
        "alertmanager/alertmanager.yaml": "route: {receiver: a}",
    }
    expected = textwrap.dedent("""\
        loyalty
          + prod/availability (2 recording rules, 1 alert)
        ticketing
          ~ prod/availability
              ~ expression of slo:bad:rate
                  - sum(rate(http_requests_total{code=~"5.."}[2m]))
                  + sum(rate(other[2m]))
              ~ threshold of alert ErrorBudgetBurn (1h, 5m): 14.4 -> 10
        dashboards
          + C
        files
          ~ alertmanager/alertmanager.yaml
        SLOs: 1 added, 1 changed; dashboards: 1 added; files: 2 added, 2 changed
        """)
    assert expected == to_text(differences(old, new))


def test_nothing_is_said_of_nothing() -> None:
    """One line, so that a pipeline's log shows that the comparison ran."""
    assert to_text(differences({}, {})) == "nothing would change\n"


def test_json_holds_every_part() -> None:
    """Absent values are null, fates and kinds are words."""
    data = json.loads(
        json.dumps(to_json(differences({PATH: rules()}, {PATH: rules(wait="for: 1m")})))
    )
    expected = {
        "schema": "headroom/diff/v1",
        "slos": [
            {
                "app": "ticketing",
                "env": "prod",
                "slo": "availability",
                "fate": "changed",
                "rules": 2,
                "alerts": 1,
                "changes": [
                    {
                        "what": "timing",
                        "rule": "alert ErrorBudgetBurn (1h, 5m)",
                        "old": None,
                        "new": "for=1m",
                    }
                ],
            }
        ],
        "dashboards": [],
        "files": [{"path": PATH, "kind": "rules", "fate": "changed"}],
    }
    assert expected == data


def test_markdown_takes_nothing_for_markup() -> None:
    """Whatever comes from files stands in code spans, which backticks cannot end."""
    report = differences({PATH: rules()}, {PATH: rules(team='"`@all` [x](y:z)"')})
    expected = textwrap.dedent("""\
        **SLOs: 1 changed; files: 1 changed**

        ### `ticketing`

        - `prod/availability` changed: 1 change
          - labels of `alert ErrorBudgetBurn (1h, 5m)`: `team=bookings` → ``team=`@all` [x](y:z)``
        """)
    assert expected == to_markdown(report)


def test_names_from_files_cannot_steer_a_terminal() -> None:
    """Escapes are shown, not obeyed."""
    text = rules().replace("app: ticketing", 'app: "a\\e[2J"')
    shown = to_text(differences({}, {"x.yaml": text}))
    assert "\x1b" not in shown
    assert "a\\x1b[2J\n" in shown
