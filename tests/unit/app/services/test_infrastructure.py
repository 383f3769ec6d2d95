"""Infrastructure under an app: what two apps share is shown to each as its own part only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from app.access import OPEN, Scope
from app.services import deploys, logs, metrics, servicemap, traces
from app.services.world import World
from collectors.readers.store import StoreMetrics
from collectors.readers.telemetry import Answered, LogQuery, TraceQuery, Where
from collectors.signals import Signal
from tests.stored_rows import NOON, SECOND, hours
from tests.unit.app.services import airline
from tests.unit.app.services.airline import BALANCER, DATABASE, TIA, span

BOTH = ("ticketing", "cargo")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Ten requests of each app through one load balancer to one database, told by all of them."""
    world = airline.opened(tmp_path_factory.mktemp("airline"))
    backends = {app: {"haproxy.backend": app} for app in BOTH}
    schemas = {app: {"postgresql.schema.name": app} for app in BOTH}
    airline.send(
        world,
        Signal.METRICS,
        airline.metrics(
            BALANCER,
            "haproxy.responses",
            *((at, at, backends[app]) for app in BOTH for at in range(0, 600, 60)),
        ),
        airline.metrics(
            DATABASE,
            "postgresql.commits",
            *((at, at, schemas[app]) for app in BOTH for at in range(0, 600, 60)),
        ),
        *(
            airline.metrics(
                airline.service(app), f"{app}.hits", *((at, at, {}) for at in range(0, 600, 60))
            )
            for app in BOTH
        ),
    )
    airline.send(
        world,
        Signal.LOGS,
        airline.logs(
            BALANCER,
            *((n, f"https~ {app} {n} 200", backends[app]) for app in BOTH for n in range(10)),
            (20, "https~ nobody 503", {}),
        ),
        airline.logs(
            DATABASE, *((n, f"{app} checkpoint", schemas[app]) for app in BOTH for n in (1,))
        ),
        *(airline.logs(airline.service(app), (1, f"{app} started", {})) for app in BOTH),
    )
    airline.send(world, Signal.SPANS, *(each for app in BOTH for each in _spans(app)))
    return world


def _spans(app: str) -> list[Any]:
    """The load balancer's span, the service's, and its call to the database, ten times."""
    base = 1003 if app == "cargo" else 3
    numbers = [base + 3 * n for n in range(10)]
    balanced = [
        span(each, each + 1, at=each % 100, name=f"lb {app}", haproxy__backend=app)
        for each in numbers
    ]
    served = [
        span(each, each + 2, parent=each + 1, at=each % 100, ms=80, name=f"GET /{app}")
        for each in numbers
    ]
    called = [
        span(
            each,
            each + 3 + 100_000,
            parent=each + 2,
            at=each % 100,
            ms=40,
            kind=3,
            name=f"SELECT {app}",
            db__system__name="postgresql",
            db__namespace=f"airline|{app}",
            server__address="pg-shared.internal",
        )
        for each in numbers
    ]
    return [
        airline.spans(BALANCER, *balanced),
        airline.spans(airline.service(app), *served, *called),
    ]


def _where(**more: Any) -> Where:
    return Where(app="ticketing", env="prod", range=hours(), **more)


Ask = Callable[[World, Scope], Answered[Any]]
QUESTIONS: dict[str, Ask] = {
    "search": lambda w, s: logs.search(w, s, LogQuery(where=_where(), limit=1000)),
    "search for it": lambda w, s: logs.search(w, s, LogQuery(where=_where(), text="cargo")),
    "histogram": lambda w, s: logs.histogram(w, s, LogQuery(where=_where())),
    "patterns": lambda w, s: logs.patterns(w, s, _where()),
    "traces": lambda w, s: traces.traces(w, s, TraceQuery(where=_where())),
    "heatmap": lambda w, s: traces.heatmap(w, s, TraceQuery(where=_where())),
    "trace": lambda w, s: traces.trace(w, s, "ticketing", f"{3:032x}"),
    "trace of another": lambda w, s: traces.trace(w, s, "ticketing", f"{1003:032x}"),
    "red": lambda w, s: metrics.red(w, s, "ticketing", "prod", hours(), by="name"),
    "components": lambda w, s: metrics.components(w, s, "ticketing", "prod", hours()),
    "deploys": lambda w, s: deploys.deploys(w, s, "ticketing", "prod", hours()),
}


@pytest.mark.parametrize("scope", [OPEN, TIA], ids=["open", "tia"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_ticketings_page_holds_nothing_of_cargo(world: World, scope: Scope, question: str) -> None:
    """Zero lines, spans, traces and numbers of the other app behind the same load balancer."""
    found = QUESTIONS[question](world, scope).value
    text = found.to_csv() if isinstance(found, pd.DataFrame) else repr(found)
    assert "cargo" not in text


def test_a_developers_map_does_not_name_the_other_app(world: World) -> None:
    """Cargo uses the same database; that is none of ticketing's business."""
    found = servicemap.service_map(world, TIA, "ticketing", "prod", hours()).value
    assert "cargo" not in found.nodes.to_csv() + found.edges.to_csv() + repr(found.touched)


def test_ticketings_series_are_its_own_and_its_share(world: World) -> None:
    """Its backend's and its schema's series belong to it, the others' do not."""
    source = world.metrics["store"]
    assert isinstance(source, StoreMetrics)
    at = datetime.fromtimestamp(NOON // SECOND, UTC)
    listed = source.of("ticketing").series(
        '{__name__=~".+"}', at, at + timedelta(hours=1), source.deadline(None), limit=1000
    )
    assert not [each for each in listed if "cargo" in repr(each)]
    names = {each["__name__"] for each in listed}
    assert {"haproxy_responses_total", "postgresql_commits_total", "ticketing_hits_total"} <= names


def test_what_ticketing_gets_of_shared_things_is_all_of_its_part(world: World) -> None:
    """Zero of the other app must not be zero of everything."""
    found = logs.search(world, TIA, LogQuery(where=_where(), limit=1000)).value
    assert 12 == len(found)
    assert 10 == (found["component"] == "front").sum()
    listed = traces.traces(world, TIA, TraceQuery(where=_where())).value
    assert 10 == len(listed)
    parts = metrics.components(world, TIA, "ticketing", "prod", hours()).value
    front = parts.set_index("component").loc["front"]
    assert front["shared"]
    assert "backend=ticketing" == front["share"]
    assert front["rate"] == pytest.approx(10 / 3600)
    database = parts.set_index("component").loc["db"]
    assert database["rate"] == pytest.approx(10 / 3600)
    assert 40_000_000 == database["p99"]
    assert "shared: only schema ticketing is shown. calls of this app" == database["note"]


def test_what_nobody_shares_out_belongs_to_nobody(world: World) -> None:
    """A line of the load balancer without a backend is in no app's logs."""
    nobody = Where(app=None, env=None, range=hours())
    found = logs.search(world, OPEN, LogQuery(where=nobody)).value
    assert ["https~ nobody 503"] == found["body"].tolist()
