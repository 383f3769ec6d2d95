"""The program in Ruby that Fluentd and Logstash share: one record in, one document out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.tagging.expressions import written
from collectors.tagging.model import Plan
from collectors.tagging.ruby_program import PROGRAM
from collectors.tagging.shipping import HOST, Reading
from collectors.tagging.tables import constants, nobody


def quoted(text: str) -> str:
    """A text as a literal in which Ruby expands nothing."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def literal(value: object, depth: int = 1) -> str:
    """Texts, numbers, booleans, lists and mappings as a literal of Ruby."""
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(each, depth) for each in value)}]"
    if isinstance(value, Mapping):
        start = "  " * depth
        lines = "".join(
            f"{start}  {quoted(str(key))} => {literal(each, depth + 1)},\n"
            for key, each in value.items()
        )
        return f"{{\n{lines}{start}}}" if lines else "{}"
    return str(value)


def expression(pattern: str) -> str:
    """A portable expression as Ruby has it; ``^`` alone would match at every line."""
    return written(pattern, start="\\A", end="\\z")


def module(plan: Plan, found: Sequence[Reading], use: str) -> str:
    """The module: what it looks into, then what it does; ``use`` is how its host calls it."""
    names = {
        **constants(plan, found, expression),
        "HOST": HOST,
        "NOBODY": nobody(plan),
    }
    values = "".join(f"  {name} = {literal(value)}\n" for name, value in names.items())
    return (
        "# encoding: utf-8\n"
        "# frozen_string_literal: true\n\n"
        "require 'json'\nrequire 'time'\nrequire 'socket'\n\n"
        f"module Headroom\n{values}{PROGRAM}{use}end\n"
    )
