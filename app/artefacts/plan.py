"""What writing generated files would do to a folder, worked out before anything is touched."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from app.artefacts import folder, manifest, names
from app.artefacts.errors import ArtefactError
from app.artefacts.folder import Found, Kind
from app.artefacts.manifest import MANIFEST_NAME, Entry
from slo.records import dataclass


class Trouble(StrEnum):
    """Why a file cannot be written."""

    UNSAFE_NAME = "unsafe-name"
    CLASH = "clash"
    LINK = "link"
    BLOCKED = "blocked"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Conflict:
    """A file that cannot be written, and why. `force` overcomes only a foreign file."""

    path: str
    trouble: Trouble
    message: str

    @property
    def hint(self) -> str | None:
        """Return what the user can do about it."""
        match self.trouble:
            case Trouble.FOREIGN:
                return "move the file away, or overwrite it with --force"
            case Trouble.LINK | Trouble.BLOCKED:
                return "move it away, or choose another output folder"
        return None


class State(StrEnum):
    """How a file in the output folder differs from what would be generated."""

    MISSING = "missing"
    STALE = "stale"
    LEFT_OVER = "left over"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Difference:
    """A file that is not what `generate` would leave behind."""

    path: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `apply` would do: paths below `out`, sorted.

    `edited` are those of `change` and `remove` whose content someone changed since they were
    written. `contents` holds the files to create and change. `manifest` is the manifest's next
    content, `manifest_before` its present one.
    """

    out: Path
    create: tuple[str, ...]
    change: tuple[str, ...]
    remove: tuple[str, ...]
    unchanged: tuple[str, ...]
    edited: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    contents: Mapping[str, bytes]
    manifest: bytes
    manifest_before: bytes | None

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.create or self.change or self.remove or self.conflicts) and (
            self.manifest == self.manifest_before
        )


def plan(out: Path, files: Mapping[str, Mapping[str, str]], *, force: bool = False) -> Plan:
    """Compare generated files, as texts by path by kind, with a folder.

    Files that the manifest lists for these kinds and that are generated no more are to be removed;
    kinds that are not given are left alone. A file that the manifest does not know is a conflict
    unless it has the same content already, or `force` is set.
    Raises `ArtefactError` if the folder or its manifest cannot be read.
    """
    if out.exists() and not out.is_dir():
        raise ArtefactError(f"{out}: the output folder is not a folder")
    before = manifest.load(out)
    known = {} if before is None else manifest.parse(out, before)
    draft = _Draft(out=out, known=known, force=force)
    try:
        draft.compare(files)
    except OSError as cause:
        raise ArtefactError(f"{cause.filename or out}: {cause.strerror}") from cause
    return draft.finish(before)


def check(plan: Plan) -> tuple[Difference, ...]:
    """Return every file that is not as `generate` would leave it.

    Raises `ArtefactError` if the files could not be written at all.
    """
    refuse(plan, allow=Trouble.FOREIGN)
    found = [
        *(Difference(path=path, state=State.MISSING) for path in plan.create),
        *(Difference(path=path, state=State.STALE) for path in plan.change),
        *(Difference(path=path, state=State.LEFT_OVER) for path in plan.remove),
        *(Difference(path=conflict.path, state=State.STALE) for conflict in plan.conflicts),
    ]
    if not found and plan.manifest != plan.manifest_before:
        state = State.MISSING if plan.manifest_before is None else State.STALE
        found.append(Difference(path=MANIFEST_NAME, state=state))
    return tuple(sorted(found))


def refuse(plan: Plan, *, allow: Trouble | None = None) -> None:
    """Raise `ArtefactError` if the plan has conflicts other than of the trouble allowed."""
    found = [conflict for conflict in plan.conflicts if conflict.trouble is not allow]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ArtefactError(
            f"{plan.out / found[0].path}: {found[0].message}{more}", hint=found[0].hint
        )


class _Draft:
    """A plan in the making."""

    def __init__(self, *, out: Path, known: Mapping[str, Entry], force: bool) -> None:
        self._out = out
        self._known = known
        self._force = force
        self._create: list[str] = []
        self._change: list[str] = []
        self._remove: list[str] = []
        self._unchanged: list[str] = []
        self._edited: list[str] = []
        self._conflicts: list[Conflict] = []
        self._contents: dict[str, bytes] = {}
        self._entries: dict[str, Entry] = {}

    def compare(self, files: Mapping[str, Mapping[str, str]]) -> None:
        owners: dict[str, str] = {}
        for kind, texts in files.items():
            for path in texts:
                if owners.setdefault(path, kind) != kind:
                    text = f"{owners[path]} and {kind} both generate it"
                    self._conflict(path, Trouble.CLASH, text)
        self._entries = {
            path: entry
            for path, entry in self._known.items()
            if entry.kind not in files and path not in owners
        }
        self._check_names(owners)
        bad = {conflict.path for conflict in self._conflicts}
        for path, kind in sorted(owners.items()):
            if path not in bad:
                self._place(path, kind, files[kind][path].encode(errors="backslashreplace"))
        for path, entry in sorted(self._known.items()):
            if entry.kind in files and path not in owners:
                self._leave(entry)

    def finish(self, before: bytes | None) -> Plan:
        return Plan(
            out=self._out,
            create=tuple(self._create),
            change=tuple(self._change),
            remove=tuple(self._remove),
            unchanged=tuple(self._unchanged),
            edited=tuple(sorted(self._edited)),
            conflicts=tuple(sorted(self._conflicts)),
            contents=self._contents,
            manifest=manifest.write(self._entries.values()),
            manifest_before=before,
        )

    def _check_names(self, owners: Iterable[str]) -> None:
        for path in owners:
            reason = names.fault(path)
            if reason is not None:
                self._conflict(path, Trouble.UNSAFE_NAME, reason)
        for path, other in names.clashes([*owners, *self._entries]).items():
            if path != other:
                self._conflict(path, Trouble.CLASH, f'it cannot stand beside "{other}"')

    def _place(self, path: str, kind: str, content: bytes) -> None:
        found = folder.look(self._out, path)
        sha256 = manifest.digest(content)
        self._entries[path] = Entry(path=path, kind=kind, sha256=sha256)
        if found.kind is Kind.NOTHING:
            self._create.append(path)
        elif found.kind is not Kind.FILE:
            self._conflicts.append(_blocked(path, found))
            return
        elif found.size == len(content) and folder.read(self._out, path) == content:
            self._unchanged.append(path)
            return
        elif path not in self._known and not self._force:
            self._conflict(
                path, Trouble.FOREIGN, "the file is there, and Headroom did not write it"
            )
            return
        else:
            self._change.append(path)
            self._note_edits(path)
        self._contents[path] = content

    def _leave(self, entry: Entry) -> None:
        found = folder.look(self._out, entry.path)
        if found.kind is Kind.FILE:
            self._remove.append(entry.path)
            self._note_edits(entry.path)
        elif found.kind is not Kind.NOTHING:
            self._conflicts.append(_blocked(entry.path, found))

    def _note_edits(self, path: str) -> None:
        entry = self._known.get(path)
        if entry is not None and manifest.digest(folder.read(self._out, path)) != entry.sha256:
            self._edited.append(path)

    def _conflict(self, path: str, trouble: Trouble, message: str) -> None:
        self._conflicts.append(Conflict(path=path, trouble=trouble, message=message))


def _blocked(path: str, found: Found) -> Conflict:
    if found.kind is Kind.LINK:
        return Conflict(
            path=path,
            trouble=Trouble.LINK,
            message=f'"{found.at}" is a symbolic link, which is never followed',
        )
    what = "something that is no file" if found.at == path else "something that is no folder"
    return Conflict(path=path, trouble=Trouble.BLOCKED, message=f'"{found.at}" is {what}')
