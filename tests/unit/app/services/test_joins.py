"""Join health over the embedded store: shares, gaps, remedies, and who may see them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from app.access import OPEN, Forbidden, Scope
from app.project import open_project
from app.services.joins import Gap, health
from app.services.joins.examples import LONGEST, masked
from app.services.joins.model import Stray
from app.services.joins.places import PLACES, path
from app.services.joins.remedies import Remedies
from app.services.world import World
from collectors.joining import Joiner
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal, table
from collectors.tagging.model import Plan
from collectors.tagging.registry import generator
from slo.collecting import COLLECTORS, Collecting, Secret
from slo.errors import SourceUnavailable, UsageError
from slo.loader.catalog import load_catalog
from slo.loader.documents import SourceFile
from slo.loader.windows import built_in_defaults
from slo.model import Catalog
from slo.workspace import Workspace
from tests.unit.app.services.installation import (
    APPS,
    DAY,
    END,
    HOUR,
    START,
    WHOLE,
    WORKSPACE,
    install,
    logs,
    lost_logs,
    requests,
    series,
)
from tests.unit.collectors.tagging.examples import CARGO, TICKETING, airline, plan_of
from tests.unit.collectors.tagging.metrics_examples import metrics_plan

ANA = Scope(user="ana", apps=frozenset({"ticketing"}))
_DEFAULTS = built_in_defaults()
EMPTY = TimeRange(start=START - 9 * DAY, end=START - 8 * DAY)


def lost(**more: object) -> tuple[Signal, pa.Table]:
    """One log line of nobody that says this of itself."""
    columns = {"time": END - HOUR, "missing": "service.namespace", "body": "lost", **more}
    return Signal.LOGS, table(Signal.LOGS, {name: [value] for name, value in columns.items()})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Records that are joined by several rungs, claimed twice, of nobody, of no environment."""
    return install(
        tmp_path_factory.mktemp("joins"),
        [
            (Signal.SPANS, requests(steps=range(10))),
            (Signal.LOGS, logs()),
            (Signal.LOGS, logs("cargo", None, count=3)),
            (Signal.LOGS, logs("stranger", count=2)),
            (Signal.LOGS, lost_logs(4)),
            lost(host="old-1", body="login password=hunter2 of Bearer abc.def"),
            (Signal.METRICS, series()),
        ],
    )


def gaps(world: World, app: str | None = None) -> Mapping[tuple[str, str | None], Gap]:
    """The gaps of everything, by what is missing and the host."""
    return {
        (each.missing or "", each.host): each for each in health(world, OPEN, WHOLE, app).value.gaps
    }


def test_shares_are_by_application_signal_and_rung(world: World) -> None:
    """Of all applications together first; what is tagged for no known one is nobody's."""
    found = health(world, OPEN, WHOLE)
    said = {(each.app, each.signal): (each.rungs, each.lost) for each in found.value.shares}

    assert ({1: 15}, 7) == said[None, "logs"]
    assert ({1: 12}, 4) == said["ticketing", "logs"]
    assert ({1: 3}, 4) == said["cargo", "logs"]
    assert ({2: 20}, 0) == said["ticketing", "spans"]
    assert ({1: 3}, 0) == said["ticketing", "metrics"]
    assert 0.75 == next(
        each.part()
        for each in found.value.shares
        if (each.app, each.signal) == ("ticketing", "logs")
    )
    assert ("store", ()) == (found.source, found.partial)


def test_a_gap_says_where_it_is_and_which_file_would_tag_it(world: World) -> None:
    """With an example, from which secrets are taken out."""
    gap = gaps(world)["service.namespace", "old-1"]

    assert (1, 22, "logs", "host old-1") == (gap.records, gap.whole, gap.signal, gap.place)
    assert "login password=[redacted] of [redacted]" == gap.example
    assert gap.remedy.todo.startswith("declare a component with hosts: [old-1] in the file of the")
    assert {
        "collectors/otelcol/prod/agent.yaml",
        "collectors/otelcol/staging/agent.yaml",
    } == set(gap.remedy.files)
    assert "headroom generate --only collectors --collector otelcol" == gap.remedy.command


def test_what_two_apps_claim_is_refused_with_both_names(world: World) -> None:
    """And with where they do: no collector can settle it."""
    gap = gaps(world)["app", None]

    assert (("cargo", "ticketing"), (), None) == (
        gap.claimants,
        gap.remedy.files,
        gap.remedy.command,
    )
    assert "cargo.yaml:3" in gap.remedy.todo
    assert "ticketing.yaml:3" in gap.remedy.todo


def test_what_names_no_environment_or_no_known_app_is_a_gap(world: World) -> None:
    """The first is its app's all the same; of the second the word that was meant is told."""
    found = gaps(world)
    cargo = found["deployment.environment.name", None]

    assert ("cargo", 3) == (cargo.app, cargo.records)
    stranger = found["service.namespace=stranger", None]
    assert 2 == stranger.records
    assert 'no app is called "stranger"' in stranger.remedy.todo


def test_one_app_has_its_own_gaps_alone(world: World) -> None:
    """What it claims in vain, and what lacks its environment."""
    assert {("app", None), ("deployment.environment.name", None)} == set(gaps(world, "cargo"))
    assert {("app", None)} == set(gaps(world, "ticketing"))


def test_gaps_are_for_those_who_see_all_apps(world: World) -> None:
    """The others see the shares of theirs, and are told that there may be more."""
    found = health(world, ANA, WHOLE)

    assert {"ticketing"} == {each.app for each in found.value.shares}
    assert () == found.value.gaps
    assert "what belongs to no app is shown to those who see all apps" in found.notes
    with pytest.raises(Forbidden):
        health(world, ANA, WHOLE, "cargo")


def test_an_environment_that_may_not_be_seen_is_not_counted(world: World) -> None:
    """Nor is what may be of it."""
    scope = Scope(user="tia", environments=frozenset({"staging"}))

    assert {"cargo"} >= {
        each.app
        for each in health(world, scope, WHOLE).value.shares
        if each.app and each.attributed
    }


def test_an_unknown_app_is_a_mistake(world: World) -> None:
    """The word that was meant is told."""
    with pytest.raises(UsageError, match='did you mean "cargo"'):
        health(world, OPEN, WHOLE, "cargoo")


def test_nothing_recorded_is_nothing_told(world: World) -> None:
    """No share is a number without records."""
    found = health(world, OPEN, EMPTY)

    assert ((), ()) == (found.value.shares, found.value.gaps)


def test_without_a_source_that_is_said(tmp_path: Path) -> None:
    """With what would do."""
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")

    with pytest.raises(SourceUnavailable, match="no source of this workspace"):
        health(install(tmp_path, workspace=bare, store=False), OPEN, WHOLE)


def remedies(use: tuple[str, ...] = (), *texts: str) -> Remedies:
    """Remedies for the applications of the tests of generators."""
    space = Workspace(defaults=_DEFAULTS, collecting=Collecting(use=use))
    return Remedies(_catalog(*(texts or (TICKETING, CARGO))), space)


def _catalog(*texts: str) -> Catalog:
    return load_catalog(
        [SourceFile(name=f"{at}.yaml", text=text) for at, text in enumerate(texts)], _DEFAULTS
    ).catalog


LOST = Stray(signal="logs", records=1, missing="service.namespace")


@pytest.mark.parametrize(
    ("stray", "files"),
    [
        ({"namespace": "cargo"}, {"agent-kubernetes.yaml"}),
        ({"host": "tick-1.example"}, {"agent.yaml"}),
        ({"signal": "spans", "service": "stranger"}, {"agent.yaml"}),
        ({"signal": "metrics", "namespace": "cargo", "scraped": True}, {"kubernetes.yaml"}),
        ({"signal": "metrics", "host": "old-1:9100", "scraped": True}, {"scrape.yaml"}),
    ],
)
def test_the_file_is_that_of_the_kind_of_source(
    stray: Mapping[str, object], files: set[str]
) -> None:
    """Pods, hosts, what services send, what is scraped from pods and from hosts."""
    found = remedies().of(replace(LOST, **stray))  # type: ignore[arg-type]  # by field

    assert files == {each.rpartition("/")[2] for each in found.files}


def test_collectors_that_the_workspace_uses_come_first() -> None:
    """All of them that fit; else the one that fits most."""
    stray = replace(LOST, host="tick-1.example")
    found = remedies(("filebeat", "rsyslog", "prometheus")).of(stray)

    assert (
        "collectors/filebeat/prod/filebeat.yml",
        "collectors/rsyslog/prod/hosts/tick-1.example/inputs.conf",
    ) == tuple(each for each in found.files if "/prod/" in each)
    assert str(found.command).endswith("--collector filebeat,rsyslog")
    assert "otelcol" in str(remedies(("kustomize",)).of(stray).command)


def test_a_neighbour_s_namespace_tells_whose_it_probably_is() -> None:
    """The app that has other components there."""
    stray = replace(LOST, namespace="cargo", service="new-thing")

    assert "cargo" == remedies().owner(stray)
    assert "in the file of cargo, which has others there" in remedies().of(stray).todo


def test_a_share_that_is_not_named_is_for_the_exporter_to_name() -> None:
    """Both apps have a part, so neither has to give it up."""
    stray = replace(
        LOST, signal="metrics", missing="share.database", claimants=("cargo", "ticketing")
    )

    assert (
        "cargo and ticketing share it: let its exporter or client name the database "
        "(in postgresql.database.name)" == remedies().of(stray).todo
    )


def test_what_generate_refuses_is_to_be_mended_first() -> None:
    """Its file could not be written."""
    twice = CARGO.replace("cargo-1.example", "tick-1.example")

    assert "first mend what generate refuses: " in remedies((), TICKETING, twice).of(LOST).todo


def test_nothing_to_tell_a_record_by_is_said() -> None:
    """No component could be declared for it."""
    assert "nothing tells it apart" in remedies().of(LOST).todo


def _made(collector: str) -> set[str]:
    """The files that a generator writes, below the folder of all."""
    found: set[str] = set()
    plans: list[Plan] = [airline(), metrics_plan(), *plan_of(TICKETING, CARGO)]
    for plan in plans:
        found |= {
            f"collectors/{collector}/{plan.env}/{each}" for each in generator(collector)(plan)
        }
    return found


@pytest.mark.parametrize("collector", PLACES)
def test_the_named_files_are_generated(collector: str) -> None:
    """For a component that is declared, every kind of source that a collector is for."""
    streams = {each.component.name: each for each in airline().streams if each.app == "ticketing"}
    made = _made(collector)
    cases = {
        "pods": (streams["api"], replace(LOST, namespace="ticketing")),
        "host": (streams["worker"], replace(LOST, host="tick-1.example")),
        "otlp": (streams["api"], replace(LOST, service="ticketing-api")),
        "scrape": (streams["api"], LOST),
        "scrape-pods": (streams["api"], LOST),
    }
    for kind in PLACES[collector]:
        stream, stray = cases[kind]
        assert path(collector, kind, "prod", stray, stream) in made, kind


def test_every_collector_that_tags_a_source_has_a_place() -> None:
    """Those without one make probes, or scrape what Prometheus has a file for."""
    assert {"blackbox", "yace"} == {*COLLECTORS} - {*PLACES}


def test_examples_hold_no_secret_and_no_half_of_one() -> None:
    """The workspace's own patterns count too; what a source cut off may be half a secret."""
    clean = masked(Collecting(redact=(Secret(name="pnr", pattern="PNR-[[:alnum:]]{6}"),)))

    assert "booked [redacted] now" == clean("booked PNR-AB12CD now")
    assert '{"password":"[redacted]","seat":1}' == clean('{"password":"x y","seat":1}')
    assert "[redacted]" == clean("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc")
    assert "eyJ" not in clean(f"{'x' * 190} eyJhbGciOiJIUzI1Ni")
    assert LONGEST >= len(clean("word " * 500))


def test_the_ladder_is_the_one_that_receives(tmp_path: Path) -> None:
    """A catalogue that changed since tells of new records only: old ones keep their owner."""
    world = install(tmp_path, [lost(service="ticketing-api")])
    project = open_project([str(tmp_path)], environment={})
    owner = Joiner(project.catalog).join({"service.name": "ticketing-api"}, {})

    assert "ticketing" == owner.app
    (share,) = health(world, OPEN, WHOLE).value.shares
    assert ({}, 1) == (share.rungs, share.lost)
    assert set(APPS) == {app.name for app in project.catalog.apps}
