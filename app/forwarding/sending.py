"""Documents to a cluster, until it has taken or refused each one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from app.forwarding.dead_letters import Refused
from app.forwarding.documents import Document
from collectors.elastic.refusal import Refusal
from slo.errors import SourceError
from slo.records import dataclass

_MOST = 1000
_LARGEST = 4 * 1024 * 1024
_TAKEN = range(200, 300)
_THERE_ALREADY = 409
_TOO_LARGE = 413
# A right that is missing, a stream that nobody may make yet, a node that is busy or gone: these
# pass, or somebody mends them. What is left is wrong with the document itself.
_PASSING = frozenset({401, 403, 404, 408, 429})
_BROKEN = 500


class Bulk(Protocol):
    """What sends a bulk request; `collectors.elastic.client.Cluster` does."""

    def bulk(self, lines: bytes, *, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Send actions and documents; raises ``SourceError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What became of documents: ``trouble`` says why some must be sent again."""

    taken: int = 0
    refused: tuple[Refused, ...] = ()
    again: tuple[Document, ...] = ()
    trouble: str = ""


def batches(documents: Iterator[Document]) -> Iterator[list[Document]]:
    """Cut documents into requests of a thousand, or four MiB."""
    found: list[Document] = []
    size = 0
    for each in documents:
        length = len(each.text)
        if found and (len(found) >= _MOST or size + length > _LARGEST):
            yield found
            found, size = [], 0
        found.append(each)
        size += length
    if found:
        yield found


def send(cluster: Bulk, documents: Sequence[Document]) -> Fates:
    """Send one request; it never raises for what a cluster may answer."""
    body = "".join(each.lines for each in documents).encode(errors="replace")
    try:
        # Records are parsed and have their owner already; a pipeline would do it again.
        answer = cluster.bulk(body, params={"pipeline": "_none"})
    except Refusal as refusal:
        return _refused(cluster, documents, refusal)
    except SourceError as error:
        return Fates(again=tuple(documents), trouble=str(error))
    items = answer["items"]
    if len(items) != len(documents):
        return Fates(again=tuple(documents), trouble="the answer lacks the fates of documents")
    return _fates(documents, items)


def _fates(documents: Sequence[Document], items: Sequence[Mapping[str, Any]]) -> Fates:
    taken, trouble = 0, ""
    refused: list[Refused] = []
    again: list[Document] = []
    for document, item in zip(documents, items, strict=True):
        said: Mapping[str, Any] = next(iter(item.values()))
        status = int(said["status"])
        if status in _TAKEN or status == _THERE_ALREADY:
            taken += 1
            continue
        kind, reason = _cause(said.get("error"))
        if status in _PASSING or status >= _BROKEN:
            again.append(document)
            trouble = trouble or f"{document.index} ({status}): {kind}: {reason}"
        else:
            refused.append(Refused(document=document, status=status, kind=kind, reason=reason))
    return Fates(taken=taken, refused=tuple(refused), again=tuple(again), trouble=trouble)


def _refused(cluster: Bulk, documents: Sequence[Document], refusal: Refusal) -> Fates:
    """Find out by halves which document it is that a cluster refuses a whole request for."""
    if refusal.status in _PASSING:
        return Fates(again=tuple(documents), trouble=str(refusal))
    if len(documents) == 1:
        (document,) = documents
        kind = refusal.kind or ("too_large" if refusal.status == _TOO_LARGE else "refused")
        found = Refused(document=document, status=refusal.status, kind=kind, reason=refusal.reason)
        return Fates(refused=(found,))
    middle = len(documents) // 2
    first, second = send(cluster, documents[:middle]), send(cluster, documents[middle:])
    return Fates(
        taken=first.taken + second.taken,
        refused=(*first.refused, *second.refused),
        again=(*first.again, *second.again),
        trouble=first.trouble or second.trouble,
    )


def _cause(error: object) -> tuple[str, str]:
    if not isinstance(error, Mapping):
        return "", str(error or "")
    reason = str(error.get("reason") or "")
    deeper = error.get("caused_by")
    if isinstance(deeper, Mapping) and deeper.get("reason"):
        reason = f"{reason}: {deeper['reason']}"
    return str(error.get("type") or ""), reason[:1000]
