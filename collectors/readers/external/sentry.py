"""Sentry: events, spans, logs and sessions, counted by its own interval.

A query is ``DATASET: AGGREGATE``, or ``DATASET: AGGREGATE where SEARCH`` with a search in Sentry's
own language. The dataset says which endpoint is asked: spans, logs, uptime results and profile
functions have ``events-timeseries``, errors and transactions ``events-stats``, and the sessions
of release health their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from collectors.readers.external.asking import Remaining, coarser, in_one_unit
from collectors.readers.external.filling import Filling, in_parts, shaped
from collectors.readers.external.http import Web, moment_in, secret
from collectors.readers.external.port import Adapter, Counted, Steps
from collectors.readers.prometheus.answers import milliseconds
from collectors.readers.prometheus.clock import Clock
from slo.errors import QueryRejected, SourceUnavailable
from slo.records import dataclass
from slo.workspace import ExternalSource

_DEFAULT_URL = "https://sentry.io"
_FORM = re.compile(r"(?s)\s*(\w+)\s*:\s*(.+?)(?:\s+where\s+(.+?))?\s*")
_ENDPOINTS = {
    "spans": "events-timeseries",
    "logs": "events-timeseries",
    "uptime_results": "events-timeseries",
    "profile_functions": "events-timeseries",
    "errors": "events-stats",
    "transactions": "events-stats",
    "sessions": "sessions",
}
# Sentry gives 10,000 points for errors, and 1,000 of spans and sessions.
_MOST_STEPS = 1000

_Point = tuple[int, object]
_Reader = Callable[[Mapping[str, Any], str, Filling], Iterator[_Point]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A query taken apart."""

    dataset: str
    aggregate: str
    search: str


def open_sentry(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> Adapter:
    """Return the adapter of one organisation; raises ``SourceUnavailable`` where it has no name."""
    return Sentry(source, environ, clock)


class Sentry:
    """One organisation; its token is read anew for each request."""

    def __init__(self, source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> None:
        def headers() -> Mapping[str, str]:
            token = secret(source, "tokenFile", "SENTRY_AUTH_TOKEN", environ)
            return {"Authorization": f"Bearer {token}"}

        organization = source.settings.get("organization", "").strip()
        if not organization:
            raise SourceUnavailable(
                f"{source.reference}: no organization is given",
                source=source.reference,
                hint="name the organization as in the address of its pages",
            )
        self._source = source
        self._clock = clock
        self._organization = quote(organization, safe="")
        self._web = Web(
            source,
            headers=headers,
            clock=clock,
            default_url=_DEFAULT_URL,
            pause=moment_in("X-Sentry-Rate-Limit-Reset"),
        )

    @property
    def reference(self) -> str:
        """The source's reference, such as ``sentry/main``."""
        return self._source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query counts in each step; raises ``SourceError``."""
        wanted = self._wanted(query)
        left = Remaining(self._clock, within, self.reference)
        return in_parts(steps, _MOST_STEPS, lambda part: self._part(wanted, part, left))

    def _wanted(self, query: str) -> Wanted:
        match = _FORM.fullmatch(query)
        if match is None or match[1] not in _ENDPOINTS:
            raise QueryRejected(
                f"{self.reference}: the query does not begin with a dataset that can be counted",
                source=self.reference,
                hint=f"write 'spans: count() where …', with one of {', '.join(_ENDPOINTS)}",
            )
        return Wanted(dataset=match[1], aggregate=match[2], search=match[3] or "")

    def _part(self, wanted: Wanted, steps: Steps, left: Remaining) -> Counted:
        endpoint = _ENDPOINTS[wanted.dataset]
        path = f"/api/0/organizations/{self._organization}/{endpoint}/"
        # A project is named once for each: what a mapping of parameters cannot say.
        address = f"{path}?{urlencode(_params(wanted, steps, self._projects()))}"
        answer = self._web.ask("GET", address, within=left.seconds())
        filling = Filling(steps, self.reference)
        with shaped(self.reference, f"Sentry's {endpoint}"):
            if not isinstance(answer.body, Mapping):
                raise TypeError(answer.body)
            points = list(_READERS[endpoint](answer.body, wanted.aggregate, filling))
            self._fill(points, steps, filling)
        return filling.counted()

    def _fill(self, points: list[_Point], steps: Steps, filling: Filling) -> None:
        for at, value in points:
            filling.add(at, value)
        # Where an interval is none of its own, Sentry takes another and says nothing. It fills
        # what is empty with zeros, so two of its steps stand one step apart.
        moments = {at for at, _ in points}
        alone = len(moments) == 1 and steps.count > 1
        if alone or coarser(moments, steps.step, fewest=2):
            raise QueryRejected(
                f"{self.reference}: Sentry answered in longer steps than {steps.step}",
                source=self.reference,
                hint="does this dataset have so short an interval?",
            )

    def _projects(self) -> tuple[str, ...]:
        named = self._source.settings.get("project", "").split(",")
        return tuple(each.strip() for each in named if each.strip())


def _params(wanted: Wanted, steps: Steps, projects: tuple[str, ...]) -> list[tuple[str, str]]:
    names = [each for each in projects if not each.isdigit()]
    # By number where all are numbers; the search knows them by their names.
    numbers = ["-1"] if names or not projects else projects
    search = wanted.search
    if names:
        own = f"project:[{','.join(projects)}]"
        search = f"{own} ({search})" if search else own
    end = steps.start + timedelta(milliseconds=steps.end_ms - steps.start_ms)
    common = [
        ("start", _moment(steps.start)),
        ("end", _moment(end)),
        ("interval", in_one_unit(steps.step)),
        *(("project", each) for each in numbers),
        *([("query", search)] if search else []),
    ]
    if wanted.dataset == "sessions":
        return [*common, ("field", wanted.aggregate), ("includeTotals", "0")]
    return [*common, ("dataset", wanted.dataset), ("yAxis", wanted.aggregate)]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}"


def _timeseries(body: Mapping[str, Any], _: str, filling: Filling) -> Iterator[_Point]:
    for series in body["timeSeries"]:
        if series["meta"].get("dataScanned") == "partial":
            filling.lack("Sentry looked at a part of its data only")
        for row in series["values"]:
            rate = row.get("sampleRate")
            if rate is not None and rate < 1:
                filling.lack("Sentry's numbers are estimates: it holds a sample of what was sent")
            if row.get("incomplete"):
                filling.lack("the newest steps are not complete yet: raise the source's lag")
            yield round(row["timestamp"]), row["value"]


def _stats(body: Mapping[str, Any], _: str, filling: Filling) -> Iterator[_Point]:
    meta = body.get("meta") or {}
    if meta.get("dataScanned") == "partial":
        filling.lack("Sentry looked at a part of its data only")
    for seconds, rows in body["data"]:
        for row in rows:
            yield round(seconds * 1000), row["count"]


def _sessions(body: Mapping[str, Any], aggregate: str, _: Filling) -> Iterator[_Point]:
    moments = [milliseconds(datetime.fromisoformat(each)) for each in body["intervals"]]
    for group in body["groups"]:
        yield from zip(moments, group["series"][aggregate], strict=True)


_READERS: Mapping[str, _Reader] = {
    "events-timeseries": _timeseries,
    "events-stats": _stats,
    "sessions": _sessions,
}
