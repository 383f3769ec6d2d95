"""Expressions compared as texts: what differs besides numbers."""

import re

# What is no plain number comes first: strings, ranges, and words, which durations begin or end.
NUMBER = re.compile(
    r"""(?P<other>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\]|[A-Za-z_:][\w:.]*
    |\d+(?:ms|[smhdwy])\w*)|(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)""",
    re.VERBOSE,
)


def changed_numbers(old: str, new: str) -> tuple[str, str] | None:
    """Return the numbers that differ where two expressions differ in nothing else."""
    before, after = _numbers(old), _numbers(new)
    if before[0] != after[0]:
        return None
    changed = dict.fromkeys(
        pair for pair in zip(before[1], after[1], strict=True) if pair[0] != pair[1]
    )
    return ", ".join(pair[0] for pair in changed), ", ".join(pair[1] for pair in changed)


def _numbers(expression: str) -> tuple[str, list[str]]:
    """Return an expression with its plain numbers taken out, and those."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        if match["number"] is None:
            return match[0]
        found.append(match["number"])
        return "\0"

    return NUMBER.sub(take, expression), found
