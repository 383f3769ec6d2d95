"""Recorded series as our rules leave them, written down for a real server."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slo import naming
from slo.model import ServiceLevel
from slo.units import Duration

SLOT = 300
FAST = 30


@dataclass(slots=True)
class Recording:
    """Gathers samples and writes them as OpenMetrics; times are Unix seconds."""

    series: dict[str, dict[tuple[tuple[str, str], ...], list[tuple[float, str]]]] = field(
        default_factory=dict
    )

    def add(
        self, name: str, labels: Mapping[str, str], samples: Iterable[tuple[float, float]]
    ) -> None:
        """Add samples of one series."""
        key = tuple(sorted(labels.items()))
        kept = self.series.setdefault(name, {}).setdefault(key, [])
        kept += [(at, repr(float(value))) for at, value in samples]

    def write(self, path: Path) -> None:
        """Write all of it, each series in the order of time."""
        lines = []
        for name, by_labels in self.series.items():
            lines.append(f"# TYPE {name} gauge")
            for key, samples in by_labels.items():
                inside = ",".join(f'{label}="{value}"' for label, value in key)
                lines += [f"{name}{{{inside}}} {value} {at}" for at, value in sorted(samples)]
        path.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Events per second and the share of bad ones, as functions of time."""

    rate: Callable[[float], float] = lambda _: 10.0
    bad: Callable[[float], float] = lambda _: 0.01

    @classmethod
    def steady(cls, rate: float, bad: float = 0.01) -> "Traffic":
        """The same all the time."""
        return cls(rate=lambda _: rate, bad=lambda _: bad)


def record(
    recording: Recording,
    level: ServiceLevel,
    *,
    end: float,
    days: float,
    traffic: Traffic = Traffic(),
    extra: Mapping[str, str] | None = None,
    windows: Sequence[str] = ("5m", "1h", "6h"),
    until: float | None = None,
    without: Sequence[str] = (),
    revision: str | None = None,
    ratios: bool = True,
) -> None:
    """Record a level for some days up to ``end``, or ``until`` earlier.

    Derived series are written for the last half hour only: nobody reads older ones.
    """
    labels = {**naming.identity(level.key), **(extra or {})}
    last = end if until is None else until
    slots = [end - k * SLOT for k in range(int(days * 86400 / SLOT)) if end - k * SLOT <= last]
    fast = [end - k * FAST for k in range(int(7200 / FAST)) if end - k * FAST <= last]
    total = [(at, traffic.rate(at) * SLOT) for at in slots]
    bad = [(at, traffic.rate(at) * SLOT * traffic.bad(at)) for at in slots]
    period = float(level.slo.window.seconds)
    inside = [at for at in slots if at > end - period]
    derived = [at for at in slots if at > last - 1800]
    sums = [sum(value for at, value in pairs if at > end - period) for pairs in (total, bad)]
    info = {
        "team": "bookings",
        "objective": level.slo.objective.text,
        "window": str(level.slo.window),
        "revision": revision or naming.revision(level),
    }
    everything = {
        naming.TOTAL_INCREASE: total,
        naming.BAD_INCREASE: bad,
        naming.TOTAL_RATE: [(at, traffic.rate(at)) for at in fast],
        naming.BAD_RATE: [(at, traffic.rate(at) * traffic.bad(at)) for at in fast],
        naming.LEDGER_SLOT: [(at, 1.0) for at in slots],
        naming.TOTAL_PERIOD: [(at, sums[0]) for at in derived],
        naming.BAD_PERIOD: [(at, sums[1]) for at in derived],
        naming.PERIOD_COVERAGE: [(at, len(inside) / (period / SLOT)) for at in derived],
    }
    for text in windows if ratios and sums[0] else ():
        window = Duration.parse(text)
        since = end - float(window.seconds)
        pair = [sum(v for at, v in pairs if at > since) for pairs in (total, bad)]
        if pair[0]:
            everything[naming.error_ratio(window)] = [(at, pair[1] / pair[0]) for at in derived]
    for name, samples in everything.items():
        if name not in without:
            recording.add(name, labels, samples)
    recording.add(naming.INFO, {**labels, **info}, [(at, 1.0) for at in slots])
