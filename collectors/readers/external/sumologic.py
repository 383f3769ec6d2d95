"""Sumo Logic: logs by search jobs, metrics by the metrics query API.

The query's beginning says which: ``logs: SEARCH`` or ``metrics: QUERY``. The two are different
languages over different data, and neither can be told from the other by its text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from collectors.readers.external.asking import Remaining, Turns, coarser
from collectors.readers.external.filling import Filling, in_parts, shaped
from collectors.readers.external.http import Web, secret
from collectors.readers.external.port import Adapter, Counted, Steps
from collectors.readers.external.refusals import words_of
from collectors.readers.external.sumologic_jobs import SearchJobs
from collectors.readers.prometheus.clock import Clock
from slo.errors import QueryRejected
from slo.workspace import ExternalSource

_FORM = re.compile(r"(?s)\s*(?:(logs)|metrics(?:\((avg|sum|min|max|count)\))?)\s*:\s*(.+?)\s*")
_METRICS = "/api/v1/metricsQueries"
# Four requests in a second are what the product allows each user.
_APART = 0.25
# A day of five minutes, twelve days of hours: widths that Sumo Logic itself takes for such ranges.
_MOST_STEPS = 288
# Of more time series than these, the API returns the first and says so to people only.
_MOST_SERIES = 1000


def open_sumologic(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> Adapter:
    """Return the adapter of one deployment."""
    return SumoLogic(source, environ, clock)


class SumoLogic:
    """One deployment; its access id and key are read anew for each request."""

    def __init__(self, source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> None:
        def headers() -> Mapping[str, str]:
            name = secret(source, "accessIdFile", "SUMOLOGIC_ACCESSID", environ)
            key = secret(source, "accessKeyFile", "SUMOLOGIC_ACCESSKEY", environ)
            encoded = base64.b64encode(f"{name}:{key}".encode()).decode()
            return {"Authorization": f"Basic {encoded}"}

        def web() -> Web:
            return Web(source, headers=headers, clock=clock)

        self._source = source
        self._clock = clock
        self._new_web = web
        self._web = web()
        self._turns = Turns(clock, apart=_APART)

    @property
    def reference(self) -> str:
        """The source's reference, such as ``sumologic/main``."""
        return self._source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query counts in each step; raises ``SourceError``."""
        match = _FORM.fullmatch(query)
        if match is None:
            raise QueryRejected(
                f"{self.reference}: the query begins with neither 'logs:' nor 'metrics:'",
                source=self.reference,
                hint="write 'logs: _sourceCategory=…' or 'metrics: metric=… | sum'",
            )
        logs, rollup, text = match.groups()
        left = Remaining(self._clock, within, self.reference)
        if logs:
            # The cookies of one job must not be sent with another, which runs elsewhere.
            return SearchJobs(self._new_web(), self._turns, left).count(text, steps)
        summary = (rollup or "sum").capitalize()
        return in_parts(steps, _MOST_STEPS, lambda part: self._metrics(text, summary, part, left))

    def _metrics(self, query: str, rollup: str, steps: Steps, left: Remaining) -> Counted:
        asked = _asked(query, rollup, steps)
        self._turns.take()
        answer = self._web.ask("POST", _METRICS, within=left.seconds(), json=asked)
        filling = Filling(steps, self.reference)
        with shaped(self.reference, "Sumo Logic's metrics queries"):
            if not isinstance(answer.body, Mapping):
                raise TypeError(answer.body)
            self._read(answer.body, steps, filling)
        return filling.counted()

    def _read(self, body: Mapping[str, Any], steps: Steps, filling: Filling) -> None:
        found = [each for row in body["queryResult"] for each in _series(row)]
        failed = body.get("errors")
        if failed:
            said = self._web.quote(words_of(failed)) or "no reason"
            if not found:
                raise QueryRejected(
                    f"{self.reference}: Sumo Logic refused the query: {said}",
                    source=self.reference,
                )
            filling.lack(f"Sumo Logic answered with a part and an error: {said}")
        if len(found) >= _MOST_SERIES:
            filling.lack(f"the answer ends after {_MOST_SERIES} series: aggregate, as with | sum")
        moments: set[int] = set()
        for points in found:
            for at, value in zip(points["timestamps"], points["values"], strict=True):
                moments.add(at)
                filling.add(at, value)
        wide = coarser(moments, steps.step)
        if wide:
            filling.lack(f"its numbers stand {wide} apart: steps may be wider than {steps.step}")


def _asked(query: str, rollup: str, steps: Steps) -> Mapping[str, object]:
    # A delta of counters needs a step before the first; its own number is dropped.
    first = steps.start_ms - steps.step.milliseconds
    return {
        "queries": [
            {
                "rowId": "A",
                "query": query,
                "quantization": steps.step.milliseconds,
                "rollup": rollup,
            }
        ],
        "timeRange": {
            "type": "BeginBoundedTimeRange",
            "from": {"type": "EpochTimeRangeBoundary", "epochMillis": first},
            "to": {"type": "EpochTimeRangeBoundary", "epochMillis": steps.end_ms},
        },
    }


def _series(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each["points"] for each in row["timeSeriesList"]["timeSeries"]]
