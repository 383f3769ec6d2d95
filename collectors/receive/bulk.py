"""Bodies of Elasticsearch's ``_bulk``: lines of actions and documents in turn, taken as logs.

Source: the Elasticsearch reference 8.15, "Bulk API". Other than there, a line that cannot be read
costs itself alone: the next line that is an action begins anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from collectors.joining import Joiner
from collectors.receive.batch import Batch, Memory, explained
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.inflate import digest
from collectors.receive.limits import Limits
from collectors.receive.logs import COLUMNS
from collectors.receive.plain import FieldMap
from collectors.receive.plain_records import PlainRecords, mended, read_object
from collectors.signals import Signal
from slo.records import dataclass

CREATED = 201
DEFAULT_INDEX = "logs-generic-default"
"""Where a document goes that is sent to no index, as Elastic's own agents have it."""

_ADDING = ("create", "index")
_ACTION = re.compile(rb'\s*\{\s*"(?:create|index|update|delete)"\s*:\s*\{')
_VERBS = frozenset({*_ADDING, "update", "delete"})
_METADATA = frozenset(
    {"_index", "_id", "_type", "routing", "_routing", "pipeline", "require_alias", "op_type"}
    | {"version", "version_type", "if_seq_no", "if_primary_term", "dynamic_templates"}
    | {"require_data_stream", "list_executed_pipelines", "retry_on_conflict", "_source"}
)
_ILLEGAL = "illegal_argument_exception"
_UNREADABLE = "document_parsing_exception"
_LONGEST_NAME = 512
_OTHERS: Mapping[str, str] = {
    "traces": "this address takes logs; send spans by OTLP to /v1/traces",
    "metrics": "this address takes logs; send metrics by OTLP to /v1/metrics or by remote write",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What became of one action; ``kind`` and ``reason`` say why it was refused."""

    action: str
    index: str
    id: str
    status: int = CREATED
    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk(Decoded):
    """The logs of a bulk request; rows of the table are the items that were created, in order."""

    items: Sequence[Item] = ()

    def keeping(self, kept: Sequence[bool | None], reason: str) -> Bulk:
        """The same once some rows were taken out of the table; ``kept`` tells which were not."""
        told = iter(kept)
        items = [
            each
            if each.status != CREATED or next(told)
            else replace(each, status=403, kind="security_exception", reason=reason)
            for each in self.items
        ]
        return replace(self, items=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    verb: str
    index: str | None
    id: str | None
    fault: str = ""


_NO_ACTION = _Action(verb="index", index=None, id=None, fault="the line is no action")


class BulkDecoder:
    """Decodes bulk requests; documents are ECS or plain JSON, with nested or dotted names."""

    def __init__(
        self, joiner: Joiner, *, fields: FieldMap | None = None, limits: Limits | None = None
    ) -> None:
        self.limits = Limits() if limits is None else limits
        self._memory = Memory(joiner, self.limits)
        self._plain = PlainRecords(self._memory, FieldMap() if fields is None else fields)

    def decode(self, body: bytes, *, at: int, index: str | None = None) -> Bulk:
        """Decode a body; ``index`` is where actions go that name none.

        ``at`` is the time, in Unix nanoseconds, of documents that have none. Raises ``Refused``:
        400 for a body without any line, 413 for more actions than a request may have.
        """
        # Counted before anything is made of them: an action may be ten bytes long.
        if body.count(b"\n") > 2 * self.limits.records:
            raise self._too_many()
        request = _Request(default=index or DEFAULT_INDEX, body=body, batch=Batch(self._memory, at))
        for action, document in _pairs(body, self.limits):
            if len(request.items) >= self.limits.records:
                raise self._too_many()
            reason = action.fault
            if not reason and action.verb not in _ADDING:
                reason = f"documents are only ever added here, and {action.verb} does not add"
            if not reason and document is None:
                reason = "no document follows the action"
            if reason or document is None:
                request.refuse(action, reason)
            else:
                self._take(request, action, document)
        return request.finished()

    def _take(self, request: _Request, action: _Action, line: bytes) -> None:
        try:
            value = mended(line, read_object(line, self.limits))
            if (other := _other_signal(action.index or request.default, value)) is not None:
                request.refuse(action, other)
                return
            self._plain.add(request.batch, value)
        except Refused as error:
            request.refuse(action, str(error).replace("the body", "the document"), _UNREADABLE)
        except ValueError as error:
            request.refuse(action, explained(error), _UNREADABLE)
        else:
            request.accept(action)

    def _too_many(self) -> Refused:
        return Refused(413, f"a request may have {self.limits.records} actions at most")


class _Request:
    """One body in the making: its rows, and an item for each of its actions."""

    __slots__ = ("_name", "batch", "default", "items")

    def __init__(self, *, default: str, body: bytes, batch: Batch) -> None:
        self.default = default
        self.batch = batch
        self.items: list[Item] = []
        # The same body sent again is answered with the same identifiers.
        self._name = digest(default.encode() + b"\0" + body).hex()[:13]

    def accept(self, action: _Action) -> None:
        """Count an action whose row is in the batch."""
        self.items.append(
            Item(action=action.verb, index=action.index or self.default, id=self._id(action))
        )

    def refuse(self, action: _Action, reason: str, kind: str = _ILLEGAL) -> None:
        """Count an action that has no row, and say why."""
        self.batch.rejects.add(f"action {len(self.items) + 1}: {reason}")
        self.items.append(
            Item(
                action=action.verb,
                index=action.index or self.default,
                id=self._id(action),
                status=400,
                kind=kind,
                reason=reason,
            )
        )

    def finished(self) -> Bulk:
        """Make the table; raises ``Refused`` for a body without actions."""
        if not self.items:
            raise Refused(400, "the body has no actions")
        found = self.batch.decoded(Signal.LOGS, COLUMNS)
        return Bulk(
            signal=found.signal,
            table=found.table,
            rejected=found.rejected,
            reason=found.reason,
            items=self.items,
        )

    def _id(self, action: _Action) -> str:
        return action.id or f"{self._name}{len(self.items):07x}"


def _pairs(body: bytes, limits: Limits) -> Iterator[tuple[_Action, bytes | None]]:
    """Yield actions with their documents; without one where none follows, and for ``delete``."""
    waiting: _Action | None = None
    known: tuple[bytes, _Action | None] = (b"", None)
    lost = False
    for line in body.split(b"\n"):
        if waiting is None and not line.strip():
            continue
        action = None
        if _ACTION.match(line):
            # Senders repeat the same action for document after document.
            known = known if line == known[0] else (line, _read_action(line, limits))
            action = known[1]
        if action is not None:
            if waiting is not None:
                yield waiting, None
            waiting, lost = action, False
            if action.verb == "delete":
                yield action, None
                waiting = None
        elif waiting is not None:
            yield waiting, line
            waiting = None
        else:
            # What follows may be the document of what should have been an action.
            if not lost:
                yield _NO_ACTION, None
            lost = not lost
    if waiting is not None:
        yield waiting, None


def _read_action(line: bytes, limits: Limits) -> _Action | None:
    """Read a line as an action, ``None`` for what is none."""
    try:
        value = mended(line, read_object(line, limits))
    except (Refused, ValueError):
        return None
    verb, said = next(iter(value.items()), ("", None))
    if len(value) != 1 or verb not in _VERBS or not isinstance(said, dict):
        return None
    if not said.keys() <= _METADATA:
        return None
    index, name = said.get("_index"), said.get("_id")
    fault = ""
    for key, text in (("_index", index), ("_id", name)):
        if text is not None and not (isinstance(text, str) and 0 < len(text) <= _LONGEST_NAME):
            fault = f"{key} is no text of 1 to {_LONGEST_NAME} characters"
    return _Action(
        verb=verb,
        index=index if isinstance(index, str) and not fault else None,
        id=name if isinstance(name, str) and not fault else None,
        fault=fault,
    )


def _other_signal(index: str, value: Mapping[str, object]) -> str | None:
    """Why a document is not a log: its stream's name or its own fields say what else it is."""
    stream = value.get("data_stream")
    said = stream.get("type") if isinstance(stream, dict) else value.get("data_stream.type")
    kind, dash, _ = index.partition("-")
    for each in (kind if dash else None, said):
        if isinstance(each, str) and each in _OTHERS:
            return _OTHERS[each]
    return None
