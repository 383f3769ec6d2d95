"""Sources that count by queries of their own, and indicators in their languages."""

from collections.abc import Mapping

import pytest

from slo.ledger import expressions
from slo.loader import SourceFile, built_in_defaults, load_catalog, load_workspace
from slo.loader.shapes_external import EXTERNAL
from slo.model import App, Events, External, Indicator
from slo.problems import Problem
from slo.units import Duration
from slo.workspace import EXTERNAL_KINDS, ExternalSource, Tls, Workspace, external_kind
from tests.unit.slo.loader.reading import app_text, indicator_text, told, workspace_text

SOURCES = frozenset({"prometheus/eu", "datadog/eu", "datadog/us", "splunk/a", "splunk/b"})
DEFAULTS = {"datadog": "datadog/eu"}


def workspace(sources: str) -> Workspace:
    """The workspace of these sources."""
    file = SourceFile(name="headroom.yaml", text=workspace_text(f"sources: {sources}"))
    loaded, problems = load_workspace(file)
    assert () == problems
    assert loaded is not None
    return loaded


def loaded(
    text: str,
    sources: frozenset[str] = SOURCES,
    defaults: Mapping[str, str] = DEFAULTS,
) -> tuple[tuple[App, ...], tuple[Problem, ...]]:
    """What a text makes with these sources."""
    file = SourceFile(name="file.yaml", text=text)
    found = load_catalog([file], built_in_defaults(), sources=sources, default_sources=defaults)
    return found.catalog.apps, found.problems


def indicator(keys: str, sources: frozenset[str] = SOURCES) -> Indicator:
    """The indicator of an app without a mistake."""
    (app,), problems = loaded(indicator_text(keys), sources)
    assert () == problems
    return app.levels()[0].slo.indicator


def test_every_kind_has_a_shape() -> None:
    """And no other has."""
    assert list(EXTERNAL_KINDS) == list(EXTERNAL)


def test_a_source_needs_as_little_as_its_product() -> None:
    """Numbers are late by what is usual, and an answer may take half a minute."""
    found = workspace(
        "{datadog: {eu: {}}, cloudwatch: {main: {region: eu-west-1}}, newrelic: {a: {account: 42}}}"
    ).external
    half = Duration.of(seconds=30)
    two, five = Duration.of(minutes=2), Duration.of(minutes=5)
    assert {
        "datadog/eu": ExternalSource(kind="datadog", name="eu", timeout=half, lag=two),
        "cloudwatch/main": ExternalSource(
            kind="cloudwatch",
            name="main",
            timeout=half,
            lag=five,
            settings={"region": "eu-west-1"},
        ),
        "newrelic/a": ExternalSource(
            kind="newrelic", name="a", timeout=half, lag=two, settings={"account": "42"}
        ),
    } == found


def test_a_source_says_how_to_reach_it() -> None:
    """Secrets are files."""
    (found,) = workspace(
        "{sentry: {main: {url: 'http://sentry:9000', organization: acme, project: '1,2', "
        "tokenFile: token, timeout: 3s, lag: 0s, retries: 0, tls: {caFile: ca}}}}"
    ).external.values()
    assert (
        ExternalSource(
            kind="sentry",
            name="main",
            url="http://sentry:9000",
            timeout=Duration.of(seconds=3),
            lag=Duration(milliseconds=0),
            retries=0,
            tls=Tls(ca_file="ca"),
            settings={"organization": "acme", "project": "1,2", "tokenFile": "token"},
        )
        == found
    )


def test_the_only_source_of_a_kind_is_its_default() -> None:
    """Of several, the one that is named so, else none."""
    space = workspace(
        "{datadog: {default: us, eu: {}, us: {}}, newrelic: {a: {account: 1}},"
        " splunk: {a: {url: 'https://a'}, b: {url: 'https://b'}}}"
    )
    assert {"datadog": "datadog/us", "newrelic": "newrelic/a"} == space.default_external
    assert {"datadog/eu", "datadog/us", "newrelic/a", "splunk/a", "splunk/b"} == space.sources


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("datadog", "datadog"),
        ("datadog/eu", "datadog"),
        ("prometheus/datadog", None),
        ("store", None),
        (None, None),
    ],
)
def test_a_reference_tells_its_product(reference: str | None, kind: str | None) -> None:
    """By what it begins with."""
    assert kind == external_kind(reference)


def test_queries_in_another_language_are_passed_on_unread() -> None:
    """No mistake in PromQL is one there; total, bad and good are what they are called."""
    found = indicator('source: datadog/us\nevents: {total: "sum:x{", bad: "a b"}')
    assert (External(total="sum:x{", bad="a b"), "datadog/us") == (found.measure, found.source)
    found = indicator('source: splunk/a\nevents: {total: "search a", good: "search b | x"}')
    assert External(total="search a", good="search b | x") == found.measure


def test_a_ratio_is_a_share_with_or_without_weight() -> None:
    """Of errors or of what is good."""
    found = indicator("source: datadog\nratio: {error: x}")
    assert (External(bad="x", share=True), False) == (found.measure, found.counts_events)
    found = indicator("source: datadog\nratio: {good: x, weight: y}")
    assert (External(total="y", good="x", share=True), True) == (
        found.measure,
        found.counts_events,
    )


def test_a_kind_alone_is_its_default_source() -> None:
    """It is resolved when the workspace is known, and stays as it is without one."""
    keys = "source: datadog\nevents: {total: x, bad: y}"
    assert "datadog/eu" == indicator(keys).source
    assert "datadog" == indicator(keys, frozenset()).source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "splunk",
            (
                'error: "splunk" could be splunk/a, splunk/b, and none of them is the default '
                "[spec/unknown-source]\n"
                "hint: name one of them, or say which under sources.splunk.default in headroom.yaml"
            ),
        ),
        (
            "sentry",
            (
                'error: the workspace has no source of the kind "sentry" [spec/unknown-source]\n'
                "hint: define one under sources.sentry in headroom.yaml"
            ),
        ),
        (
            "datadog/eup",
            (
                'error: the workspace has no source "datadog/eup"; did you mean "datadog/eu"? '
                "[spec/unknown-source]\nhint: its sources are datadog/eu, datadog/us, "
                "prometheus/eu, splunk/a, splunk/b"
            ),
        ),
    ],
)
def test_a_source_that_is_not_there_is_told_with_those_that_are(source: str, said: str) -> None:
    """At the place where it is named."""
    _, problems = loaded(indicator_text(f"source: {source}\nevents: {{total: x, bad: y}}"))
    assert f"file.yaml:9:17: {said}\n" == told(problems)


def environment(slos: str) -> str:
    """An app with one SLO over Prometheus, one over Datadog, and an environment."""
    return app_text(
        f"environments: [{{name: prod, slos: {slos}}}]\n"
        "slos:\n"
        "  - {name: a, objective: 99, indicator: {events: {total: a_total, bad: b_total}}}\n"
        "  - name: b\n    objective: 99\n"
        "    indicator: {source: datadog, events: {total: a, bad: b}}\n"
    )


def test_an_environment_may_ask_another_source_of_the_same_product() -> None:
    """The language is the same there."""
    (app,), problems = loaded(environment("{b: {indicator: {source: datadog/us, offset: 5m}}}"))
    assert () == problems
    first, second = (level.slo.indicator for level in app.levels())
    assert isinstance(first.measure, Events)
    assert ("datadog/us", External(total="a", bad="b")) == (second.source, second.measure)
    assert Duration.of(minutes=5) == second.offset


@pytest.mark.parametrize(
    ("slos", "said"),
    [
        (
            "{a: {indicator: {source: datadog}}}",
            "the indicator is not in the language of datadog",
        ),
        (
            "{b: {indicator: {source: splunk/a}}}",
            'the indicator\'s queries are in the language of datadog, not of "splunk/a"',
        ),
        (
            "{b: {indicator: {source: prometheus/eu}}}",
            'the indicator\'s queries are in the language of datadog, not of "prometheus/eu"',
        ),
    ],
)
def test_an_environment_cannot_change_the_language(slos: str, said: str) -> None:
    """Queries would be asked that the other does not understand."""
    _, problems = loaded(environment(slos))
    assert [("spec/bad-source", said)] == [(each.id, each.message) for each in problems]


def test_no_prometheus_computes_what_a_product_counts() -> None:
    """There is no PromQL for it."""
    (app,), _ = loaded(environment("{}"))
    first, second = app.levels()
    assert expressions(first) is not None
    assert expressions(second) is None


def test_a_product_holds_no_environment() -> None:
    """Indicators name it one by one."""
    text = app_text("environments: [{name: prod, source: datadog/eu}]\n")
    _, problems = loaded(text)
    assert ["spec/bad-text"] == [each.id for each in problems]
