"""Text that several collectors' files are written with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from collectors.tagging.yaml_blocks import block
from slo.printable import printable


def yaml_text(value: object, header: Sequence[str]) -> str:
    """YAML in the order given, below a comment; same value, same bytes."""
    return comment(header) + block(value)


def json_text(value: object) -> str:
    """JSON in the order given, which has no comments."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def comment(lines: Iterable[str], mark: str = "#") -> str:
    """A comment of these lines, each of which is one line whatever it holds."""
    return "".join(f"{mark} {printable(' '.join(line.split()))}".rstrip() + "\n" for line in lines)
