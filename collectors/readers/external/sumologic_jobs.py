"""Sumo Logic's search jobs: made, watched, read page by page, and deleted.

Cookies of the first answer belong to the requests that follow; the session of ``Web`` keeps them,
so each job has one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from collectors.readers.external.asking import STEP, Remaining, Turns, in_one_unit
from collectors.readers.external.filling import Filling, shaped
from collectors.readers.external.http import Answer, Web
from collectors.readers.external.port import Counted, Steps
from slo.errors import QueryRejected, SourceError, SourceUnavailable

_JOBS = "/api/v1/search/jobs"
_PRODUCT = "Sumo Logic's search jobs"
_PAGE = 10_000
_MOST_RECORDS = 100_000
_DELETION = 2.0
_FIRST_PAUSE = 0.5
# A job that nobody asks after for half a minute is cancelled.
_LONGEST_PAUSE = 5.0

_SLICE = "_timeslice"
_SLICED = re.compile(r"\|\s*timeslice\b", re.IGNORECASE)
_NUMERIC = frozenset({"int", "long", "float", "double", "number"})
_DONE = "DONE GATHERING RESULTS"
_RUNNING = frozenset({"NOT STARTED", "GATHERING RESULTS"})


class SearchJobs:
    """Counts log messages of one deployment, within the seconds that are left."""

    def __init__(self, web: Web, turns: Turns, left: Remaining) -> None:
        self._web = web
        self._turns = turns
        self._left = left
        self._source = web.source.reference

    def count(self, search: str, steps: Steps) -> Counted:
        """Return what a search counts in each step; raises ``SourceError``.

        A search without ``$step`` counts its messages. In another, ``$step`` is replaced by the
        step, and it must group by ``_timeslice``.
        """
        filling = Filling(steps, self._source)
        job = self._made(self._sliced(search, steps), steps)
        try:
            records = self._watched(job, filling)
            with shaped(self._source, _PRODUCT):
                for at, value in self._records(job, records, filling):
                    filling.add(at, value)
        finally:
            # What is left undeleted ends by itself, and says nothing about the numbers. A job
            # whose time is over is the one that should not go on: so this has its own.
            with suppress(SourceError):
                self._turns.take()
                self._web.ask("DELETE", job, within=_DELETION)
        return filling.counted()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        self._turns.take()
        return self._web.ask(method, path, within=self._left.seconds(), params=params, json=json)

    def _sliced(self, search: str, steps: Steps) -> str:
        step = in_one_unit(steps.step)
        if STEP in search:
            return search.replace(STEP, step)
        if _SLICED.search(search):
            raise QueryRejected(
                f"{self._source}: the search slices time by itself",
                source=self._source,
                hint="write '| timeslice $step', or leave timeslice and count out",
            )
        return f"{search} | timeslice {step} | count by {_SLICE}"

    def _made(self, search: str, steps: Steps) -> str:
        asked = {
            "query": search,
            "from": str(steps.start_ms),
            "to": str(steps.end_ms),
            # Slices begin at whole hours of this zone.
            "timeZone": "UTC",
        }
        answer = self._ask("POST", _JOBS, json=asked)
        with shaped(self._source, _PRODUCT):
            number = _mapping(answer.body)["id"]
            return f"{_JOBS}/{quote(str(number), safe='')}"

    def _watched(self, job: str, filling: Filling) -> int:
        """Wait for the end of a job; returns how many records it has made."""
        pause = _FIRST_PAUSE
        while True:
            answer = self._ask("GET", job)
            with shaped(self._source, _PRODUCT):
                status = _mapping(answer.body)
                state, errors = status["state"], status.get("pendingErrors") or ()
                # Both are told once: the next status holds only what is new.
                for warning in status.get("pendingWarnings") or ():
                    filling.lack(f"Sumo Logic warns: {self._web.quote(str(warning))}")
            if errors:
                raise QueryRejected(
                    f"{self._source}: the search failed: {self._web.quote(str(errors[0]))}",
                    source=self._source,
                )
            if state == _DONE:
                with shaped(self._source, _PRODUCT):
                    return int(status["recordCount"])
            self._check(state)
            if pause >= self._left.seconds():
                raise self._left.over()
            self._web.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _check(self, state: object) -> None:
        if state not in _RUNNING:
            raise SourceUnavailable(
                f"{self._source}: the search ended early: {self._web.quote(str(state))}",
                source=self._source,
                hint="was it cancelled, or does it count nothing?",
            )

    def _records(self, job: str, expected: int, filling: Filling) -> Iterator[tuple[int, object]]:
        if expected > _MOST_RECORDS:
            raise QueryRejected(
                f"{self._source}: the search makes {expected} records, more than {_MOST_RECORDS}",
                source=self._source,
                hint="group by _timeslice alone",
            )
        place = 0
        while place < expected:
            params = {"offset": str(place), "limit": str(min(_PAGE, expected - place))}
            answer = self._ask("GET", f"{job}/records", params=params)
            page = _mapping(answer.body)
            records = page["records"]
            if not records:
                filling.lack(f"{expected - place} of {expected} records did not come")
                return
            column = self._column(page["fields"])
            for record in records:
                yield int(record["map"][_SLICE]), record["map"].get(column)
            place += len(records)

    def _column(self, fields: list[Mapping[str, Any]]) -> str:
        names = [each["name"] for each in fields]
        numbers = [
            each["name"]
            for each in fields
            if not each["keyField"]
            and each["fieldType"].lower() in _NUMERIC
            and not each["name"].startswith((_SLICE, f"_{_SLICE}"))
        ]
        if _SLICE in names and len(numbers) == 1:
            return str(numbers[0])
        raise QueryRejected(
            f"{self._source}: the search gives {self._web.quote(', '.join(names))}, "
            "not one number for each _timeslice",
            source=self._source,
            hint="end it with '| timeslice $step | count by _timeslice' or one sum by it",
        )


def _mapping(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise TypeError(body)
    return body
