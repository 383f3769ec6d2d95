"""Our PromQL engine against real servers that hold the same samples.

Seeds are printed and taken from HEADROOM_SEED.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from collectors.promql import PromqlError, Samples, Vector, evaluate_instant, evaluate_range
from tests.builders import level, slo
from tests.promql_source import Stored
from tests.servers.processes import Prometheus, Series, ServerError
from tests.servers.promql_queries import (
    BORDERS,
    BOTH_VERSIONS,
    ERRORS,
    INSTANT,
    NATIVE,
    NEWEST,
    generated,
    ledger,
    of_level,
)
from tests.servers.promql_world import LENGTH, START, lifted, load, native, on_grid, stored

pytestmark = pytest.mark.xdist_group("promql-engine")

SEED = int(os.environ.get("HEADROOM_SEED", "7"))
# A millisecond that no sample has, so that no sample lies on a border.
BEGIN_MS, END_MS = START * 1000 + 900_007, (START + LENGTH + 600) * 1000
STEPS_MS = (60_000, 300_000, 47_130)


class Pair:
    """A server and our engine over the same samples."""

    def __init__(self, server: Prometheus, series: Sequence[Samples]) -> None:
        self.server = server
        self.source = Stored(series)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Samples]:
    """Samples of all kinds but native histograms."""
    print(f"promql seed {SEED}")
    return stored(SEED, tmp_path_factory.mktemp("promql"))


@pytest.fixture(scope="module")
def pair(prometheus_bin: Path, series: list[Samples]) -> Iterator[Pair]:
    """Each server; the older one gets counters on whose extrapolation all versions agree."""
    old = prometheus_bin.parent.name.startswith("prometheus-2")
    with _server(prometheus_bin) as running:
        held = lifted(series) if old else series
        load(running, held)
        yield Pair(running, held)


@pytest.fixture(scope="module")
def newest(newest_prometheus_bin: Path, series: list[Samples]) -> Iterator[Pair]:
    """The newest server, with native histograms too."""
    with _server(newest_prometheus_bin) as running:
        held = [*series, *native(SEED), on_grid()]
        load(running, held)
        yield Pair(running, held)


def _server(binaries: Path) -> Prometheus:
    # An unknown feature is a warning in the older version's log.
    flags = ("--enable-feature=native-histograms,promql-experimental-functions",)
    return Prometheus(binaries, flags=flags, config=_MINUTE)


# Subqueries without a step take the evaluation interval.
_MINUTE = {"global": {"evaluation_interval": "1m"}}


def differences(
    pair: Pair, query: str, step_ms: int, span: tuple[int, int] = (BEGIN_MS, END_MS)
) -> list[str]:
    """Say in which points the answers to a range query differ."""
    try:
        theirs: list[Series] | str = pair.server.query_range(
            query, start=span[0] / 1000, end=span[1] / 1000, step=step_ms / 1000
        )
    except ServerError as error:
        theirs = str(error)
    try:
        ours: list[Vector] | str = evaluate_range(pair.source, query, *span, step_ms)
    except PromqlError as error:
        ours = str(error)
    if isinstance(theirs, str) or isinstance(ours, str):
        if isinstance(theirs, str) and isinstance(ours, str):
            return []
        return [f"server: {str(theirs)[:300]}", f"engine: {str(ours)[:300]}"]
    return _unequal(theirs, ours)


def _unequal(theirs: Sequence[Series], ours: Sequence[Vector]) -> list[str]:
    expected = {tuple(sorted(one.labels.items())): one for one in theirs}
    found = {tuple(sorted(one.labels.items())): one for one in ours}
    said = [f"only the server has {labels}" for labels in expected.keys() - found.keys()]
    said += [f"only the engine has {labels}" for labels in found.keys() - expected.keys()]
    for labels in expected.keys() & found.keys():
        times = [round(at * 1000) for at, _ in expected[labels].points]
        if times != found[labels].times.tolist():
            odd = sorted(set(times) ^ set(found[labels].times.tolist()))
            said.append(f"{labels}: {len(odd)} steps are on one side only, such as {odd[:3]}")
            continue
        values = np.array([value for _, value in expected[labels].points])
        same = np.isclose(found[labels].values, values, rtol=1e-9, atol=1e-11, equal_nan=True)
        for place in np.flatnonzero(~same)[:3]:
            said.append(
                f"{labels} at {times[place]}: server {values[place]!r}, "
                f"engine {found[labels].values[place]!r}"
            )
    return said


@pytest.mark.parametrize("query", BOTH_VERSIONS)
def test_a_query_has_the_same_answer_on_a_server(pair: Pair, query: str) -> None:
    """Label sets, steps and values are equal."""
    for step in STEPS_MS:
        assert [] == differences(pair, query, step), f"seed {SEED}, step {step}"


@pytest.mark.parametrize("query", ERRORS)
def test_a_query_that_a_server_refuses_is_refused(pair: Pair, query: str) -> None:
    """A wrong or ambiguous query is an error on both sides."""
    with pytest.raises(ServerError):
        pair.server.query_range(query, start=BEGIN_MS / 1000, end=END_MS / 1000, step=60)
    with pytest.raises(PromqlError):
        evaluate_range(pair.source, query, BEGIN_MS, END_MS, 60_000)


@pytest.mark.parametrize("name", [name for name, _ in ledger()])
def test_the_ledgers_expressions_have_the_same_answer_on_a_server(pair: Pair, name: str) -> None:
    """Every expression of every kind of indicator."""
    text = dict(ledger())[name]
    for step in (300_000, 30_000):
        assert [] == differences(pair, text, step), f"seed {SEED}: {text}"


def test_random_queries_have_the_same_answer_on_a_server(pair: Pair) -> None:
    """Whatever the grammar allows, errors included."""
    wrong = {}
    answered = 0
    for query in generated(SEED, 400):
        found = differences(pair, query, 60_000)
        if found:
            wrong[query] = found
        answered += bool(_answer(pair, query))
    assert {} == wrong, f"seed {SEED}"
    assert answered > 150, f"seed {SEED}: most answers are empty"


def _answer(pair: Pair, query: str) -> list[Vector]:
    try:
        return evaluate_range(pair.source, query, BEGIN_MS, END_MS, 60_000)
    except PromqlError:
        return []


@pytest.mark.parametrize("query", NEWEST)
def test_what_only_new_servers_answer_is_the_same_on_one(newest: Pair, query: str) -> None:
    """Native histograms and functions that came with 3.0, counters near zero included."""
    for step in STEPS_MS:
        assert [] == differences(newest, query, step), f"seed {SEED}, step {step}"


@pytest.mark.parametrize("query", BORDERS)
def test_samples_on_the_borders_of_ranges_count_once_as_on_a_new_server(
    newest: Pair, query: str
) -> None:
    """Ranges, subqueries and the lookback are open on the left."""
    span = START * 1000, (START + LENGTH) * 1000
    for step in (15_000, 60_000):
        assert [] == differences(newest, query, step, span)


@pytest.mark.parametrize("query", INSTANT)
def test_an_instant_query_has_the_same_answer_in_the_same_order(pair: Pair, query: str) -> None:
    """Sorted vectors keep their order; ranges give their samples."""
    at_ms = BEGIN_MS + 3_600_000
    theirs = pair.server.query(query, at_ms / 1000)
    ours = evaluate_instant(pair.source, query, at_ms)
    if not query.startswith(("sort", "topk", "bottomk")):
        theirs = sorted(theirs, key=lambda one: sorted(one.labels.items()))
    assert [dict(one.labels) for one in theirs] == [one.labels for one in ours]
    for expected, found in zip(theirs, ours, strict=True):
        assert [round(at * 1000) for at, _ in expected.points] == found.times.tolist()
        values = [value for _, value in expected.points]
        np.testing.assert_allclose(found.values, values, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", [name for name, _ in of_level(level(slo(NATIVE, scrape="60s")))])
def test_the_ledger_of_native_histograms_is_the_same_on_a_new_server(
    newest: Pair, name: str
) -> None:
    """Older servers spread observations evenly inside a bucket."""
    text = dict(of_level(level(slo(NATIVE, scrape="60s"))))[name]
    for step in (300_000, 60_000):
        assert [] == differences(newest, text, step), f"seed {SEED}: {text}"
