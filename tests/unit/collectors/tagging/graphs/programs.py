"""Literals of Ruby and Lua, read back as values: what a generated program looks into."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_RUBY = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_LUA = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORDS = {"nil": None, "true": True, "false": False}


@dataclass(kw_only=True)
class Reader:
    """A place in a text, and the language that it is in."""

    text: str
    at: int
    lua: bool

    def value(self) -> Any:
        """The literal at this place; the place moves behind it."""
        self.skip()
        if self.text[self.at] in "{[":
            return self.members()
        match = (_LUA if self.lua else _RUBY).match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            return lua_text(match[1]) if self.lua else ruby_text(match[1])
        word = re.compile(r"-?\w+").match(self.text, self.at)
        assert word is not None, self.text[self.at : self.at + 40]
        self.at = word.end()
        return _WORDS[word[0]] if word[0] in _WORDS else int(word[0])

    def members(self) -> Any:
        """A list or a mapping; Lua writes both with braces."""
        close = "}" if self.text[self.at] == "{" else "]"
        self.at += 1
        keyed: dict[Any, Any] = {}
        plain: list[Any] = []
        while self.sign() != close:
            if self.lua and self.sign() == "[":
                self.at += 1
                key = self.value()
                self.expect("]", "=")
                keyed[key] = self.value()
            else:
                first = self.value()
                if not self.lua and self.text.startswith("=>", self.skip()):
                    self.expect("=>")
                    keyed[first] = self.value()
                else:
                    plain.append(first)
            if self.sign() == ",":
                self.at += 1
        self.at += 1
        return keyed if keyed or (close == "}" and not self.lua) else plain

    def skip(self) -> int:
        """Move over spaces."""
        match = re.compile(r"\s*").match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def sign(self) -> str:
        """The next sign."""
        return self.text[self.skip()]

    def expect(self, *signs: str) -> None:
        """Move over signs that must stand here."""
        for sign in signs:
            assert self.text.startswith(sign, self.skip())
            self.at += len(sign)


def ruby_text(inside: str) -> str:
    r"""What stands between single quotes: ``\'`` and ``\\`` alone are escapes."""
    return re.sub(r"\\([\\'])", r"\1", inside)


def lua_text(inside: str) -> str:
    """What stands between double quotes: three digits are a byte."""
    assert re.fullmatch(r"(?:[ !#-\[\]-~]|\\[0-9]{3})*", inside), inside
    raw = re.sub(rb"\\([0-9]{3})", lambda match: bytes([int(match[1])]), inside.encode())
    return raw.decode()


def constants(program: str, *, lua: bool) -> Mapping[str, Any]:
    """The constants that a program begins with, by name."""
    pattern = r"^local ([A-Z_]+) = " if lua else r"^  ([A-Z_]+) = (?=['{\[\dn])"
    found = {}
    for match in re.finditer(pattern, program, re.MULTILINE):
        if match[1] in {"MOST_FIELDS", "ESCAPED"}:
            continue
        found[match[1]] = Reader(text=program, at=match.end(), lua=lua).value()
    return found


def lifted_by(program: str, names: Mapping[str, str]) -> frozenset[str]:
    """The concepts whose sign stands in a program."""
    return frozenset(concept for concept, sign in names.items() if sign in program)
