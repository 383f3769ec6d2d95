"""The service map: calls, messages, what was declared, what a change touches, who may see it."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Scope
from app.services.results import ServiceMap
from app.services.servicemap import service_map
from app.services.world import World
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.errors import UsageError
from slo.units import Duration
from tests.stored_rows import MS, Row, hours, rows_of, span
from tests.unit.app.services.airline import TIA
from tests.unit.app.services.installation import install

_APP = """\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: {name}}}
spec:
  dependsOn: {needs}
  environments: [{{name: prod}}]
  components: [{parts}]
  slos:
    - name: availability
      objective: 99
      window: 1d
      indicator: {{spans: {{service: {name}-api, bad: error}}}}
"""
_API = "{{name: api, kind: service, service: {name}-api, dependsOn: {needs}}}"
_DB = '{name: db, kind: database, engine: postgresql, address: "pg.internal:5432"}'
_CACHE = '{name: cache, kind: database, engine: redis, address: "redis.internal:6379"}'
_TOPIC = "{name: bookings, kind: queue, engine: kafka, share: {topic: bookings}}"


def _app(name: str, *needs: str, parts: str = "", inside: str = "[]") -> str:
    api = _API.format(name=name, needs=inside)
    return _APP.format(
        name=name, needs=f"[{', '.join(needs)}]", parts=", ".join(filter(None, (api, parts)))
    )


APPS = {
    "ticketing": _app(
        "ticketing", "payments", parts=f"{_DB}, {_CACHE}, {_TOPIC}", inside="[db, cache]"
    ),
    "payments": _app("payments"),
    "loyalty": _app("loyalty", "ticketing"),
    "cargo": _app("cargo"),
    "crew": _app("crew", "cargo", "loyalty"),
}


def _service(app: str) -> Row:
    return {"app": app, "env": "prod", "component": "api", "service": f"{app}-api"}


def _call(number: int, source: str, target: str, **more: object) -> list[Row]:
    return [
        span(number, 1, 50, kind="client", peer=f"{target}-api", **{**_service(source), **more}),
        span(number + 1, 1, 40, trace=number, parent=number, **_service(target)),
    ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Cargo calls ticketing and payments; ticketing calls cargo, a database, and sends messages."""
    spans = [
        *_call(10, "cargo", "ticketing", weight=9.0),
        *_call(20, "cargo", "payments"),
        *_call(30, "ticketing", "cargo", status="error"),
        span(40, 2, 7, kind="client", peer="postgresql/pg.internal", peer_kind="database"),
        span(
            41,
            2,
            900,
            kind="client",
            peer="postgresql/pg.internal",
            peer_kind="database",
            **_service("cargo"),
        ),
        span(50, 3, 2, kind="producer", peer="kafka/bookings", peer_kind="messaging"),
        span(
            51,
            4,
            9,
            kind="consumer",
            peer="kafka/bookings",
            peer_kind="messaging",
            **_service("loyalty"),
        ),
        *(span(100 + n, n, 20, status="error" if n < 5 else "ok") for n in range(20)),
    ]
    made = install(tmp_path, apps=APPS)
    assert made.store is not None
    with StoreWriter(made.store) as writer:
        writer.append(Signal.SPANS, rows_of(Signal.SPANS, spans))
    return made


def _map(world: World, app: str | None = "ticketing", scope: Scope = OPEN) -> ServiceMap:
    return service_map(world, scope, app, "prod", hours()).value


def _edges(found: ServiceMap) -> dict[tuple[str, str], tuple[bool, bool]]:
    return {
        (row["source"], row["target"]): (row["declared"], row["observed"])
        for row in found.edges.to_dict("records")
    }


TICKETING, CARGO, PAYMENTS = (f"{app}/{app}-api" for app in ("ticketing", "cargo", "payments"))
DATABASE, TOPIC = "postgresql/pg.internal", "kafka/bookings"


def test_the_map_of_an_app_sets_calls_against_declarations(world: World) -> None:
    """Seen and declared, seen only, declared only."""
    assert {
        (TICKETING, CARGO): (False, True),
        (CARGO, TICKETING): (False, True),
        (TICKETING, DATABASE): (True, True),
        (TICKETING, TOPIC): (True, True),
        (TOPIC, "loyalty/loyalty-api"): (True, True),
        (TICKETING, PAYMENTS): (True, False),
        (TICKETING, "ticketing/cache"): (True, False),
    } == _edges(_map(world))


def test_edges_have_rates_errors_and_durations(world: World) -> None:
    """Weighted by sampling; what was declared only has no numbers."""
    edges = _map(world).edges.set_index(["source", "target"])
    assert edges.loc[(CARGO, TICKETING), "rate"] == pytest.approx(9 / 3600)
    assert 1 == edges.loc[(TICKETING, CARGO), "error_ratio"]
    assert 7 * MS == edges.loc[(TICKETING, DATABASE), "p99"]
    assert edges.loc[(TICKETING, PAYMENTS), ["rate", "error_ratio", "p50", "p99"]].isna().all()


def test_nodes_carry_the_state_of_their_app(world: World) -> None:
    """The worst SLO's, at the range's end; what belongs to nobody has none."""
    nodes = _map(world).nodes.set_index("id")
    assert "exhausted" == nodes.loc[TICKETING, "state"]
    assert float(str(nodes.loc[TICKETING, "budget_remaining"])) < 0
    assert "ok" == nodes.loc["loyalty/loyalty-api", "state"]
    assert nodes.loc[[DATABASE, TOPIC], "state"].isna().all()
    assert ["database", "queue"] == nodes.loc[[DATABASE, TOPIC], "kind"].tolist()
    assert {TICKETING, "ticketing/cache"} == set(nodes[nodes["own"]].index)


def test_what_a_change_touches_is_transitive_and_nearest_first(world: World) -> None:
    """Who calls it, who takes its messages, who declares it, and who depends on those."""
    assert ("cargo", "loyalty", "crew") == _map(world).touched
    assert ("cargo", "ticketing", "crew", "loyalty") == _map(world, "payments").touched
    assert ("crew", "ticketing", "loyalty") == _map(world, "cargo").touched
    assert () == _map(world, "crew").touched


def test_whoever_sees_one_app_gets_nameless_neighbours(world: World) -> None:
    """How the others do, and what they are called, is not shown; that they are there is."""
    answer = service_map(world, TIA, "ticketing", "prod", hours())
    found = answer.value
    text = found.nodes.to_csv() + found.edges.to_csv() + repr(found.touched)
    for other in ("cargo", "payments", "loyalty", "crew"):
        assert other not in text
    somebody = found.nodes[found.nodes["id"].str.startswith("another app")]
    assert 3 == len(somebody)
    assert somebody[["app", "state", "budget_remaining"]].isna().all().all()
    assert () == found.touched
    assert ("3 more apps depend on it that you may not see",) == answer.notes
    assert 900 * MS not in found.edges["p99"].tolist(), "others' calls to a shared database"


def test_the_map_of_everything_is_that_of_what_may_be_seen(world: World) -> None:
    """Calls between others are not in it."""
    everything = _edges(_map(world, None))
    assert (CARGO, PAYMENTS) in everything
    assert (CARGO, DATABASE) in everything
    mine = _edges(_map(world, None, TIA))
    assert len(mine) < len(everything)
    assert not [pair for pair in mine if not any("ticketing" in e or TOPIC == e for e in pair)]


def test_other_environments_and_apps_are_forbidden_or_unknown(world: World) -> None:
    """Before anything is read."""
    with pytest.raises(Forbidden):
        _map(world, "cargo", TIA)
    with pytest.raises(UsageError, match='did you mean "ticketing"'):
        _map(world, "tiketing")
    with pytest.raises(UsageError):
        service_map(world, OPEN, None, "prd", hours())


def test_no_traces_leave_what_was_declared(tmp_path: Path) -> None:
    """A map without telemetry is one of promises."""
    found = _map(install(tmp_path, apps=APPS))
    assert not found.edges["observed"].any()
    assert ("ticketing", "payments") in _edges(found)
    assert ("loyalty", "crew") == found.touched


def test_a_state_that_could_not_be_read_is_unknown_and_said(world: World) -> None:
    """A deadline that passes is no lack of data."""
    late = replace(world, deadline=Duration(milliseconds=0))
    answer = service_map(late, OPEN, "ticketing", "prod", hours())
    assert answer.value.nodes["state"].isna().all()
    assert any(note.startswith("not every SLO could be read: ") for note in answer.notes)
