"""The characters of a YAML file: what may stand in one, and what is said of the rest."""

import re

from slo._positions import Positions
from slo.printable import printable_character
from slo.problems import Problem, error, warning

# What either parser of PyYAML refuses, and the line breaks that editors do not know.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REPLACEMENT = "\ufffd"
_MOST = 20


def decode(data: bytes, file: str) -> tuple[str, tuple[Problem, ...]]:
    """Return the text of a file; bytes that are not UTF-8 become lone surrogates.

    `parse_documents` names the places of those. UTF-16 and UTF-32 are recognised and refused.
    """
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:4]
    if wide:
        problem = error(
            "yaml/encoding",
            "this file looks like UTF-16 or UTF-32",
            Positions(file, "").span(0, 0),
            hint="save it as UTF-8",
        )
        return "", (problem,)
    return data.decode("utf-8", errors="surrogateescape"), ()


def readable(text: str, positions: Positions) -> tuple[str, list[Problem]]:
    """Return the text with every forbidden character replaced, and what is wrong with it."""
    problems = []
    forbidden = list(_FORBIDDEN.finditer(text))
    for match in forbidden[:_MOST]:
        span = positions.span(match.start(), match.end())
        if "\udc80" <= match[0] <= "\udcff":
            byte = ord(match[0]) - 0xDC00
            problems.append(error("yaml/encoding", f"the byte {byte:#04x} is not UTF-8", span))
        else:
            message = f"the character {printable_character(match[0])} is not allowed in YAML"
            problems.append(error("yaml/control-character", message, span))
    if len(forbidden) > _MOST:
        place = positions.span(forbidden[_MOST].start(), forbidden[_MOST].end())
        message = f"{len(forbidden) - _MOST} more characters from here on are not allowed in YAML"
        problems.append(error("yaml/control-character", message, place))
    turning = _TURNING.search(text)
    if turning:
        message = f"the invisible character {printable_character(turning[0])} turns text around"
        span = positions.span(turning.start(), turning.end())
        problems.append(warning("yaml/invisible-character", message, span, hint="remove it"))
    return _FORBIDDEN.sub(_REPLACEMENT, text), problems
