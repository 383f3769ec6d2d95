"""An evaluator over a real store that holds made-up counters, ticking through time as told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from alerts.prometheus.groups import RuleSettings
from app.evaluator.engine import Evaluator
from collectors.receive.series import digest_of, labels_text
from collectors.signals import Signal, table
from collectors.store import StoreReader, StoreWriter
from slo.model import ServiceLevel
from slo.units import Duration
from tests.builders import CATALOGUE
from tests.servers.traffic import World

START = 1_767_225_600
MS = 1000
NS = 1_000_000_000
NO_WAIT = Duration.parse("0s", allow_zero=True)
SETTINGS = RuleSettings(catalogue=CATALOGUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter's samples: Unix seconds and values; a missing one is a lost scrape."""

    name: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


def counters_of(world: World, *, step: int = 15, until: float | None = None) -> list[Counter]:
    """What a scraper sees that comes exactly every ``step`` seconds: requests by pod and code."""
    end = world.end if until is None else until
    found = []
    for pod in world.pods:
        for code in world.scenario.codes:
            points = []
            for at in range(round(world.start), round(end) + 1, step):
                offset = world.offset_ms(at)
                life = pod.life_at(offset)
                if life is None:
                    continue
                value = pod.codes[code].count(offset) - pod.codes[code].count(life.start)
                if value or code == "200":
                    points.append((float(at), float(value)))
            labels = {"job": world.scenario.job, "instance": pod.instance, "code": code}
            if points:
                found.append(
                    Counter(name="http_requests_total", labels=labels, points=tuple(points))
                )
    return found


def append(writer: StoreWriter, counters: Sequence[Counter]) -> None:
    """Store counters as a receiver would."""
    rows = [(one, at, value) for one in counters for at, value in one.points]
    many = len(rows)
    texts = {id(one): labels_text(one.labels) for one in counters}
    writer.append(
        Signal.METRICS,
        table(
            Signal.METRICS,
            {
                "time": [round(at * MS) * (NS // MS) for _, at, _ in rows],
                "name": [one.name for one, _, _ in rows],
                "kind": ["counter"] * many,
                "delta": [False] * many,
                "series": [digest_of(one.name, texts[id(one)]) for one, _, _ in rows],
                "labels": [texts[id(one)] for one, _, _ in rows],
                "value": [value for _, _, value in rows],
            },
        ),
    )


@contextmanager
def evaluating(
    folder: Path,
    levels: Sequence[ServiceLevel],
    counters: Sequence[Counter],
    *,
    settings: RuleSettings = SETTINGS,
) -> Iterator[Evaluator]:
    """An evaluator over a store of these counters; nothing is recorded yet."""
    with StoreWriter(folder) as writer:
        if counters:
            append(writer, counters)
        reader = StoreReader(folder)
        yield Evaluator(levels, settings, reader=reader, writer=writer, settling=NO_WAIT)
        reader.close()


def all_every(evaluator: Evaluator, interval: Duration) -> None:
    """Give every group one interval, and every level a ledger from the start."""
    evaluator.turns = tuple(
        replace(turn, group=replace(turn.group, interval=interval)) for turn in evaluator.turns
    )
    evaluator.ready.update(level.key for level in evaluator.levels)


def ticks(
    evaluator: Evaluator,
    *,
    start: float,
    end: float,
    step: float = 30,
    seen: Callable[[float], None] = lambda _: None,
) -> None:
    """Tick from ``start`` to ``end``, both included, and look after each."""
    at = start
    while at <= end:
        evaluator.tick(round(at * MS))
        seen(at)
        at += step
