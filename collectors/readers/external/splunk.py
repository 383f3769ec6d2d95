"""Counts out of Splunk: searches by ``search/v2/jobs/export``, which answers in lines of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from urllib.parse import quote

from collectors.readers.external.filling import Filling, exact, shaped
from collectors.readers.external.http import Web, secret
from collectors.readers.external.port import Counted, Steps
from collectors.readers.prometheus.clock import Clock
from slo.errors import QueryRejected
from slo.workspace import ExternalSource

_ENDPOINT = "search/v2/jobs/export"
_SPAN = "$span"
_AT = "headroom_at"
"""The column of Unix seconds: Splunk writes ``_time`` in the zone of the token's user."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|```.*?```', re.DOTALL)
_OWN_TIME = re.compile(r"\b(?:_index_)?(?:earliest|latest)\s*=", re.IGNORECASE)
_OWN_STEPS = re.compile(
    r"\|\s*(?:stats|chart|timechart|mstats|tstats|bin|bucket|top|rare)\b", re.IGNORECASE
)
_GENERATES = re.compile(r"\s*(?:\||search\b)", re.IGNORECASE)


def open_splunk(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> Splunk:
    """Return the adapter of a Splunk deployment's management port; nothing is sent yet."""

    def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret(source, 'tokenFile', 'SPLUNK_TOKEN', environ)}"}

    app = source.settings.get("app")
    space = f"/servicesNS/nobody/{quote(app, safe='')}" if app else "/services"
    return Splunk(Web(source, headers=headers, clock=clock), path=f"{space}/{_ENDPOINT}")


class Splunk:
    """An ``Adapter`` over one Splunk deployment."""

    def __init__(self, web: Web, *, path: str) -> None:
        self._web = web
        self._path = path

    @property
    def reference(self) -> str:
        """The source's reference."""
        return self._web.source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a search counts in each step; rows of the same step are added up."""
        form = {
            "search": self._search(query, steps),
            "earliest_time": _seconds(steps.start_ms),
            "latest_time": _seconds(steps.end_ms),
            "output_mode": "json",
            "preview": "false",
            "count": "0",
        }
        lines = self._web.ask("POST", self._path, within=within, form=form, lines=True).body
        with shaped(self.reference, "a search's export"):
            assert isinstance(lines, list), "lines were asked for"
            return self._read([each for each in lines if each.get("preview") is not True], steps)

    def _search(self, query: str, steps: Steps) -> str:
        """The whole search: the query, split into steps, with the moment of each as a number."""
        bare = _QUOTED.sub('""', query)
        if _OWN_TIME.search(bare):
            raise self._refused(
                "the search has an earliest or latest of its own",
                "leave them out: Headroom says which time it asks for",
            )
        span = f"{steps.step.milliseconds // 1000}s"
        search = query if _GENERATES.match(query) else f"search {query}"
        if _SPAN in query:
            search = search.replace(_SPAN, span)
        elif _OWN_STEPS.search(bare):
            raise self._refused(
                "the search puts its events together without Headroom's steps",
                f"write span={_SPAN}, as in: | bin _time span={_SPAN} | stats … BY _time",
            )
        else:
            search = f"{search}\n| bin _time span={span}\n| stats count BY _time"
        return f"{search}\n| eval {_AT}=_time"

    def _read(self, lines: list[Mapping[str, object]], steps: Steps) -> Counted:
        rows = [row for line in lines for row in _rows(line)]
        filling = Filling(steps, self.reference)
        for kind, words in _messages(lines):
            said = self._web.quote(words)
            if kind == "FATAL" or (kind == "ERROR" and not rows):
                raise QueryRejected(
                    f"{self.reference}: Splunk refused the search: {said}", source=self.reference
                )
            filling.lack(f"Splunk says: {said}")
        if not any(line.get("lastrow") is True for line in lines):
            filling.lack("Splunk's answer has no last row")
        for row in rows:
            at = exact(row.get(_AT))
            if at is None:
                raise self._refused(
                    "the search's rows have no _time",
                    f"keep _time: | bin _time span={_SPAN} | stats … BY _time",
                )
            filling.add(int(at * 1000), self._number(row))
        return filling.counted()

    def _number(self, row: Mapping[str, object]) -> Decimal | str | None:
        columns = {
            name: value
            for name, value in row.items()
            if name != _AT and not name.startswith("_") and value not in (None, "")
        }
        if not columns:
            return None
        (value, *more) = columns.values()
        if more or not isinstance(value, Decimal | str | int) or exact(value) is None:
            raise self._refused(
                f"a row of the search is not one number: {self._web.quote(', '.join(columns))}",
                "end the search with | fields _time NAME, where NAME is the number",
            )
        return value if isinstance(value, Decimal | str) else Decimal(value)

    def _refused(self, what: str, hint: str) -> QueryRejected:
        return QueryRejected(f"{self.reference}: {what}", source=self.reference, hint=hint)


def _rows(line: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for each in (line.get("result"), *_list(line.get("results"))):
        if isinstance(each, Mapping):
            yield each


def _messages(lines: list[Mapping[str, object]]) -> Iterator[tuple[str, str]]:
    """What Splunk says besides the results, unless it is only told for information."""
    for line in lines:
        for each in _list(line.get("messages")):
            kind = str(each["type"]).upper()
            if kind in {"WARN", "ERROR", "FATAL"}:
                yield kind, str(each.get("text") or "no reason")


def _list(value: object) -> list[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def _seconds(milliseconds: int) -> str:
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}"
