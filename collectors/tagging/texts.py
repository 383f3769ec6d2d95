"""Text that several collectors' files are written with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import yaml

from slo.printable import printable

_WIDTH = 10_000


class _Dumper(yaml.SafeDumper):
    """YAML without aliases: a reader of a configuration file looks for the value itself."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def increase_indent(self, *args: object, **options: object) -> None:
        # Items of a list stand deeper than its key, as collectors' own examples have it.
        super().increase_indent(flow=bool(args and args[0]) or bool(options.get("flow")))


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Several lines as a literal block; everything that YAML could take for another type quoted."""
    if "\n" in value and not any(line != line.rstrip() for line in value.split("\n")):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    # YAML 1.1 and 1.2 differ in what is a number or a boolean: `on`, `1_0`, `0o7`, `1:30`.
    plain = value[:1].isalpha() and value.lower() not in _WORDS
    safe = plain and all(char.isalnum() or char in "-_./" for char in value)
    style = None if safe else "'" if value.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"}
_Dumper.add_representer(str, _text)


def yaml_text(value: object, header: Sequence[str]) -> str:
    """YAML in the order given, below a comment; same value, same bytes."""
    body: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return comment(header) + body


def json_text(value: object) -> str:
    """JSON in the order given, which has no comments."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def comment(lines: Iterable[str], mark: str = "#") -> str:
    """A comment of these lines, each of which is one line whatever it holds."""
    return "".join(f"{mark} {printable(' '.join(line.split()))}".rstrip() + "\n" for line in lines)
