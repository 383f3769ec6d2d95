"""Names of output files that are safe on every file system they may be copied to."""

import re
import unicodedata
from collections.abc import Iterable

_PART_BYTES = 255
_PATH_BYTES = 1024

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_OWN = re.compile(r"headroom\.manifest\.json|\.headroom-.*", re.IGNORECASE)


def fault(path: str) -> str | None:
    """Return what is wrong with a relative POSIX path as the name of an output, or None."""
    try:
        if len(path.encode()) > _PATH_BYTES:
            return f"the path is longer than {_PATH_BYTES} bytes"
    except UnicodeEncodeError:
        return "the path is not valid Unicode"
    if path.startswith("/"):
        return "the path is absolute"
    faults = (_part_fault(part) for part in path.split("/"))
    return next((found for found in faults if found is not None), None)


def clashes(paths: Iterable[str]) -> dict[str, str]:
    """Return the paths that cannot stand beside an earlier one, each with that one.

    Two paths clash that differ only in case or in Unicode form, or where one is a folder of the
    other.
    """
    ordered = sorted(paths)
    files: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in ordered:
        first = files.setdefault(_folded(path), path)
        if first != path:
            found[path] = first
    for path in ordered:
        parts = _folded(path).split("/")
        for length in range(1, len(parts)):
            blocking = files.get("/".join(parts[:length]))
            if blocking is not None:
                found[path] = blocking
    return found


def _part_fault(part: str) -> str | None:
    faults = (
        (part == "", "a part of the path is empty"),
        (part in {".", ".."}, f'the path holds "{part}"'),
        (len(part.encode()) > _PART_BYTES, f"a part is longer than {_PART_BYTES} bytes"),
        (_FORBIDDEN.search(part), "it holds a character that not every file system takes"),
        (part.endswith((".", " ")), "a part ends in a dot or a space, which Windows drops"),
        (_DEVICE.fullmatch(part.partition(".")[0].rstrip()), "a part is a device on Windows"),
        (_OWN.fullmatch(part), "the name is one that Headroom keeps for itself"),
    )
    return next((reason for found, reason in faults if found), None)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
