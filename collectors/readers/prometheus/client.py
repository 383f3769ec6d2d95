"""Questions to one Prometheus, each with its time, a deadline, and retries where they may help.

The HTTP stack is loaded with the first question: most commands ask none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from collectors.readers.prometheus.answers import (
    Answer,
    api_time,
    evidence,
    parse,
    warnings_of,
)
from collectors.readers.prometheus.clock import Clock, Deadline, within
from collectors.readers.prometheus.transient import TransientError, timed_out
from slo.errors import AuthenticationFailed
from slo.units import Duration
from slo.workspace import PrometheusSource

if TYPE_CHECKING:
    from prometheus_api_client.prometheus_connect import PrometheusConnect

    from collectors.readers.prometheus.transport import Exchange, Transport

T = TypeVar("T")

POINTS_PER_QUERY = 2000
"""How many evaluations one range query may ask a server for."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 60.0


class PrometheusClient:
    """Asks the server of a source; safe to share between threads.

    ``environ`` is where AWS credentials are looked for, the process's own environment if absent.
    """

    def __init__(
        self,
        source: PrometheusSource,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self.clock = clock or Clock()
        self._environ = environ
        self._transport: Transport | None = None
        self._opening = Lock()

    @property
    def reference(self) -> str:
        """How the workspace names the server."""
        return self.source.reference

    @property
    def replica_labels(self) -> tuple[str, ...]:
        """Labels that tell replicas of the same data apart."""
        return self.source.replica_labels

    @property
    def shard_labels(self) -> tuple[str, ...]:
        """Labels that tell shards apart, whose counts add up."""
        return self.source.shard_labels

    @property
    def most_points(self) -> int:
        """How many evaluations one range query asks for, so that none takes a server long."""
        return POINTS_PER_QUERY

    def deadline(self, length: Duration | None) -> Deadline:
        """Return a deadline that starts to run now."""
        return Deadline(self.clock, length)

    def query(self, query: str, at: datetime, until: Deadline) -> Answer:
        """Evaluate an expression at an instant."""
        params = {"time": api_time(at), "timeout": self._server_timeout(until)}
        return self._ask(
            lambda connect: connect.custom_query(query, params=params),
            until,
            lambda result, exchange: self._answer(query, at, at, result, exchange),
        )

    def query_range(
        self, query: str, start: datetime, end: datetime, step: Duration, until: Deadline
    ) -> Answer:
        """Evaluate an expression from ``start`` to ``end``, both included."""
        # The library rounds to seconds what it is given as times; parameters are sent as they are.
        params = {
            "start": api_time(start),
            "end": api_time(end),
            "timeout": self._server_timeout(until),
        }
        return self._ask(
            lambda connect: connect.custom_query_range(
                query, start, end, str(step.seconds), params=params
            ),
            until,
            lambda result, exchange: self._answer(query, start, end, result, exchange),
        )

    def series(
        self, selector: str, start: datetime, end: datetime, until: Deadline, *, limit: int
    ) -> list[dict[str, str]]:
        """Return the label sets of series with samples in a range; old servers ignore the limit."""
        params = {"match[]": selector, "limit": str(limit)}
        return self._ask(
            lambda connect: connect.get_series(start, end, params=dict(params)),
            until,
            lambda result, _: [each for each in _list(result) if isinstance(each, dict)],
        )

    def label_values(
        self, label: str, matchers: tuple[str, ...], start: datetime, end: datetime, until: Deadline
    ) -> list[str]:
        """Return the values of a label over series that match any of the selectors."""
        params: dict[str, Any] = {"start": api_time(start), "end": api_time(end)}
        if matchers:
            params["match[]"] = list(matchers)
        return self._ask(
            lambda connect: connect.get_label_values(label, params=params),
            until,
            lambda result, _: [str(each) for each in _list(result)],
        )

    def get(
        self, path: str, until: Deadline, params: Mapping[str, str] | None = None
    ) -> tuple[object, Mapping[str, str]]:
        """Return ``data`` and the headers of any other API call, such as ``status/buildinfo``."""
        return self._ask(
            lambda _: self._open().get(path, params or {}),
            until,
            lambda _, exchange: (exchange.envelope.get("data"), exchange.headers),
        )

    def _answer(
        self, query: str, start: datetime, end: datetime, result: object, exchange: Exchange
    ) -> Answer:
        name = self.source.reference
        series = parse(result, name)
        warnings, partial = warnings_of(exchange.envelope)
        return Answer(
            series=series,
            evidence=evidence(name, query, start=start, end=end, result=result),
            warnings=warnings,
            partial=partial,
        )

    def _ask(
        self,
        work: Callable[[PrometheusConnect], object],
        until: Deadline,
        read: Callable[[object, Exchange], T],
    ) -> T:
        pause, renewed = _FIRST_PAUSE, False
        attempt = 0
        while True:
            try:
                return self._attempt(work, until, read)
            except AuthenticationFailed:
                # A kept token may have been revoked before its time: once, with a new one.
                if renewed or not self._open().credentials.forget():
                    raise
                renewed = True
            except TransientError as failure:
                wait = pause * (0.5 + self.clock.jitter())
                if failure.after is not None:
                    wait = max(wait, failure.after)
                attempt += 1
                if attempt > self.source.retries or wait >= min(until.remaining(), _LONGEST_PAUSE):
                    raise failure.error from failure.__cause__
                self.clock.sleep(wait)
                pause *= 2

    def _attempt(
        self,
        work: Callable[[PrometheusConnect], object],
        until: Deadline,
        read: Callable[[object, Exchange], T],
    ) -> T:
        seconds = self._seconds(until)
        try:
            # Reading a large answer takes its time as well: all of it is within the limit.
            return within(seconds, lambda: read(*self._open().exchange(work)))
        except TimeoutError:
            raise timed_out(self.source.reference, seconds) from None

    def _open(self) -> Transport:
        with self._opening:
            if self._transport is None:
                from collectors.readers.prometheus.transport import (  # noqa: PLC0415 - loads requests
                    Transport,
                )

                environ = os.environ if self._environ is None else self._environ
                self._transport = Transport(self.source, self.clock, environ)
            return self._transport

    def _seconds(self, until: Deadline) -> float:
        return min(float(self.source.timeout.seconds), until.remaining())

    def _server_timeout(self, until: Deadline) -> str:
        # Sent along so that the server stops working for nobody.
        return f"{max(1, round(self._seconds(until) * 1000))}ms"


def _list(result: object) -> list[Any]:
    # The API answers null where nothing matches.
    return result if isinstance(result, list) else []
