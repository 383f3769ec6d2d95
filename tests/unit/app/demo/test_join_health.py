"""Join health of the demo's airline: what nobody tagged is named, with what would tag it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.access import OPEN
from app.demo import World, places
from app.demo.filling import fill_store
from app.project import Project, open_project
from app.services.joins import JoinHealth, health
from app.services.opening import open_world
from collectors.readers.telemetry import TimeRange
from slo.collecting import Collecting

NOW = 1_763_750_000 * 1_000_000_000
SMALL = World(seed=7, now_ns=NOW, days=2, scale=0.02)
WHOLE = TimeRange(start=NOW - 2 * 86_400 * 1_000_000_000, end=NOW + 1)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo's workspace over a store with two days at a fiftieth of the traffic."""
    folder = tmp_path_factory.mktemp("demo") / "store"
    opened = open_project([], environment={}, workspace=str(places.workspace()), store=str(folder))
    fill_store(SMALL, opened.catalog, folder, lambda: None)
    return opened


def found(project: Project, use: tuple[str, ...] = ()) -> JoinHealth:
    """What is told of a workspace that uses these collectors."""
    space = replace(project.workspace, collecting=Collecting(use=use))
    world = open_world(replace(project, workspace=space), environ={})
    return health(world, OPEN, WHOLE).value


def test_what_nobody_tagged_is_named_with_the_file_that_would_tag_it(project: Project) -> None:
    """The importer on a host that no app file has; its lines are not in anybody's figures."""
    (gap,) = (each for each in found(project).gaps if not each.claimants)

    assert ("logs", "old-fares-7", "service.namespace") == (gap.signal, gap.host, gap.missing)
    assert gap.records > 0
    assert str(gap.example).startswith("IMPORT fares")
    assert "hosts: [old-fares-7]" in gap.remedy.todo
    assert ("collectors/otelcol/prod/agent.yaml",) == gap.remedy.files
    (of_use,) = (each for each in found(project, ("rsyslog",)).gaps if not each.claimants)
    assert ("collectors/rsyslog/prod/hosts/old-fares-7/inputs.conf",) == of_use.remedy.files
    assert "headroom generate --only collectors --collector rsyslog" == of_use.remedy.command


def test_what_two_apps_declare_is_refused_to_both(project: Project) -> None:
    """Each has lost it in vain, and nobody else has."""
    told = found(project)
    (gap,) = (each for each in told.gaps if each.claimants)
    lost: Mapping[str | None, int] = {
        each.app: each.lost for each in told.shares if each.signal == "logs"
    }

    assert (("check-in", "ticketing"), "pdf-renderer") == (gap.claimants, gap.service)
    assert gap.records == lost["ticketing"] == lost["check-in"]
    assert {"check-in", "ticketing", None} == {app for app, count in lost.items() if count}


def test_shared_infrastructure_is_joined_by_its_address_and_part(project: Project) -> None:
    """Everything else by the tag; nothing of metrics and spans is lost."""
    shares = {(each.app, each.signal): each for each in found(project).shares}

    assert {1, 5} == set(shares["ticketing", "metrics"].rungs)
    assert 1.0 == shares[None, "metrics"].part() == shares[None, "spans"].part()
    assert 0.5 < (shares[None, "logs"].part() or 0) < 1
