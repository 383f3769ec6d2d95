r"""Regular expressions that mean the same to every collector.

Collectors bring RE2, PCRE, Oniguruma, Rust's engine, Java's or POSIX extended expressions. What
these have in common is small: classes, alternation, groups, greedy repetition, anchors, and the
shorthands ``\d``, ``\s``, ``\w``, which POSIX spells as classes.
"""

from __future__ import annotations

import re

_OUTSIDE = re.compile(
    r"\\(?P<bad>[^\Wdswtnrf]|_|$)|(?P<group>\(\?(?!:)[^)]{0,8})|(?P<lazy>(?:[*+?]|\{[0-9,]+\})[?+])"
    r"|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|.",
    re.DOTALL,
)
_INSIDE = re.compile(
    r"\\(?P<bad>[^\Wdswtnrf]|_)|\[[.=].|&&|--|~~|\|\||\\.|\[:\^\w+:\]|.", re.DOTALL
)
_SHORT = {"d": "[0-9]", "s": "[[:space:]]", "w": "[[:alnum:]_]"}
_SHORT_INSIDE = {"d": "0-9", "s": "[:space:]", "w": "[:alnum:]_"}
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPED = {char: f"\\{char}" for char in "\\^$*+?()[]{}|"} | {".": "[.]"}
_SET_OPERATORS = ("&&", "--", "~~", "||")


def unportable(pattern: str) -> str | None:
    """Return the first construct that does not mean the same everywhere, or None.

    The pattern must be valid for RE2 (`slo.promql.regex_problem`).
    """
    for match in _OUTSIDE.finditer(pattern):
        if any(match[name] is not None for name in ("bad", "group", "lazy")):
            return match.group()
        if match.group().startswith("["):
            found = _unportable_class(match.group())
            if found is not None:
                return found
    return None


def to_posix(pattern: str) -> str:
    """Return a portable pattern as a POSIX extended regular expression."""
    return "".join(
        _posix(match.group()) for match in _OUTSIDE.finditer(pattern.replace("(?:", "("))
    )


def _unportable_class(text: str) -> str | None:
    for match in _INSIDE.finditer(text[1:-1]):
        token = match.group()
        if match["bad"] is not None or token in _SET_OPERATORS or token[:2] in {"[.", "[="}:
            return token
        if token.startswith("[:^"):
            return token
    return None


def _posix(token: str) -> str:
    if token.startswith("["):
        return _posix_class(token)
    if token.startswith("\\"):
        letter = token[1]
        return _SHORT.get(letter) or _CONTROL.get(letter) or token
    return token


def _posix_class(text: str) -> str:
    # A backslash is itself within a POSIX class; `]`, `^` and `-` are placed, not escaped.
    start = "[^" if text.startswith("[^") else "["
    first, last, middle = "", "", []
    for match in _INSIDE.finditer(text[len(start) : -1]):
        token = match.group()
        if token.startswith("\\"):
            letter = token[1]
            if letter == "]":
                first += letter
                continue
            if letter in "-^":
                last += letter
                continue
            token = _SHORT_INSIDE.get(letter) or _CONTROL.get(letter) or letter
        middle.append(token)
    return f"{start}{first}{''.join(middle)}{''.join(dict.fromkeys(reversed(last)))}]"


def escaped(text: str) -> str:
    """Return a portable regular expression that matches exactly this text."""
    return "".join(_ESCAPED.get(char, char) for char in text)
