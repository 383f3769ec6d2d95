"""Secrets taken out of texts: of a record's message and of each of its fields."""

from __future__ import annotations

from collectors.tagging.model import Plan
from collectors.tagging.rsyslog_parts.text import quoted, regex, ruleset
from collectors.tagging.shipping import PRIVATE_KEY
from slo.collecting import MASK

_MOST = 64  # of one kind in one text; one with more is masked as a whole


def _any(plan: Plan) -> str | None:
    patterns = [f"({secret.pattern})" for secret in plan.secrets]
    return regex("|".join(patterns)) if patterns else None


def masking(plan: Plan) -> str:
    """A text in ``$.v`` without its secrets; each turn takes all that read like the first."""
    first, others = "", []
    for at, secret in enumerate(plan.secrets, 1):
        name, pattern = f"headroom_mask_{at}", regex(secret.pattern)
        first += f"    if re_match($.v, {pattern}) then {{ set $.left = {_MOST}; "
        first += f"call {name} }}\n"
        others.append(
            ruleset(
                name,
                f"  set $.v = replace($.v, re_extract($.v, {pattern}, 0, 0, ''), {quoted(MASK)});\n"
                "  set $.left = $.left - 1;\n"
                f"  if re_match($.v, {pattern}) then {{\n"
                f"    if $.left > 0 then {{ call {name} }}\n"
                f"    else {{ set $.v = {quoted(MASK)}; }}\n"
                "  }\n",
            )
        )
    found = _any(plan)
    body = "" if found is None else f"  if re_match($.v, {found}) then {{\n{first}  }}\n"
    return ruleset("headroom_mask", body or "  set $.left = 0;\n") + "".join(others)


def masked_field(plan: Plan) -> str:
    """Mask a value by its field's name, and what reads like a secret within it."""
    found = _any(plan)
    if found is None:
        return ""
    named = [f"re_match($.k & '=xxxxxxxx', {found})"]
    if plan.settings.redact_builtin:
        named.append(f"re_match(tolower($.k), {regex(PRIVATE_KEY)})")
    return (
        f"      if {' or '.join(named)} then {{ set $.v = {quoted(MASK)}; set $.json = ''; }}\n"
        f"      else if re_match($.v, {found}) then {{ call headroom_mask set $.json = ''; }}\n"
    )
