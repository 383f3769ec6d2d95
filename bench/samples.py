"""Series written down for `promtool tsdb create-blocks-from`, many samples at a time."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.rules import Group, recordings
from slo import naming
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


def write(path: Path, families: Sequence[tuple[str, str, Iterator[str]]]) -> None:
    """Write families, each a name, a type and the text of its samples."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for name, kind, texts in families:
            file.write(f"# TYPE {name} {kind}\n")
            file.writelines(texts)
        file.write("# EOF\n")


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
    found: Sequence[Group], *, end: int, period: int, value: float = 0.001
) -> list[tuple[str, str, Iterator[str]]]:
    """What the recording rules of some groups would have left: a constant at their interval.

    How many samples a rule reads depends on when they were recorded, not on what they say.
    """
    series: dict[str, list[tuple[Mapping[str, str], int, int]]] = {}
    for group, rule in recordings(found):
        if rule.record not in _NOT_WRITTEN:
            seconds = period if rule.record in _KEPT_LONG else _HOURS * 3600
            series.setdefault(rule.record, []).append((rule.labels, int(group.interval), seconds))
    return [(name, "gauge", _constant(name, all_of, end, value)) for name, all_of in series.items()]


def _constant(
    name: str, series: Sequence[tuple[Mapping[str, str], int, int]], end: int, value: float
) -> Iterator[str]:
    for labels, step, seconds in series:
        first = end - seconds // step * step
        yield _lines(
            selector(name, labels), [f" {value} {at}\n" for at in range(first, end + 1, step)]
        )


def _lines(head: str, tails: Sequence[str]) -> str:
    return head + head.join(tails)
