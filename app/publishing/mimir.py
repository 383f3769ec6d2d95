"""Publishing to the rule store of a Mimir or Cortex, group by group.

The API: grafana.com/docs/mimir, "HTTP API", sections of the ruler; Cortex has other paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from urllib.parse import quote

from app.publishing.files import Group, OutputFile, groups, namespaces
from app.publishing.http import Answer, Http
from app.publishing.loaded import (
    Expected,
    NotLoadedError,
    Seen,
    look,
    refuse_failing,
    wait_until_healthy,
)
from app.publishing.report import PublishRefusedError, PublishReport, Wait
from collectors.readers.prometheus.clock import Deadline
from collectors.readers.prometheus.metadata import PrometheusMetadata, RuleGroup
from slo.errors import PublishError
from slo.publishing import MimirRuler, RulerFlavor
from slo.records import dataclass

_PATHS = {RulerFlavor.MIMIR: "/prometheus/config/v1/rules", RulerFlavor.CORTEX: "/api/v1/rules"}
_NONE_YET = "no rule groups found"
_NOT_FOUND = 404
_DENIED = (401, 403)
_PASSING = (429, 502, 503, 504)
_FIRST_PAUSE = 0.5

Key = tuple[str, str]
"""Namespace and name of a group."""


class MimirPublisher:
    """Stores groups of rules at a ruler and removes ours that are no longer generated."""

    def __init__(self, target: MimirRuler) -> None:
        self._target = target

    def publish(self, files: Sequence[OutputFile], *, dry_run: bool, wait: Wait) -> PublishReport:
        """Make the ruler hold these groups and no others in namespaces with our prefix."""
        wanted = self._wanted(files)
        store = _Store(self._target, wait)
        former = store.list(self._target.prefix)
        changed = tuple(
            key
            for key in sorted(wanted)
            if key not in former or former[key].content != wanted[key].content
        )
        run = _Run(
            store=store,
            wanted=wanted,
            former=former,
            changed=changed,
            removed=tuple(sorted(former.keys() - wanted.keys())),
            wait=wait,
        )
        return run.report(()) if dry_run else run.carry_out()

    def _wanted(self, files: Sequence[OutputFile]) -> dict[Key, Group]:
        owners: dict[Key, OutputFile] = {}
        wanted: dict[Key, Group] = {}
        for file in files:
            namespace = self._target.prefix + ".".join(file.parts)
            for group in groups(file):
                other = owners.setdefault((namespace, group.name), file)
                if (namespace, group.name) in wanted:
                    raise PublishError(
                        f"{other.path} and {file.path} both hold group {group.name} of {namespace}"
                    )
                wanted[namespace, group.name] = group
        return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One publishing, once everything about it is known."""

    store: _Store
    wanted: Mapping[Key, Group]
    former: Mapping[Key, Group]
    changed: tuple[Key, ...]
    removed: tuple[Key, ...]
    wait: Wait
    touched: list[Key] = field(default_factory=list)

    def carry_out(self) -> PublishReport:
        try:
            until = self.wait.deadline()
            for key in self.changed:
                self.touched.append(key)
                self.store.put(key[0], self.wanted[key], until)
            for key in self.removed:
                self.touched.append(key)
                self.store.delete(key, until)
            remaining = wait_until_healthy(
                self._ask, self.wait, patience=float(self.wait.timeout.seconds)
            )
        except NotLoadedError as error:
            # The store has taken them; a ruler that looks there every ten minutes will load them.
            raise PublishError(
                f"stored, and not yet loaded by the ruler: {error}",
                hint="rulers look for changes at intervals: run it again later to see",
            ) from error
        except PublishError as error:
            raise self._refused(error) from error
        if not self.touched:
            refuse_failing(self._ask())
        return self.report(remaining)

    def report(self, messages: Sequence[str]) -> PublishReport:
        touched = {*self.changed, *self.removed}
        return PublishReport(
            done=tuple(map(_title, self.changed)),
            removed=tuple(map(_title, self.removed)),
            unchanged=tuple(_title(key) for key in sorted(self.wanted) if key not in touched),
            messages=tuple(messages),
        )

    def _ask(self) -> Seen:
        expected = [
            Expected(file=key[0], name=key[1], rules=group.rules, changed=key in self.changed)
            for key, group in sorted(self.wanted.items())
        ]
        gone = {namespace for namespace, _ in self.removed}
        kept = {namespace for namespace, _ in self.wanted}
        return look(expected, gone - kept, self.store.loaded(), str)

    def _refused(self, error: PublishError) -> PublishRefusedError:
        until, back, failures = self.wait.deadline(), [], []
        for key in reversed(self.touched):
            try:
                if key in self.former:
                    self.store.put(key[0], self.former[key], until)
                else:
                    self.store.delete(key, until)
                back.append(_title(key))
            except PublishError as second:
                failures.append(f"{_title(key)} could not be taken back: {second}")
        return PublishRefusedError(
            f"{error}; {failures[0] if failures else 'the former groups are back'}",
            PublishReport(rolled_back=tuple(sorted(back)), messages=tuple(failures)),
            hint=error.hint,
        )


class _Store:
    """The ruler's API for one tenant."""

    def __init__(self, target: MimirRuler, wait: Wait) -> None:
        source = target.server
        self._http = Http(source, wait.clock)
        self._path = _PATHS[target.flavor]
        self._wait = wait
        read = replace(source, url=f"{source.url.rstrip('/')}/prometheus")
        self._metadata = PrometheusMetadata(read, deadline=wait.timeout, clock=wait.clock)

    def list(self, prefix: str) -> dict[Key, Group]:
        """Return all stored groups whose namespace begins with the prefix."""
        answer = self._send("GET", "", self._wait.deadline())
        if answer.status == _NOT_FOUND and _NONE_YET in answer.text:
            return {}
        self._expect(answer, "list the rules")
        return {
            (namespace, group.name): group
            for namespace, found in namespaces(answer.text).items()
            if namespace.startswith(prefix)
            for group in found
        }

    def put(self, namespace: str, group: Group, until: Deadline) -> None:
        """Create or replace a group."""
        answer = self._send("POST", f"/{quote(namespace, safe='')}", until, group.body)
        self._expect(answer, f"take {namespace}/{group.name}")

    def delete(self, key: Key, until: Deadline) -> None:
        """Remove a group; one that is gone already is no failure."""
        namespace, name = (quote(part, safe="") for part in key)
        answer = self._send("DELETE", f"/{namespace}/{name}", until)
        if answer.status != _NOT_FOUND:
            self._expect(answer, f"remove {_title(key)}")

    def loaded(self) -> tuple[RuleGroup, ...]:
        """Return the groups that the ruler evaluates. Raises ``SourceError``."""
        return self._metadata.rules()

    def _send(self, method: str, path: str, until: Deadline, body: str | None = None) -> Answer:
        pause = _FIRST_PAUSE
        while True:
            timeout = max(until.remaining(), 1.0)
            answer = self._http.send(method, self._path + path, body=body, timeout=timeout)
            if answer.status not in _PASSING or until.remaining() <= pause:
                return answer
            self._wait.clock.sleep(pause * (0.5 + self._wait.clock.jitter()))
            pause *= 2

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.ok:
            return
        raise PublishError(
            f"{self._http.url}: the ruler does not {what} ({answer.said})", hint=_hint(answer)
        )


def _hint(answer: Answer) -> str | None:
    if answer.status in _DENIED:
        return "check the tenant and the credentials"
    if answer.status == _NOT_FOUND:
        return "is the ruler's API enabled there, and the address without /prometheus?"
    return None


def _title(key: Key) -> str:
    return f"{key[0]}: {key[1]}"
