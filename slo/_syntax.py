"""What the YAML parser's complaints mean to the person who wrote the file."""

import yaml

from slo._positions import Positions
from slo.problems import Problem, Span, error

# Parts of the messages of PyYAML and of libyaml, with what they mean and what helps.
_MEANINGS: tuple[tuple[str, str, str | None], ...] = (
    (
        "mapping values are not allowed",
        "a colon cannot stand here",
        'quote text that holds ": ", or check the indentation',
    ),
    ("unexpected end of stream", "this quoted text has no end", None),
    ("unexpected document", "this quoted text has no end", None),
    ("could not find expected ':'", "expected a colon and a value after this key", None),
    ("',' or ']'", "this list is not closed where it should be", "check its commas and brackets"),
    (
        "',' or '}'",
        "this mapping is not closed where it should be",
        "quote text that begins with {",
    ),
    ("'-' indicator", "expected another list item here", "check the indentation"),
    (
        "expected <block end>",
        "this does not line up with what stands above",
        "check the indentation",
    ),
    ("node content", "a value is missing here", None),
    ("expected key", "this does not line up with the keys above", "check the indentation"),
    ("unknown escape", "this backslash means nothing here", "write it in single quotes"),
    ("invalid Unicode character escape", "there is no such character", None),
    ("expected escape sequence", "this escape needs hexadecimal digits", None),
    ("incompatible YAML document", "this version of YAML is not supported", None),
    ("duplicate %", "this directive stands twice", None),
    (
        "alphabetic or numeric character",
        "an anchor or alias needs a name",
        'quote text with "*" or "&"',
    ),
)
_AT_CONTEXT = "this quoted text has no end"


def syntax_problem(cause: Exception, text: str, offset: int, positions: Positions) -> Problem:
    """Return the parser's exception as a problem; `text` is the whole file."""
    place = error_index(cause, offset)
    tab = _tab_before(text, place)
    if tab is not None:
        span = positions.span(tab, tab + 1)
        return error("yaml/tab", "a tab cannot stand here", span, hint="indent with spaces")
    if not isinstance(cause, yaml.MarkedYAMLError):
        return error("yaml/syntax", str(cause), positions.span(place, place + 1))
    complaint = cause.problem or "this is not YAML"
    if "cannot start any token" in complaint and place < len(text):
        message = f'a value cannot begin with "{text[place]}"'
        span = positions.span(place, place + 1)
        return error("yaml/syntax", message, span, hint="put it in quotes")
    message, hint = _meaning(complaint)
    context = cause.context_mark
    related: tuple[tuple[Span, str], ...] = ()
    if context is not None:
        start = context.index + offset
        if message == _AT_CONTEXT:
            return error("yaml/syntax", message, positions.span(start, start + 1), hint=hint)
        if start != place:
            related = ((positions.span(start, start + 1), "it begins here"),)
    span = positions.span(place, place + 1)
    return error("yaml/syntax", message, span, hint=hint, related=related)


def error_index(cause: Exception, offset: int) -> int:
    """Return the index of the character at which the parser gave up."""
    if isinstance(cause, yaml.MarkedYAMLError):
        mark = cause.problem_mark or cause.context_mark
        return offset if mark is None else mark.index + offset
    return offset


def _meaning(complaint: str) -> tuple[str, str | None]:
    for part, message, hint in _MEANINGS:
        if part in complaint:
            return message, hint
    return complaint, None


def _tab_before(text: str, place: int) -> int | None:
    """Return the index of a tab at the place or in the indentation of its line."""
    if text[place : place + 1] == "\t":
        return place
    start = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    line = text[start : place + 1]
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    found = indentation.find("\t")
    return None if found < 0 else start + found
