r"""Label regular expressions, checked against RE2's syntax without ever being run.

The parser library would compile each pattern with another engine: that takes half a second for
`\pL{400}` and refuses `[[]`, which Prometheus accepts.
Syntax: https://github.com/google/re2/wiki/Syntax
"""

import re
from dataclasses import field

from slo.records import dataclass

_MAX_REPEAT = 1000
_MAX_DEPTH = 200
_REPEAT = re.compile(r"[*+?]\??|\{(?P<low>[0-9]+)(?P<comma>,(?P<high>[0-9]*))?\}\??")
_ESCAPE = re.compile(
    r"\\(?:p(?:\{\^?\w+\}|\w)|P(?:\{\^?\w+\}|\w)|x(?:\{0*(?:10|[0-9a-fA-F])?[0-9a-fA-F]{1,4}\}|[0-9a-fA-F]{2})"
    r"|0[0-7]{0,2}|[1-7][0-7]{1,2}|[AbBzdDsSwWafnrtv]|[\x00-/:-@\[-`{-\x7f])"
)
_GROUP = re.compile(r"\((?:\?(?:P<[A-Za-z0-9_]\w*>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)])))?")
_POSIX = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_QUOTED = re.compile(r"\\Q(.*?)\\E", re.DOTALL)
_UNSUPPORTED = (
    (re.compile(r"\(\?(?:<?[=!])"), "lookaround"),
    (re.compile(r"\(\?<\w+>"), "a group named without P, as in (?P<name>),"),
    (re.compile(r"\(\?>"), "an atomic group"),
    (re.compile(r"\(\?\("), "a conditional group"),
    (re.compile(r"\(\?#"), "a comment group"),
    (re.compile(r"\(\?(?:R|[0-9&]|P>)"), "recursion"),
    (re.compile(r"\(\?P="), "a backreference"),
    (re.compile(r"\\(?:[1-9]|k[<{'])"), "a backreference"),
)
_CLASSES = "dDsSwWpP"


@dataclass(slots=True)
class _Group:
    """A group that is being read: what is known of whether it matches the empty string."""

    start: int
    nullable: bool = True
    any_branch: bool = False
    atom: bool | None = None
    repeat: int = 1
    inner: int = 1
    repeated: bool = False

    def add(self, *, nullable: bool, repeat: int = 1) -> None:
        self.close_atom()
        self.atom, self.inner, self.repeated = nullable, repeat, False

    def close_atom(self) -> None:
        if self.atom is not None:
            self.nullable = self.nullable and self.atom
            self.repeat = max(self.repeat, self.inner)
        self.atom = None

    def branch(self) -> None:
        self.close_atom()
        self.any_branch = self.any_branch or self.nullable
        self.nullable = True

    def finish(self) -> bool:
        self.branch()
        return self.any_branch


class _Invalid(Exception):  # noqa: N818 -- never leaves this module
    pass


@dataclass(slots=True)
class _Reader:
    """A single pass over a pattern with its own stack, so that depth costs no recursion."""

    text: str
    at: int = 0
    groups: list[_Group] = field(default_factory=lambda: [_Group(start=-1)])

    def read(self) -> bool:
        while self.at < len(self.text):
            self._step(self.text[self.at])
        if len(self.groups) > 1:
            raise _Invalid("an opening ( is never closed")
        return self.groups[0].finish()

    def _step(self, char: str) -> None:
        here = self.groups[-1]
        if char == "(":
            self._open()
        elif char == ")":
            self._close()
        elif char == "|":
            here.branch()
            self.at += 1
        elif char == "[":
            self._class()
            here.add(nullable=False)
        elif char == "\\":
            self._escape()
        elif match := _REPEAT.match(self.text, self.at):
            self._repeat(match)
        else:
            here.add(nullable=char in "^$")
            self.at += 1

    def _open(self) -> None:
        match = _GROUP.match(self.text, self.at)
        if match is None or (match.group() == "(" and self.text.startswith("(?", self.at)):
            raise _Invalid(_unsupported(self.text, self.at) or "an unknown kind of group (?…)")
        self.at = match.end()
        if match["end"] == ")":
            self.groups[-1].close_atom()
            return
        if len(self.groups) > _MAX_DEPTH:
            raise _Invalid(f"more than {_MAX_DEPTH} nested groups")
        self.groups.append(_Group(start=match.start()))

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise _Invalid("a closing ) has no opening one")
        group = self.groups.pop()
        nullable = group.finish()
        self.groups[-1].add(nullable=nullable, repeat=group.repeat)
        self.at += 1

    def _repeat(self, match: re.Match[str]) -> None:
        here = self.groups[-1]
        if here.atom is None:
            raise _Invalid(f"nothing stands before the repetition {match.group()}")
        if here.repeated:
            raise _Invalid("a repetition follows another one (RE2 has no possessive ones)")
        here.repeated = True
        self.at = match.end()
        low, high = match["low"], match["high"]
        if low is None:
            here.atom = here.atom or match.group()[0] in "*?"
            return
        top = low if match["comma"] is None else high
        counts = [_count(low), _count(top) if top else _count(low)]
        if counts[1] < counts[0]:
            raise _Invalid(f"the repetition {match.group()} counts downwards")
        here.inner *= max(counts[1], 1)
        if here.inner > _MAX_REPEAT:
            raise _Invalid(f"repetitions multiply to more than {_MAX_REPEAT}")
        here.atom = here.atom or counts[0] == 0

    def _escape(self) -> None:
        here = self.groups[-1]
        if quoted := _QUOTED.match(self.text, self.at):
            for _ in quoted.group(1)[:1]:
                here.add(nullable=False)
            self.at = quoted.end()
            return
        match = _ESCAPE.match(self.text, self.at)
        if match is None:
            raise _Invalid(_unsupported(self.text, self.at) or _bad_escape(self.text, self.at))
        here.add(nullable=match.group() in {"\\A", "\\z", "\\B"})
        self.at = match.end()

    def _class(self) -> None:
        start = self.at
        self.at += 2 if self.text.startswith("[^", start) else 1
        first = True
        while first or not self.text.startswith("]", self.at):
            if self.at >= len(self.text):
                raise _Invalid("an opening [ is never closed")
            low = self._class_item()
            if low is not None and self._is_range():
                self.at += 1
                high = self._class_item()
                if high is None or high < low:
                    raise _Invalid("a character range counts downwards")
            first = False
        self.at += 1

    def _is_range(self) -> bool:
        return self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in {
            "]",
            "",
        }

    def _class_item(self) -> str | None:
        """Read one character of a class; None for one that stands for several."""
        if posix := _POSIX.match(self.text, self.at):
            self.at = posix.end()
            return None
        if self.text.startswith("[:", self.at) and self.text.find(":]", self.at + 2) > 0:
            raise _Invalid("an unknown class [:…:]")
        char = self.text[self.at]
        if char != "\\":
            self.at += 1
            return char
        match = _ESCAPE.match(self.text, self.at)
        if match is None or match.group()[1] in "AbBz":
            raise _Invalid(_bad_escape(self.text, self.at))
        self.at = match.end()
        return None if match.group()[1] in _CLASSES else _literal(match.group())


def regex_problem(pattern: str) -> str | None:
    """Say what keeps Prometheus from taking a label regex, or None; the regex is not run."""
    try:
        _Reader(pattern).read()
    except _Invalid as problem:
        return str(problem)
    return None


def matches_empty(pattern: str) -> bool:
    """Tell whether a valid pattern matches the empty string."""
    return _Reader(pattern).read()


def _count(digits: str) -> int:
    if len(digits) > 4 or int(digits) > _MAX_REPEAT:  # noqa: PLR2004 -- digits of the limit
        raise _Invalid(f"a repetition counts to more than {_MAX_REPEAT}")
    return int(digits)


def _unsupported(text: str, at: int) -> str | None:
    for pattern, name in _UNSUPPORTED:
        if pattern.match(text, at):
            return (
                f"{name}, which older RE2 does not have"
                if "named" in name
                else f"{name}, which RE2 does not have"
            )
    return None


def _bad_escape(text: str, at: int) -> str:
    if at + 1 >= len(text):
        return "a backslash at its end"
    return f"an unknown escape {text[at : at + 2]}"


def _literal(escape: str) -> str:
    kind, rest = escape[1], escape[2:]
    if kind == "x":
        return chr(min(int(rest.strip("{}"), 16), 0x10FFFF))
    if kind.isdigit():
        return chr(int(escape[1:], 8))
    return {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(kind, kind)
