"""Counts out of CloudWatch: GetMetricData with an expression, through boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collectors.readers.external.cloudwatch_access import Access
from collectors.readers.external.filling import Filling, in_parts, shaped
from collectors.readers.external.port import Counted, Steps
from collectors.readers.external.refusals import quoted
from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.clock import within as bounded
from collectors.readers.prometheus.transient import timed_out
from slo.errors import AuthenticationFailed, QueryRejected
from slo.workspace import ExternalSource

_PERIOD = "$period"
_STEPS_AT_ONCE = 1000
"""A request gives 100,800 points at most; a search finds up to 100 series."""

_POINTS = 100_800
_MOST_PAGES = 200
_SEARCH = re.compile(r"\bSEARCH\s*\(", re.IGNORECASE)

# A quotient of nothing by nothing: such a step has no number, which says all there is to say.
_NO_QUOTIENT = "ArithmeticError"


def open_cloudwatch(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> CloudWatch:
    """Return the adapter of a region; nothing is sent yet, and boto3 is not loaded."""
    return CloudWatch(Access(source, environ, clock), clock)


class CloudWatch:
    """An ``Adapter`` over one region of one AWS account."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._clock = clock

    @property
    def reference(self) -> str:
        """The source's reference."""
        return self._access.source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what an expression counts in each step; several series are added up.

        boto3 tries again what may pass, as often as the source says.
        """
        if _SEARCH.search(query) and _PERIOD not in query:
            raise QueryRejected(
                f"{self.reference}: the query's SEARCH has a period of its own",
                source=self.reference,
                hint=f"write {_PERIOD} for the period: SEARCH('…', 'Sum', {_PERIOD})",
            )
        end = self._clock.monotonic() + within

        def ask(part: Steps) -> Counted:
            seconds = end - self._clock.monotonic()
            if seconds <= 0:
                raise timed_out(self.reference, within)
            try:
                return bounded(seconds, lambda: self._part(query, part, end))
            except TimeoutError:
                raise timed_out(self.reference, seconds) from None

        return in_parts(steps, _STEPS_AT_ONCE, ask)

    def _part(self, query: str, steps: Steps, end: float) -> Counted:
        pages = _Pages(Filling(steps, self.reference), self.reference)
        request = _request(query, steps)
        for _ in range(_MOST_PAGES):
            # The caller may be gone already: its thread is not told.
            if self._clock.monotonic() >= end:
                raise timed_out(self.reference, 0)
            page = self._access.ask("get_metric_data", request)
            with shaped(self.reference, "GetMetricData"):
                pages.read(page)
            token = page.get("NextToken")
            if not token:
                return pages.counted()
            request = {**request, "NextToken": token}
        raise QueryRejected(
            f"{self.reference}: the answer has more than {_MOST_PAGES} pages",
            source=self.reference,
            hint="let the expression add up its series, as in SUM(SEARCH(…))",
        )


class _Pages:
    """The pages of one answer: later ones complete series that earlier ones began."""

    def __init__(self, filling: Filling, source: str) -> None:
        self._filling = filling
        self._source = source
        self._unfinished: dict[str, str] = {}

    def read(self, page: Mapping[str, Any]) -> None:
        """Take in a page."""
        self._told(page)
        # botocore reads what is no JSON at all as an answer without any member.
        for result in page["MetricDataResults"]:
            self._told(result)
            label, status = str(result.get("Label", "")), result.get("StatusCode", "Complete")
            if status == "Forbidden":
                raise AuthenticationFailed(
                    f"{self._source}: CloudWatch refuses to show {quoted(label)}",
                    source=self._source,
                    hint="give these credentials cloudwatch:GetMetricData in that account",
                )
            if status == "Complete":
                self._unfinished.pop(label, None)
            else:
                self._unfinished[label] = str(status)
            points = zip(result.get("Timestamps") or [], result.get("Values") or [], strict=True)
            for at, value in points:
                self._filling.add(_moment(at), value)

    def counted(self) -> Counted:
        """Return what all pages hold."""
        for label, status in self._unfinished.items():
            self._filling.lack(f"CloudWatch says {status} of {quoted(label) or 'a series'}")
        return self._filling.counted()

    def _told(self, holder: Mapping[str, Any]) -> None:
        for each in holder.get("Messages") or []:
            code = str(each.get("Code", ""))
            if code != _NO_QUOTIENT:
                words = f"{code}: {each.get('Value', '')}"
                self._filling.lack(f"CloudWatch says: {quoted(words)}")


def _request(query: str, steps: Steps) -> Mapping[str, object]:
    seconds = steps.step.milliseconds // 1000
    expression = {
        "Id": "headroom",
        "Expression": query.replace(_PERIOD, str(seconds)),
        "Period": seconds,
    }
    return {
        "MetricDataQueries": [expression],
        "StartTime": steps.start,
        "EndTime": instant(steps.end_ms),
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": _POINTS,
    }


def _moment(at: object) -> int:
    if not isinstance(at, datetime):
        raise TypeError(at)
    return milliseconds(at)
