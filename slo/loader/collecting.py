"""The collectors' part of the workspace out of its file."""

from slo.collecting import Collecting, Destination, Secret
from slo.fields import Fields, Located
from slo.portable_regex import unportable
from slo.printable import quote
from slo.problems import Problem, error
from slo.promql import regex_problem


def build_collecting(fields: Fields | None, problems: list[Problem]) -> Collecting:
    """Return what collectors are configured for."""
    if fields is None:
        return Collecting()
    own = {pair.key.value: pair.value for pair in fields.pairs("redact", str)}
    return Collecting(
        use=fields.each("use", str),
        destination=Destination(fields.get("destination", str) or "otlp"),
        endpoint=fields.get("endpoint", str),
        versions=fields.mapping("versions", str),
        redact=tuple(
            Secret(name=name, pattern=each.value)
            for name, each in own.items()
            if _is_usable(each, problems)
        ),
        redact_builtin=fields.get("redactBuiltIn", bool) is not False,
    )


def _is_usable(pattern: Located[str], problems: list[Problem]) -> bool:
    trouble = regex_problem(pattern.value)
    if trouble is not None:
        message = f"this regular expression cannot be read: {trouble}"
        problems.append(error("spec/bad-regex", message, pattern.span))
        return False
    construct = unportable(pattern.value)
    if construct is not None:
        problems.append(
            error(
                "spec/bad-regex",
                f"{quote(construct)} does not mean the same in every collector",
                pattern.span,
                hint="write classes such as [0-9], [A-Za-z] and (a|b); no flags, no \\b",
            )
        )
        return False
    return True
