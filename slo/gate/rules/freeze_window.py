"""The rule ``freeze_window``: no deploys between two moments of a calendar.

A day belongs to its own time zone: from its first instant there to the first of the day after,
however long clock changes make it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import ClassVar

from slo.gate.facts import Facts
from slo.gate.findings import Change, Finding, Outcome
from slo.gate.numbers import instant
from slo.gate.policy import GatePolicy, Rule
from slo.gate.rules._common import EFFECT, ID
from slo.printable import quote
from slo.problems import Problem, error
from slo.records import dataclass
from slo.shape import Field, Fields, ListOf, Record, Text
from slo.suggest import did_you_mean

TYPE = "freeze_window"

_WHEN = Text(
    pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?",
    form="a date such as 2026-12-20 or a time such as 2026-12-20T18:00",
    max_length=25,
)

SHAPE = Record(
    description="Stop deploys between two moments.",
    fields={
        "id": ID,
        "windows": Field(
            shape=ListOf(
                shape=Record(
                    fields={
                        "from": Field(
                            shape=_WHEN, required=True, description="The first day, or a time."
                        ),
                        "to": Field(
                            shape=_WHEN,
                            required=True,
                            description="The last day, which is frozen too, or a time.",
                        ),
                        "timezone": Field(
                            shape=Text(
                                pattern=r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}",
                                form="a time zone such as Europe/Rome",
                                max_length=64,
                            ),
                            required=True,
                            description="The zone of the days and times, such as Europe/Rome.",
                        ),
                        "reason": Field(shape=Text(max_length=200), description="Why."),
                    }
                ),
                min_items=1,
            ),
            required=True,
            description="The windows; a deploy is stopped in any of them.",
        ),
        "effect": EFFECT,
    },
)

_YEARS = range(1970, 2200)
# Names that depend on the machine, or on how its time zones were built.
_LOCAL_NAMES = re.compile(r"localtime|posixrules|Factory|(?:posix|right)/.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindow:
    """A window as written, and as the instants from ``start`` up to, not including, ``end``."""

    from_: str
    to: str
    timezone: str
    start: datetime
    end: datetime
    reason: str | None = None

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies inside."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindowRule(Rule):
    """Fails inside any of its windows."""

    type: ClassVar[str] = TYPE

    freezes: tuple[FreezeWindow, ...]

    def judge(self, facts: Facts, policy: GatePolicy) -> tuple[Finding, ...]:
        """One finding for the calendar."""
        del policy
        holding = [window for window in self.freezes if window.holds(facts.at)]
        if holding:
            return (self._frozen(holding, facts.at),)
        ahead = sorted((w for w in self.freezes if w.start > facts.at), key=lambda w: w.start)
        following = f"; the next one begins at {instant(ahead[0].start)}" if ahead else ""
        return (Finding(outcome=Outcome.PASS, message=f"no freeze is in force{following}"),)

    def next_turn(self, at: datetime) -> datetime | None:
        """The instant at which the next window begins, or the present freeze ends."""
        if any(window.holds(at) for window in self.freezes):
            return self._thaw(at)
        return min((w.start for w in self.freezes if w.start > at), default=None)

    def _frozen(self, holding: list[FreezeWindow], at: datetime) -> Finding:
        last = max(holding, key=lambda window: window.end)
        why = f": {last.reason}" if last.reason else ""
        end = self._thaw(at)
        return Finding(
            outcome=Outcome.FAIL,
            message=f"deploys are frozen from {last.from_} to {last.to} ({last.timezone}){why}",
            remediation="wait for the end of the freeze",
            change=Change(text=f"the freeze ends at {instant(end)}", data={"end": instant(end)}),
            data={"from": last.from_, "to": last.to, "timezone": last.timezone},
        )

    def _thaw(self, at: datetime) -> datetime:
        """Return the first instant after this one that lies in no window."""
        for window in sorted(self.freezes, key=lambda each: each.start):
            if window.holds(at):
                at = window.end
        return at


def build(fields: Fields, problems: list[Problem]) -> FreezeWindowRule | None:
    """Return the rule that a record describes."""
    windows = [_window(item, problems) for item in fields.each("windows", Fields)]
    found = tuple(window for window in windows if window is not None)
    if len(found) < len(windows):
        return None
    return FreezeWindowRule(
        id=fields.need("id", str),
        only_warns=fields.need("effect", str) == "warn",
        span=fields.span(),
        freezes=found,
    )


def _window(fields: Fields, problems: list[Problem]) -> FreezeWindow | None:
    zone = _zone(fields, problems)
    if zone is None:
        return None
    start, end = (_moment(fields, key, zone, problems) for key in ("from", "to"))
    if start is None or end is None:
        return None
    if end <= start:
        message = "the window ends before it begins"
        related = ((fields.span("from"), "it begins here"),)
        problems.append(error("policy/contradiction", message, fields.span("to"), related=related))
        return None
    return FreezeWindow(
        from_=fields.need("from", str),
        to=fields.need("to", str),
        timezone=fields.need("timezone", str),
        start=start,
        end=end,
        reason=fields.get("reason", str),
    )


def _zone(fields: Fields, problems: list[Problem]) -> tzinfo | None:
    # Imported here: most policies have no calendar, and every gate would wait for it.
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - as said above

    name = fields.need("timezone", str)
    try:
        if not _LOCAL_NAMES.fullmatch(name):
            return ZoneInfo(name)
    # A name that is not in the database, is a folder of it, or cannot be a name.
    except (KeyError, OSError, ValueError):
        pass
    meant = did_you_mean(name, sorted(available_timezones()))
    message = f"unknown time zone {quote(name)}{meant}"
    problems.append(error("policy/unknown-timezone", message, fields.span("timezone")))
    return None


def _moment(fields: Fields, key: str, zone: tzinfo, problems: list[Problem]) -> datetime | None:
    text, last = fields.need(key, str), key == "to"
    try:
        if int(text[:4]) in _YEARS:
            read = _time if "T" in text else _day
            return read(text, zone, last=last).astimezone(UTC)
        cause = f"years from {_YEARS[0]} to {_YEARS[-1]} are taken"
    except (ValueError, OverflowError) as error_:
        cause = str(error_)
    message = f"there is no such time as {quote(text)}"
    problems.append(error("spec/bad-date", message, fields.span(key), hint=cause))
    return None


def _day(text: str, zone: tzinfo, *, last: bool) -> datetime:
    """Return a day's first instant, or the one after its last."""
    day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
    # In a midnight that clocks skip, fold 0 is the instant at which they do.
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _time(text: str, zone: tzinfo, *, last: bool) -> datetime:
    """Return a time of day; where clocks are set, the reading that makes the window longer."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        return found
    readings = [found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(readings) if last else min(readings)
