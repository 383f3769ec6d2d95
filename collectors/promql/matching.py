"""Whether labels match; regular expressions run in RE2, whose time is linear in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collectors.promql.errors import PromqlError
from slo.promql import Matcher, regex_problem

_MOST_GROUPS = 9
# What can stand in a pattern without opening a group, then a group that captures.
_CAPTURES = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
    r"|(?P<group>\((?:\?P?<(?P<name>\w+)>|(?!\?)))",
    re.DOTALL,
)
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<braced>\w+)\})", re.ASCII)


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Tell whether labels satisfy a matcher; an absent label has the empty value.

    Raises `PromqlError` for a regular expression that RE2 does not take.
    """
    return bool(matching(matcher, [labels.get(matcher.name, "")])[0])


def matching(matcher: Matcher, values: Sequence[str]) -> NDArray[np.bool_]:
    """Tell for each of many values of a matcher's label whether it is matched.

    Raises `PromqlError` for a regular expression that RE2 does not take.
    """
    if matcher.op in {"=", "!="}:
        found = np.fromiter((value == matcher.value for value in values), bool, len(values))
    else:
        found = full_match(matcher.value, values)
    return ~found if matcher.op in {"!=", "!~"} else found


def full_match(pattern: str, values: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which values a regular expression matches from end to end."""
    text = anchored(pattern)
    try:
        found = pc.match_substring_regex(pa.array(values, type=pa.string()), text)
    except pa.ArrowInvalid as error:
        raise _refused(pattern, error) from None
    answer: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False).astype(bool)
    return answer


def expanded(pattern: str, template: str, values: Sequence[str]) -> list[str]:
    """Write values, all fully matched, as a template with ``$1`` or ``${name}``."""
    text, rewrite = anchored(pattern), _rewrite(pattern, template)
    try:
        made = pc.replace_substring_regex(
            pa.array(values, type=pa.string()), text, rewrite, max_replacements=1
        )
    except pa.ArrowInvalid as error:
        raise _refused(pattern, error) from None
    return [text or "" for text in made.to_pylist()]


def anchored(pattern: str) -> str:
    """Return a checked pattern that matches whole values only; a dot matches a line break too."""
    if problem := regex_problem(pattern):
        raise PromqlError(
            f"the regex {pattern[:80]!r} cannot be used: {problem}",
            hint="regular expressions have RE2's syntax",
        )
    return rf"\A(?s:{pattern})\z"


def _refused(pattern: str, error: Exception) -> PromqlError:
    return PromqlError(
        f"the regex {pattern[:80]!r} cannot be used: {str(error)[:200]}",
        hint="regular expressions have RE2's syntax",
    )


def _rewrite(pattern: str, template: str) -> str:
    """Write Go's template as RE2's; a group that the pattern does not have is empty."""
    names = [m["name"] or "" for m in _CAPTURES.finditer(pattern) if m["group"]]

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        wanted = match["bare"] or match["braced"]
        place = int(wanted) if wanted.isdecimal() else _place(names, wanted)
        if place > len(names):
            return ""
        if place > _MOST_GROUPS:
            raise PromqlError(f"label_replace can use the first {_MOST_GROUPS} groups only")
        return f"\\{place}"

    return _REFERENCE.sub(replace, template.replace("\\", "\\\\"))


def _place(names: Sequence[str], wanted: str) -> int:
    return names.index(wanted) + 1 if wanted in names else len(names) + 1
