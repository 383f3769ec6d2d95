"""Wavefront (VMware Aria Operations for Applications): its query language over the chart API.

A query counts what it adds up in each step: it is put into ``align(STEP, sum, QUERY)``, whose
buckets begin at whole steps since the epoch and are named by their beginnings. A query that needs
another summary, such as a share, says so itself: in it ``$step`` is replaced by the step.
"""

from __future__ import annotations

from collections.abc import Mapping

from collectors.readers.external.asking import STEP, Remaining, in_one_unit
from collectors.readers.external.filling import Filling, in_parts, shaped
from collectors.readers.external.http import Web, secret
from collectors.readers.external.port import Adapter, Counted, Steps
from collectors.readers.prometheus.clock import Clock
from slo.errors import QueryRejected, SourceTimeout
from slo.units import Duration
from slo.workspace import ExternalSource

_PATH = "/api/v2/chart/api"
_GRANULARITIES = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))
_MOST_BUCKETS = 1000
_NO_ERROR = (None, "", "N/A")


def open_wavefront(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> Adapter:
    """Return the adapter of one Wavefront instance."""
    return Wavefront(source, environ, clock)


class Wavefront:
    """One instance; its token is read anew for each request."""

    def __init__(self, source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> None:
        def headers() -> Mapping[str, str]:
            token = secret(source, "tokenFile", "WAVEFRONT_TOKEN", environ)
            return {"Authorization": f"Bearer {token}"}

        self._source = source
        self._clock = clock
        self._web = Web(source, headers=headers, clock=clock)

    @property
    def reference(self) -> str:
        """The source's reference, such as ``wavefront/main``."""
        return self._source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query adds up to in each step; raises ``SourceError``."""
        left = Remaining(self._clock, within, self.reference)
        _, bucket = _granularity(steps.step)
        most = max(1, _MOST_BUCKETS * bucket // steps.step.milliseconds)
        return in_parts(steps, most, lambda part: self._part(query, part, left))

    def _part(self, query: str, steps: Steps, left: Remaining) -> Counted:
        params = _params(query, steps)
        answer = self._web.ask("GET", _PATH, within=left.seconds(), params=params)
        filling = Filling(steps, self.reference)
        with shaped(self.reference, "Wavefront's chart API"):
            self._read(answer.body, steps, filling)
        return filling.counted()

    def _read(self, body: object, steps: Steps, filling: Filling) -> None:
        if not isinstance(body, Mapping) or not {"query", "timeseries", "stats"} & body.keys():
            raise TypeError(body)
        self._check(body, steps)
        if body.get("warnings"):
            filling.lack(f"Wavefront warns: {self._web.quote(str(body['warnings']))}")
        for series in body.get("timeseries") or ():
            for seconds, value in series["data"]:
                filling.add(round(seconds * 1000), value)

    def _check(self, body: Mapping[str, object], steps: Steps) -> None:
        kind = body.get("errorType")
        if kind not in _NO_ERROR:
            said = self._web.quote(str(body.get("errorMessage") or kind))
            if kind == "Timeout":
                raise SourceTimeout(
                    f"{self.reference}: Wavefront gave the query up: {said}",
                    source=self.reference,
                    hint="let it look at fewer series",
                )
            raise QueryRejected(
                f"{self.reference}: Wavefront refused the query ({kind}): {said}",
                source=self.reference,
            )
        seconds = body.get("granularity")
        if isinstance(seconds, int) and seconds * 1000 > steps.step.milliseconds:
            raise QueryRejected(
                f"{self.reference}: Wavefront answered in steps of {seconds} s, "
                f"not of {steps.step}",
                source=self.reference,
                hint="let the query look at fewer series",
            )


def _params(query: str, steps: Steps) -> Mapping[str, str]:
    step = in_one_unit(steps.step)
    asked = query.replace(STEP, step) if STEP in query else f"align({step}, sum, {query})"
    granularity, _ = _granularity(steps.step)
    return {
        "q": asked,
        "s": str(steps.start_ms),
        "e": str(steps.end_ms),
        "g": granularity,
        "strict": "true",
        "summarization": "SUM",
        "i": "false",
        "autoEvents": "false",
        # Series that ended weeks ago belong to a period that covers those weeks.
        "includeObsoleteMetrics": "true",
    }


def _granularity(step: Duration) -> tuple[str, int]:
    """Return the largest unit that steps are made of, by its name and in milliseconds."""
    return next(each for each in _GRANULARITIES if step.milliseconds % each[1] == 0)
