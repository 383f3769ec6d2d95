"""SLOs as they are proposed, and the app files that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from app.scaffold.names import LONGEST, sanitized, unused
from app.scaffold.texts import quoted
from slo.printable import printable
from slo.promql import Matcher
from slo.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Owner:
    """Whose requests they are: a name, perhaps a namespace, and the labels that say so."""

    name: str
    space: str
    labels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, by: Sequence[str], values: Sequence[str]) -> Self:
        """Return the owner for labels of which the last holds the name."""
        pairs = tuple((label, value) for label, value in zip(by, values, strict=True) if value)
        space = values[0] if len(values) > 1 else ""
        return cls(name=values[-1], space=space, labels=pairs)

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The labels as conditions of a selector."""
        return tuple(Matcher(name=name, value=value) for name, value in self.labels)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloProposal:
    """An SLO that was measured. ``kind`` is availability, latency or probe.

    ``indicator`` holds text, numbers and lists; ``traffic`` is how much was counted.
    """

    owner: Owner
    kind: str
    family: str
    objective: str
    traffic: Fraction
    comments: tuple[str, ...]
    indicator: Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppProposal:
    """An app with its SLOs and the text of its file."""

    name: str
    owner: Owner
    slos: tuple[SloProposal, ...]
    text: str

    @property
    def path(self) -> str:
        """Where the file belongs in a workspace."""
        return f"apps/{self.name}.yaml"


def measured(
    window: Duration, total: Fraction, bad: Fraction, unit: str, good: str, objective: str
) -> str:
    """Return what was measured and what follows, in one sentence; the share is cut."""
    cut = int((1 - bad / total) * 1_000_000)
    text = f"{cut // 10_000}.{cut % 10_000:04d}".rstrip("0").rstrip(".")
    return f"Last {window}: {int(total):,} {unit}, {text} % {good}; proposed {objective}."


def app_proposals(
    slos: Mapping[Owner, Sequence[SloProposal]], seen_at: str
) -> tuple[AppProposal, ...]:
    """Return one app for each owner, named apart; ``seen_at`` says where and when, for people."""
    used: set[str] = set()
    found = []
    for owner in sorted(slos, key=lambda each: (sanitized(each.name), each)):
        own = tuple(slos[owner])
        joined = f"{owner.space}-{owner.name}" if owner.space else f"{owner.name}-{own[0].family}"
        name = unused([owner.name, joined], used)
        used.add(name)
        text = "\n".join(_app_lines(name, owner, own, seen_at)) + "\n"
        found.append(AppProposal(name=name, owner=owner, slos=own, text=text))
    return tuple(found)


def _app_lines(name: str, owner: Owner, slos: Sequence[SloProposal], seen_at: str) -> Iterator[str]:
    yield f"# Proposed by headroom init for {printable(str(owner))},"
    yield f"# from what {printable(seen_at)}."
    yield "# A day tells little: look through the queries and objectives before anything alerts."
    yield "apiVersion: headroom/v1"
    yield "kind: App"
    yield "metadata:"
    yield f"  name: {quoted(name)}"
    yield "  team: unassigned      # who answers for it?"
    yield "spec:"
    yield "  slos:"
    used: set[str] = set()
    for slo in slos:
        title = unused(_slo_names(slo, slos), used)
        used.add(title)
        yield from _slo_lines(title, slo)


def _slo_names(slo: SloProposal, slos: Iterable[SloProposal]) -> list[str]:
    if slo.kind == "probe":
        several = sum(each.kind == "probe" for each in slos) > 1
        text = f"probe-{sanitized(slo.family.partition('://')[2] or slo.family)}"
        return [text[:LONGEST] if several else "probe"]
    return [slo.kind, f"{slo.family}-{slo.kind}"]


def _slo_lines(name: str, slo: SloProposal) -> Iterator[str]:
    for comment in slo.comments:
        yield f"    # {printable(comment)}"
    yield f"    - name: {quoted(name)}"
    yield f"      objective: {slo.objective}"
    yield "      indicator:"
    for key, value in slo.indicator.items():
        if isinstance(value, str):
            yield f"        {key}: {quoted(value)}"
            continue
        yield f"        {key}:"
        for inner, text in value.items():
            yield f"          {inner}: {text if inner in _PLAIN else quoted(text)}"


_PLAIN = frozenset({"threshold", "buckets", "unit"})
"""Keys whose values are made here, out of numbers and words of ours."""
