"""Counts out of New Relic: NRQL by NerdGraph, whose errors come in answers of HTTP 200."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from collectors.readers.external.filling import Filling, in_parts, misaligned, shaped
from collectors.readers.external.http import Web, secret
from collectors.readers.external.port import Counted, Steps
from collectors.readers.external.refusals import words_of
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.transient import TransientError
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.workspace import ExternalSource

_URL = "https://api.newrelic.com/graphql"
_STEPS_AT_ONCE = 366
"""The most buckets that TIMESERIES takes."""

_LONGEST_WAIT = 70
"""The most seconds that New Relic works on a query while somebody waits."""

_QUERY = """query ($account: Int!, $nrql: Nrql!, $timeout: Seconds) {
  actor { account(id: $account) { nrql(query: $nrql, timeout: $timeout) {
    results metadata { messages }
  } } }
}"""

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|--[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_OURS = re.compile(r"\b(TIMESERIES|SINCE|UNTIL|COMPARE\s+WITH|SLIDE\s+BY|FACET)\b", re.IGNORECASE)
_NO_NUMBERS = frozenset({"beginTimeSeconds", "endTimeSeconds", "inspectedCount"})

_DENIED = ("ACCESS_DENIED", "UNAUTHORIZED", "FORBIDDEN", "BAD_API_KEY", "INVALID_API_KEY")
_BUSY = ("TOO_MANY_REQUESTS", "INTERNAL_SERVER_ERROR", "SERVER_ERROR")

_WORDS = (
    ("TIMEOUT", re.compile(r"timed out|exceeded the set timeout", re.IGNORECASE)),
    ("TOO_MANY_REQUESTS", re.compile(r"rate limit|too many requests|overload", re.IGNORECASE)),
    ("ACCESS_DENIED", re.compile(r"not authorized|unauthorized|api key", re.IGNORECASE)),
)


def open_newrelic(source: ExternalSource, environ: Mapping[str, str], clock: Clock) -> NewRelic:
    """Return the adapter of a New Relic account; nothing is sent yet.

    Raises ``SourceUnavailable`` where no account is named.
    """
    text = source.settings.get("account") or environ.get("NEW_RELIC_ACCOUNT_ID", "")
    if not (text.isascii() and text.isdigit()):
        raise SourceUnavailable(
            f"{source.reference}: its account is not a number",
            source=source.reference,
            hint='name the account as in account: "1234567"',
        )

    def headers() -> Mapping[str, str]:
        return {"API-Key": secret(source, "apiKeyFile", "NEW_RELIC_API_KEY", environ)}

    web = Web(source, headers=headers, clock=clock, default_url=_URL)
    return NewRelic(web, account=int(text))


class NewRelic:
    """An ``Adapter`` over one New Relic account."""

    def __init__(self, web: Web, *, account: int) -> None:
        self._web = web
        self._account = account

    @property
    def reference(self) -> str:
        """The source's reference."""
        return self._web.source.reference

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return the one number that a query selects, for each step."""
        own = _OURS.search(_QUOTED.sub("''", query))
        if own:
            clause = " ".join(own[0].upper().split())
            raise QueryRejected(
                f"{self.reference}: the query has a clause {clause} of its own",
                source=self.reference,
                hint="leave time and groups out of the query: Headroom adds TIMESERIES, SINCE "
                "and UNTIL, and takes one number",
            )
        end = self._web.clock.monotonic() + within

        def ask(part: Steps) -> Counted:
            return self._part(query, part, end - self._web.clock.monotonic())

        return in_parts(steps, _STEPS_AT_ONCE, ask)

    def _part(self, query: str, steps: Steps, within: float) -> Counted:
        seconds = steps.step.milliseconds // 1000
        # On a line of their own: a comment may end the query.
        nrql = f"{query}\nTIMESERIES {seconds} seconds SINCE {steps.start_ms} UNTIL {steps.end_ms}"
        longest = min(within, float(self._web.source.timeout.seconds), _LONGEST_WAIT)
        variables = {"account": self._account, "nrql": nrql, "timeout": max(1, int(longest))}
        body = self._web.ask(
            "POST",
            "",
            within=within,
            json={"query": _QUERY, "variables": variables},
            check=self._check,
        ).body
        with shaped(self.reference, "NerdGraph"):
            return self._read(body, steps)

    def _read(self, body: object, steps: Steps) -> Counted:
        assert isinstance(body, Mapping), "it was checked"
        found = body["data"]["actor"]["account"]["nrql"]
        filling = Filling(steps, self.reference)
        words = words_of(body.get("errors"))
        messages = (found.get("metadata") or {}).get("messages") or []
        for each in filter(None, (words, *map(str, messages))):
            filling.lack(f"New Relic says: {self._web.quote(each)}")
        for row in found["results"]:
            begin, end = (
                _milliseconds(row["beginTimeSeconds"]),
                _milliseconds(row["endTimeSeconds"]),
            )
            if end - begin != steps.step.milliseconds:
                raise misaligned(self.reference, begin, steps.step)
            filling.add(begin, self._number(row))
        return filling.counted()

    def _number(self, row: Mapping[str, object]) -> object:
        values = [value for name, value in row.items() if name not in _NO_NUMBERS]
        if len(values) != 1 or isinstance(values[0], Mapping | list):
            names = ", ".join(sorted(set(row) - _NO_NUMBERS))
            raise QueryRejected(
                f"{self.reference}: the query selects more or less than one number: "
                f"{self._web.quote(names) or 'none'}",
                source=self.reference,
                hint="select one number, such as count(*) or percentage(count(*), WHERE …) / 100",
            )
        return values[0]

    def _check(self, body: object) -> None:
        """Raise for errors of an answer that has no results, whatever its status was."""
        if not isinstance(body, Mapping):
            raise _no_nerdgraph(self.reference)
        errors = body.get("errors")
        if not errors or _has_results(body):
            return
        words = words_of(errors)
        classes = {each for error in errors for each in _classes(error)} or {_class_of(words)}
        said, name = self._web.quote(words) or "no reason", self.reference
        error: SourceError
        if "TIMEOUT" in classes:
            error = SourceTimeout(f"{name}: New Relic gave the query up: {said}", source=name)
            raise TransientError(error)
        if classes.intersection(_BUSY):
            error = SourceUnavailable(
                f"{name}: New Relic cannot serve the query: {said}", source=name
            )
            raise TransientError(error)
        if classes.intersection(_DENIED):
            raise AuthenticationFailed(
                f"{name}: New Relic refused the credentials: {said}",
                source=name,
                hint="a user key (NRAK-…) of this region that may see the account is needed",
            )
        raise QueryRejected(f"{name}: New Relic refused the query: {said}", source=name)


def _has_results(body: Mapping[str, object]) -> bool:
    found: object = body
    for name in ("data", "actor", "account", "nrql", "results"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return isinstance(found, list)


def _classes(error: object) -> list[str]:
    extensions = error.get("extensions") if isinstance(error, Mapping) else None
    if not isinstance(extensions, Mapping):
        return []
    names = ("errorClass", "error_code", "code")
    return [str(extensions[each]) for each in names if extensions.get(each)]


def _class_of(words: str) -> str:
    """What kind of error it is, where only its words tell."""
    if not words.startswith("NRQL Syntax Error"):
        for kind, pattern in _WORDS:
            if pattern.search(words):
                return kind
    return ""


def _no_nerdgraph(source: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{source}: the answer does not have the shape of NerdGraph",
        source=source,
        hint="check the source's url, including its path /graphql",
    )


def _milliseconds(seconds: object) -> int:
    if not isinstance(seconds, int | Decimal):
        raise TypeError(seconds)
    return int(seconds * 1000)
