"""Processors that take secrets out before anything is written to disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collectors.tagging.model import Plan
from collectors.tagging.otelcol_parts.text import quoted
from slo.collecting import MASK, Secret

_PRIVATE_KEYS = "(?i)(^|[._-])(password|passwd|secret|api[_-]?key|access[_-]?token)$"
_IDENTITIES = ("container.id", "k8s.pod.uid", "k8s.pod.name", "service.instance.id")


def masked(secrets: Iterable[Secret]) -> dict[str, Any]:
    """The processor that takes secrets out of messages and of fields of log records."""
    path, kept = 'log.attributes["log.file.path"]', 'log.cache["path"]'
    mask = quoted(MASK)
    statements = [f"set({kept}, {path}) where {path} != nil"]
    for secret in secrets:
        pattern = quoted(secret.pattern)
        statements += [
            f"replace_pattern(log.body, {pattern}, {mask}) where IsString(log.body)",
            f'replace_all_patterns(log.attributes, "value", {pattern}, {mask})',
        ]
    # Digits in the path of a file are no card, and the path is the file's identity.
    statements.append(f"set({path}, {kept}) where {kept} != nil")
    return {
        "error_mode": "silent",
        "log_statements": [{"context": "log", "statements": statements}],
    }


def redaction(plan: Plan) -> dict[str, Any]:
    """The processor that masks what is left: by names of fields, inside bodies, in every signal."""
    return {
        "allow_all_keys": True,
        "ignored_keys": [*_IDENTITIES, "log.file.path"],
        "blocked_values": [secret.pattern for secret in plan.secrets],
        **({"blocked_key_patterns": [_PRIVATE_KEYS]} if plan.settings.redact_builtin else {}),
        "summary": "silent",
    }
