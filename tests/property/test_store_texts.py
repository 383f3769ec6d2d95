"""A search that skips what the index rules out finds what a search of everything finds."""

import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readers.store.asking import Asker
from collectors.readers.store.logs import histogram, logs
from collectors.readers.telemetry import LogQuery, TimeRange, Where
from collectors.signals import Signal, table
from collectors.store import Sizing, StoreReader, StoreWriter

DAY = 86_400_000_000_000
BEGIN = 20_400 * DAY
SPAN = TimeRange(start=BEGIN, end=BEGIN + 2 * DAY)
ROWS = 36_000
SEED = 20261101
# Cases that are not those of ASCII: a Kelvin sign, a dotted capital I, sigmas, and none at all.
SPECIAL = (
    "\u212aestrel \u0130stanbul",
    "Straße ΟΔΥΣΣΕΥΣ Ошибка",
    "支付失败 超时",
    "100% of_it\\done *here*",
    "a",
    "",
    "line\nbreak\x00zero",
    "caf\u00e9 CAFE\u0301",
)


def texts() -> list[str]:
    """Lines of few templates; every special one stands in a few places."""
    random = np.random.default_rng(SEED)
    words = ["timeout", "Payment", "refused", "seat", "ok"]
    chosen = random.integers(0, len(words), (ROWS, 2))
    made = [f"{words[a]} of {words[b]} {n}" for n, (a, b) in enumerate(chosen)]
    for one in SPECIAL:
        for place in random.integers(0, ROWS, 2):
            made[place] = one
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asker, Asker]]:
    """A store with an index, and the same without one."""
    folder = tmp_path_factory.mktemp("texts")
    columns: dict[str, list[object]] = {
        "time": [BEGIN + n * (2 * DAY // ROWS) for n in range(ROWS)],
        "app": ["ticketing"] * ROWS,
        "severity": [9 if n % 3 else 17 for n in range(ROWS)],
        "host": [None if n % 5 else "web-1" for n in range(ROWS)],
        "observed": [*range(ROWS)],
        "body": list(texts()),
    }
    with StoreWriter(folder / "with", sizing=Sizing(segment_rows=9_000)) as writer:
        writer.append(Signal.LOGS, table(Signal.LOGS, columns))
        writer.compact(BEGIN + 3 * DAY)
        # What no segment holds yet has no index.
        few = table(Signal.LOGS, {name: values[:50] for name, values in columns.items()})
        writer.append(Signal.LOGS, few)
    shutil.copytree(folder / "with", folder / "without")
    assert list((folder / "without" / "text").iterdir())
    shutil.rmtree(folder / "without" / "text")
    readers = [StoreReader(folder / name, threads=1) for name in ("with", "without")]
    yield Asker(readers[0]), Asker(readers[1])
    for each in readers:
        each.close()


LINES = (*SPECIAL, *texts()[:50], *texts()[-50:])
cases: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [str.upper, str.lower, str.swapcase, str]
)


@st.composite
def words(draw: st.DrawFn) -> str:
    """A part of a line, in any case, with or without a wildcard; now and then of no line."""
    line = draw(st.sampled_from(LINES)) or "none"
    first = draw(st.integers(0, len(line) - 1))
    part = draw(cases)(line[first : first + draw(st.integers(1, 14))])
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(part)))
        part = f"{part[:place]}*{part[place + 1 :]}"
    if draw(st.integers(0, 5)) == 0:
        part += draw(st.sampled_from(["x", "kes", "Ж", "\U0001f600"]))
    quoted = part.replace("\\", "\\\\").replace('"', '\\"')
    return draw(st.sampled_from(['"{}"', 'body: "{}"', 'message: "{}"'])).format(quoted)


queries = st.recursive(
    st.one_of(words(), words(), st.sampled_from(["host: web-1", "severity > 9", "host: *"])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
        inner.map(lambda one: f"not {one}"),
    ),
    max_leaves=5,
)


@settings(max_examples=150)
@given(query=queries, limit=st.sampled_from([1, 3, 5_000]))
def test_an_index_changes_no_answer(both: tuple[Asker, Asker], query: str, limit: int) -> None:
    """The same newest records, and the same counts in every slice of time."""
    asked = LogQuery(where=Where(app="ticketing", range=SPAN), text=query, limit=limit)
    ours, plain = (logs(asker, asked).value for asker in both)
    assert plain["time"].to_list() == ours["time"].to_list()
    assert sorted(plain["body"]) == sorted(ours["body"])
    counted, plainly = (histogram(asker, asked, 10).value for asker in both)
    assert plainly.equals(counted)
