"""Publishing to the folder that a Prometheus, or a Thanos Ruler, reads its rules from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app import artefacts
from app.artefacts import MANIFEST_NAME, Plan
from app.artefacts.plan import refuse
from app.publishing import journal as journals
from app.publishing.files import OutputFile, groups, unique_names
from app.publishing.journal import Journal
from app.publishing.loaded import (
    Expected,
    NotLoadedError,
    Seen,
    UnhealthyError,
    look,
    notes,
    refuse_failing,
)
from app.publishing.loaded import wait_until_healthy as wait_for
from app.publishing.report import PublishRefusedError, PublishReport, Wait
from app.publishing.server import PrometheusServer, last_part
from slo.errors import PublishError
from slo.promql import QueryProblem, parse_query
from slo.publishing import PrometheusFolder
from slo.records import dataclass

KIND = "published-rules"
# The reload answers when the rules are loaded; the list of rules is read right afterwards.
_LOADS_WITHIN = 5.0


class PrometheusPublisher:
    """Copies rule files into a folder and makes the server load them, or takes them back."""

    def __init__(self, target: PrometheusFolder) -> None:
        self._folder = Path(target.folder)
        self._source = target.server

    def publish(self, files: Sequence[OutputFile], *, dry_run: bool, wait: Wait) -> PublishReport:
        """Make the server run these rule files, and remove ours that are no longer among them."""
        named = unique_names(files)
        texts = {name: file.text for name, file in named.items()}
        contents = {name: groups(file) for name, file in named.items()}
        if not self._folder.is_dir():
            raise PublishError(
                f"{self._folder}: there is no such folder",
                hint="name the folder that rule_files in the server's configuration points to",
            )
        server = None if self._source is None else PrometheusServer(self._source, wait)
        if server is not None:
            server.check(self._folder)
        with journals.opened(self._folder, dry_run=dry_run) as journal:
            plan = artefacts.plan(self._folder, {KIND: texts})
            before = _texts(self._folder, plan)
            changed = _changed(texts, before if journal.former is None else journal.former)
            expected = tuple(
                Expected(file=name, name=group.name, rules=group.rules, changed=name in changed)
                for name in sorted(contents)
                for group in contents[name]
            )
            run = _Run(plan=plan, journal=journal, server=server, wait=wait, expected=expected)
            if dry_run:
                return run.preview()
            try:
                return run.carry_out(before)
            except PublishRefusedError as error:
                if error.hint is None:
                    error.hint = _suspects(named)
                raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One publishing, once everything about it is known."""

    plan: Plan
    journal: Journal
    server: PrometheusServer | None
    wait: Wait
    expected: tuple[Expected, ...]

    def preview(self) -> PublishReport:
        refuse(self.plan)
        messages = [] if self.journal.former is None else ["an interrupted run would be finished"]
        if self.server is not None and self.plan.is_current and self._must_reload(self.server):
            messages.append("the server would be reloaded")
        return self._report(messages)

    def carry_out(self, before: Mapping[str, str]) -> PublishReport:
        if self.plan.is_current and (self.server is None or not self._must_reload(self.server)):
            self.journal.finish()
            return self._settled()
        had_manifest = self.plan.manifest_before is not None
        refuse(self.plan)
        if self.server is not None:
            self.server.check_reload()
        self.journal.begin(before, had_manifest=had_manifest)
        artefacts.apply(self.plan)
        if self.server is None:
            self.journal.finish()
            return self._report(["no server was named: reload it to load the rules"])
        try:
            self.server.reload()
            remaining = wait_for(self._ask(self.server), self.wait, patience=_LOADS_WITHIN)
        except PublishError as error:
            raise self._refused(error, self.server) from error
        self.journal.finish()
        return self._report(remaining)

    def _must_reload(self, server: PrometheusServer) -> bool:
        if self.journal.former is not None:
            return True
        seen = self._ask(server)()
        return not seen.is_loaded or server.is_older_than(
            self.plan.out, (*self.plan.unchanged, MANIFEST_NAME)
        )

    def _settled(self) -> PublishReport:
        if self.server is None:
            return self._report(())
        seen = self._ask(self.server)()
        refuse_failing(seen)
        return self._report(notes(seen))

    def _ask(self, server: PrometheusServer) -> Callable[[], Seen]:
        return lambda: look(self.expected, self.plan.remove, server.groups(), last_part)

    def _refused(self, error: PublishError, server: PrometheusServer) -> PublishRefusedError:
        former = self.journal.former or {}
        back = artefacts.plan(self.plan.out, {KIND: former}, force=True)
        artefacts.apply(back)
        if not self.journal.had_manifest:
            (self.plan.out / MANIFEST_NAME).unlink(missing_ok=True)
        touched = (*back.create, *back.change, *back.remove)
        messages = []
        try:
            if not server.without_lifecycle:
                server.reload()
        except PublishError as second:
            messages.append(f"the former files are back, but not reloaded: {second}")
        else:
            self.journal.finish()
        return PublishRefusedError(
            f"{error}; {'; '.join(messages) or 'the former rules are back'}",
            PublishReport(rolled_back=tuple(sorted(touched)), messages=tuple(messages)),
            hint=error.hint or _hint(error, self.plan.out),
        )

    def _report(self, messages: Sequence[str]) -> PublishReport:
        return PublishReport(
            done=tuple(sorted((*self.plan.create, *self.plan.change))),
            unchanged=self.plan.unchanged,
            removed=self.plan.remove,
            messages=tuple(messages),
        )


def _texts(folder: Path, plan: Plan) -> dict[str, str]:
    """Return our files as the folder holds them, also those that were there with our content."""
    known = artefacts.read_files(folder)
    return known | {
        name: (folder / name).read_text(encoding="utf-8", errors="replace")
        for name in plan.unchanged
        if name not in known
    }


def _changed(texts: Mapping[str, str], before: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, text in texts.items() if before.get(name) != text)


def _hint(error: PublishError, folder: Path) -> str | None:
    if isinstance(error, NotLoadedError):
        return f'does rule_files in the server\'s configuration hold "{folder}/*.rules.yaml"?'
    if isinstance(error, UnhealthyError):
        return "ask the server the rule's expression to see why"
    return None


def _suspects(named: Mapping[str, OutputFile]) -> str:
    """Look for the reason ourselves: the server writes it to its log only."""
    for file in named.values():
        for group in groups(file):
            for expression in group.expressions:
                problem = parse_query(expression)
                if isinstance(problem, QueryProblem):
                    return f"{file.path}: group {group.name}: {problem.message}: {expression[:80]}"
    return "the server's log says why; promtool check rules may, too"
