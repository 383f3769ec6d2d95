"""Series written down for `promtool tsdb create-blocks-from`, many samples at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.model import OLDEST, binaries
from bench.rules import Group, recordings
from slo import naming
from tests.servers.processes import create_blocks
from tests.servers.traffic import World, write_openmetrics
from tests.servers.traffic_text import selector

CODES = ("200", "301", "404", "500", "503")
"""Two of five are failures."""

_RATE = {"200": 40, "301": 3, "404": 2, "500": 1, "503": 1}
# Written in slots that lost their bad half, which these have not.
_NOT_WRITTEN = frozenset({naming.UNPAIRED})
# What rules read over long windows; all else is read from its last minutes.
_KEPT_LONG = frozenset(
    {
        *(naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.LEDGER_SLOT),
        "slo:sli_error:ratio_rate5m",
    }
)
_HOURS = 2
_HEALTHY = 0.0005
_VALUES = {
    naming.TOTAL_PERIOD: 2_000_000.0,
    naming.BAD_PERIOD: 1_000.0,
    naming.TOTAL_INCREASE: 230.0,
    naming.BAD_INCREASE: 0.115,
    naming.LEDGER_SLOT: 1.0,
    naming.PERIOD_COVERAGE: 1.0,
    naming.INFO: 1.0,
}


def write(path: Path, families: Sequence[tuple[str, str, Iterator[str]]]) -> None:
    """Write families, each a name, a type and the text of its samples."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name, kind, texts in families:
            file.write(f"# TYPE {name} {kind}\n")
            file.writelines(texts)
        file.write("# EOF\n")


def load_worlds(folder: Path, worlds: Sequence[World]) -> Path:
    """Load worlds into one folder of blocks."""
    folder.mkdir(parents=True)
    text, data = folder / "samples.txt", folder / "data"
    write_openmetrics(text, worlds)
    create_blocks(binaries(OLDEST), text, data)
    text.unlink()
    return data


def counters(
    jobs: Sequence[str], *, pods: int, start: int, end: int, step: int
) -> tuple[str, str, Iterator[str]]:
    """Requests of each job, a series per pod and code, growing evenly up to ``end``."""
    times = range(start, end + 1, step)

    def texts() -> Iterator[str]:
        tails = {
            code: [f" {(at - start) // step * rate} {at}\n" for at in times]
            for code, rate in _RATE.items()
        }
        for job in jobs:
            for pod in range(pods):
                for code in CODES:
                    labels = {"job": job, "instance": f"p{pod:03d}", "code": code}
                    yield _lines(selector("http_requests_total", labels), tails[code])

    return "http_requests", "counter", texts()


def recorded(
    found: Sequence[Group], *, end: int, period: int
) -> list[tuple[str, str, Iterator[str]]]:
    """What the recording rules of some groups would have left: constants at their interval.

    They tell of a healthy service, half of whose budget is left.
    """
    families: dict[str, list[tuple[str, int, int]]] = {}
    for group, rule in recordings(found):
        if rule.record not in _NOT_WRITTEN:
            seconds = period if rule.record in _KEPT_LONG else min(period, _HOURS * 3600)
            series = selector(rule.record, rule.labels)
            families.setdefault(rule.record, []).append((series, int(group.interval), seconds))
    return [
        (name, "gauge", _constant(series, _VALUES.get(name, _HEALTHY), end))
        for name, series in families.items()
    ]


def _constant(series: Sequence[tuple[str, int, int]], value: float, end: int) -> Iterator[str]:
    for head, step, seconds in series:
        first = end // step * step - seconds // step * step
        yield _lines(head, [f" {value} {at}\n" for at in range(first, end + 1, step)])


def _lines(head: str, tails: Sequence[str]) -> str:
    return head + head.join(tails)
