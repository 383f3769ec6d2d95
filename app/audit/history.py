"""Reading decisions back out of an audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from app.audit.errors import AuditError
from app.audit.lines import read_line
from slo.units import UnitError, parse_time

Record = Mapping[str, object]


def decisions(
    path: Path, app: str, env: str, *, since: datetime, until: datetime
) -> tuple[tuple[datetime, Record], ...]:
    """Return the records on an application in an environment, by their time of evaluation.

    From ``since`` on and before ``until``. Lines that cannot be read are passed over, and a log
    that does not exist has none; whether a log is whole is for `verify` to say. Raises
    `AuditError` for one that cannot be read.
    """
    needle = f'"app":{json.dumps(app, ensure_ascii=False)},'.encode("utf-8", "backslashreplace")
    try:
        with path.open("rb") as lines:
            mine = [_decision(line, app, env) for line in lines if needle in line]
    except FileNotFoundError:
        return ()
    except OSError as cause:
        raise AuditError(
            f"the audit log {path} cannot be read: {cause.strerror or cause}"
        ) from cause
    found = [each for each in mine if each is not None and since <= each[0] < until]
    return tuple(sorted(found, key=lambda each: each[0]))


def _decision(line: bytes, app: str, env: str) -> tuple[datetime, Record] | None:
    found = read_line(line)
    record: Record = {} if found is None else found[0]
    subject, at = record.get("subject"), record.get("evaluatedAt")
    if not isinstance(subject, dict) or not isinstance(at, str):
        return None
    if (subject.get("app"), subject.get("environment")) != (app, env):
        return None
    try:
        return parse_time(at), record
    except UnitError:
        return None
