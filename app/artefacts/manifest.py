"""The list of what Headroom wrote into an output folder."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from app.artefacts import folder, names
from app.artefacts.errors import ArtefactError
from app.artefacts.folder import Kind
from slo.records import dataclass

MANIFEST_NAME = "headroom.manifest.json"
_SCHEMA = "headroom/manifest/v1"
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Entry:
    """One file that Headroom wrote: where, of which kind, and the digest of its content."""

    path: str
    kind: str
    sha256: str


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write(entries: Iterable[Entry]) -> bytes:
    """Return the manifest's content; the same entries make the same bytes in any order.

    It names no version of Headroom, so that an upgrade alone changes nothing.
    """
    files = [
        {"path": entry.path, "kind": entry.kind, "sha256": entry.sha256}
        for entry in sorted(entries)
    ]
    return (json.dumps({"schema": _SCHEMA, "files": files}, indent=2) + "\n").encode()


def load(out: Path) -> bytes | None:
    """Return the content of a folder's manifest, or None if there is none.

    Raises `ArtefactError` if it cannot be read.
    """
    try:
        found = folder.look(out, MANIFEST_NAME)
        if found.kind is Kind.NOTHING:
            return None
        if found.kind is not Kind.FILE or found.size > _LARGEST:
            raise _broken(out, "it is not a file that Headroom wrote")
        return folder.read(out, MANIFEST_NAME)
    except OSError as cause:
        raise ArtefactError(f"{out / MANIFEST_NAME}: {cause.strerror}") from cause


def parse(out: Path, content: bytes) -> dict[str, Entry]:
    """Return the entries of a manifest by path.

    Raises `ArtefactError` for anything that Headroom would not write: its paths get removed.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as cause:
        raise _broken(out, "it is not JSON") from cause
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA:
        raise _broken(out, f'its schema is not "{_SCHEMA}"')
    files = data.get("files")
    if not isinstance(files, list):
        raise _broken(out, 'it has no list "files"')
    entries = [_entry(out, item) for item in files]
    return {entry.path: entry for entry in entries}


def read_files(out: Path) -> dict[str, str]:
    """Return the files that the manifest lists and that still exist, as texts by path.

    Bytes that are no UTF-8 become replacement characters. Raises `ArtefactError`.
    """
    content = load(out)
    texts = {}
    for path in sorted(parse(out, content)) if content is not None else ():
        try:
            if folder.look(out, path).kind is Kind.FILE:
                texts[path] = folder.read(out, path).decode(errors="replace")
        except OSError as cause:
            raise ArtefactError(f"{out / path}: {cause.strerror}") from cause
    return texts


def _entry(out: Path, item: object) -> Entry:
    if not isinstance(item, Mapping):
        raise _broken(out, "an entry is not a mapping")
    path, kind, sha256 = (item.get(key) for key in ("path", "kind", "sha256"))
    if not (isinstance(path, str) and isinstance(kind, str) and isinstance(sha256, str)):
        raise _broken(out, "an entry lacks its path, kind or sha256")
    reason = names.fault(path)
    if reason is not None:
        raise _broken(out, f'it lists "{path}", and {reason}')
    return Entry(path=path, kind=kind, sha256=sha256)


def _broken(out: Path, reason: str) -> ArtefactError:
    return ArtefactError(
        f"{out / MANIFEST_NAME}: {reason}",
        hint="restore the file from version control, or remove it and generate with --force",
    )
