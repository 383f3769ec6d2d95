"""Logstash's pipelines, by the grammar of its own compiler, as the ways of records."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.collectors.tagging.graphs.model import Path
from tests.unit.collectors.tagging.graphs.programs import constants, lifted_by

_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*\r?\n)*")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"((?:\\"|[^"])*)"|' + r"'((?:\\'|[^'])*)'")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
_BAREWORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
_CONDITION = re.compile(r'if "[^"]*" in \[[^\]]+\]')
_VARIABLE = re.compile(r"\$\{[A-Z_]+:([^}]*)\}")


@dataclass(kw_only=True)
class Plugin:
    """A plugin with its settings; a codec is the value of a setting."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    condition: str | None = None


class Parser:
    """A place in a pipeline's text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def skip(self) -> None:
        """Move over spaces and comments."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def take(self, sign: str) -> bool:
        """Move over a sign if it stands here."""
        self.skip()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def expect(self, sign: str) -> None:
        """Move over a sign that must stand here."""
        assert self.take(sign), f"no {sign} at {self.text[self.at : self.at + 40]!r}"

    def word(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Move over what a pattern matches here."""
        self.skip()
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def sections(self) -> dict[str, list[Plugin]]:
        """The sections of a pipeline."""
        found: dict[str, list[Plugin]] = {}
        self.skip()
        while self.at < len(self.text):
            name = self.word(_NAME)
            assert name is not None
            assert name[0] in {"input", "filter", "output"}
            self.expect("{")
            found[name[0]] = self.plugins(None)
            self.skip()
        return found

    def plugins(self, condition: str | None) -> list[Plugin]:
        """Plugins and conditions up to the end of what they stand in."""
        found: list[Plugin] = []
        while not self.take("}"):
            branch = self.word(_CONDITION)
            if branch is not None:
                self.expect("{")
                found += self.plugins(branch[0])
                continue
            name = self.word(_NAME)
            assert name is not None
            found.append(self.plugin(name[0], condition))
        return found

    def plugin(self, name: str, condition: str | None) -> Plugin:
        """A plugin from its brace on."""
        self.expect("{")
        settings: dict[str, Any] = {}
        while not self.take("}"):
            key = self.word(_NAME)
            assert key is not None, self.text[self.at : self.at + 40]
            self.expect("=>")
            assert key[0] not in settings
            settings[key[0]] = self.value()
            assert self.text[self.at] in " \t\r\n"
        return Plugin(name=name, settings=settings, condition=condition)

    def value(self) -> Any:
        """A value as the grammar has it."""
        if self.take("["):
            return self.items()
        if self.take("{"):
            return self.entries()
        string = self.word(_STRING)
        if string is not None:
            return text_of(string[1] if string[1] is not None else string[2])
        number = self.word(_NUMBER)
        if number is not None:
            return int(number[0])
        word = self.word(_BAREWORD)
        assert word is not None
        if re.compile(r"\s*\{").match(self.text, self.at):
            return self.plugin(word[0], None)
        return {"true": True, "false": False}[word[0]]

    def items(self) -> list[Any]:
        """An array from behind its bracket on."""
        found = []
        while not self.take("]"):
            found.append(self.value())
            if not self.take(","):
                self.expect("]")
                break
        return found

    def entries(self) -> dict[str, Any]:
        """A hash from behind its brace on."""
        found = {}
        while not self.take("}"):
            key = self.value()
            self.expect("=>")
            found[key] = self.value()
        return found


def text_of(inside: str) -> str:
    """A text that means the same with `config.support_escapes` and without, variables expanded."""
    for match in re.finditer(r"\\(.)", inside, re.DOTALL):
        assert match[1] not in "\"'\\nrt0", inside
    expanded = _VARIABLE.sub(lambda match: match[1], inside)
    assert "${" not in expanded, inside
    return expanded


def parsed(text: str) -> dict[str, list[Plugin]]:
    """A pipeline's sections; what the compiler would refuse is refused."""
    return Parser(text).sections()


def paths(files: Mapping[str, str]) -> tuple[Path, ...]:
    """Every way from an input to the output, through both pipelines."""
    intake = parsed(files["headroom-intake.conf"])
    delivery = parsed(files["headroom-delivery.conf"])
    (entry,), (output,) = delivery["input"], delivery["output"]
    (sent,) = intake["output"]
    assert [entry.settings["address"]] == sent.settings["send_to"]
    assert "ruby" == intake["filter"][0].name
    program = files["headroom.rb"]
    lifted = lifted_by(program, {"trace": "'trace' => 32", "span": "'span' => 16"})
    lifted |= lifted_by(program, {"version": "found['service.version'] ="})
    sources = constants(program, lua=False)["SOURCES"]
    found = []
    for each in intake["input"]:
        name = each.settings["add_field"]["[@metadata][headroom]"]
        for key, source in sources.items():
            if key == name or name == source["kind"] == "syslog":
                found.append(
                    Path(
                        source=f"{each.name} {key}",
                        tags=source["tags"],
                        lifted=lifted,
                        output=output.name,
                    )
                )
    return tuple(found)
