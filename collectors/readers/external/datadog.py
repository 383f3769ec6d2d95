"""Counts out of Datadog's metrics: ``POST /api/v2/query/timeseries``.

A query is what a graph's editor shows: metric queries with arithmetic and functions around them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collectors.readers.external.filling import Filling, in_parts, shaped
from collectors.readers.external.http import Web, seconds_in, secret
from collectors.readers.external.port import Counted, Steps
from collectors.readers.external.refusals import words_of
from collectors.readers.prometheus.clock import Clock
from slo.errors import QueryRejected
from slo.workspace import ExternalSource

_URL = "https://api.datadoghq.com"
_PATH = "/api/v2/query/timeseries"
_STEPS_AT_ONCE = 1000
"""Beyond 1,500 points Datadog answers with longer steps than asked."""

_TERM = re.compile(
    r"(?<![\w.])[a-z][a-z0-9]*:[A-Za-z][\w.]*\{[^{}]*\}"  # sum:a.metric{a:filter}
    r"(?:\s+by\s*\{[^{}]*\})?"
    r"(?:\.[a-z_]+\([^()]*\))*"  # .as_count() and such
)
_OWN_STEP = re.compile(r"\.\s*rollup\s*\([^()]*\d[^()]*\)|\bmoving_rollup\s*\(")


def open_datadog(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> Datadog:
    """Return the adapter of a Datadog organisation; nothing is sent yet."""

    def headers() -> Mapping[str, str]:
        return {
            "DD-API-KEY": secret(source, "apiKeyFile", "DD_API_KEY", environ),
            "DD-APPLICATION-KEY": secret(source, "applicationKeyFile", "DD_APP_KEY", environ),
        }

    pause = seconds_in("X-RateLimit-Reset")
    return Datadog(Web(source, headers=headers, clock=clock, default_url=_URL, pause=pause))


class Datadog:
    """An ``Adapter`` over one Datadog organisation."""

    def __init__(self, web: Web) -> None:
        self._web = web

    @property
    def reference(self) -> str:
        """The source's reference."""
        return self._web.source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query counts in each step; several series are added up."""
        if _OWN_STEP.search(query):
            raise QueryRejected(
                f"{self.reference}: the query says itself how long a step is",
                source=self.reference,
                hint="leave the interval out of .rollup(…): Headroom asks for one",
            )
        end = self._web.clock.monotonic() + within

        def ask(part: Steps) -> Counted:
            return self._part(query, part, end - self._web.clock.monotonic())

        return in_parts(steps, _STEPS_AT_ONCE, ask)

    def _part(self, query: str, steps: Steps, within: float) -> Counted:
        body = self._web.ask("POST", _PATH, within=within, json=_request(query, steps)).body
        filling = Filling(steps, self.reference)
        with shaped(self.reference, "Datadog's timeseries"):
            data, words = _parts(body)
            if words and not data:
                raise QueryRejected(
                    f"{self.reference}: Datadog refused the query: {self._web.quote(words)}",
                    source=self.reference,
                )
            if words:
                filling.lack(f"Datadog says: {self._web.quote(words)}")
            times = data.get("times") or []
            for series in data.get("values") or []:
                for at, value in zip(times, series, strict=True):
                    filling.add(at, value)
        return filling.counted()


def _request(query: str, steps: Steps) -> Mapping[str, object]:
    """The request for one formula: each metric query is named, what stands around them stays."""
    terms: list[str] = []

    def name(match: re.Match[str]) -> str:
        terms.append(match[0])
        return f"query{len(terms)}"

    formula = _TERM.sub(name, query.strip())
    if not terms:
        # Datadog itself says best what is wrong with it.
        terms, formula = [query.strip()], "query1"
    queries = [
        {"data_source": "metrics", "name": f"query{place}", "query": term}
        for place, term in enumerate(terms, start=1)
    ]
    attributes = {
        "formulas": [{"formula": formula}],
        "from": steps.start_ms,
        "interval": steps.step.milliseconds,
        "queries": queries,
        "to": steps.end_ms,
    }
    return {"data": {"attributes": attributes, "type": "timeseries_request"}}


def _parts(body: object) -> tuple[Mapping[str, Any], str]:
    """The attributes of an answer, empty if it has none, and what it says of errors."""
    if not isinstance(body, Mapping):
        raise TypeError(body)
    words = words_of(body.get("errors"))
    data = body.get("data")
    if data is None and words:
        return {}, words
    attributes = body["data"]["attributes"]
    if not isinstance(attributes, Mapping):
        raise TypeError(attributes)
    return attributes, words
