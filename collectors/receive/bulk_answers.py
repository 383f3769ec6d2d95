"""What Elasticsearch answers to ``_bulk``, and how it says that something is wrong."""

from __future__ import annotations

from collectors.receive.bulk import CREATED, Bulk, Item
from collectors.receive.limits import cut
from collectors.receive.values import dumps

_LONGEST = 1000


def bulk_answer(bulk: Bulk, took: int) -> bytes:
    """The body of a 200: what became of each action, in order; ``took`` is in milliseconds."""
    errors = "true" if any(each.status != CREATED for each in bulk.items) else "false"
    items = ",".join(_item(each) for each in bulk.items)
    return f'{{"took":{took},"errors":{errors},"items":[{items}]}}'.encode()


def bulk_refusal(status: int, kind: str, reason: str) -> bytes:
    """The body of a 4xx or 5xx for a whole request."""
    cause = {"type": kind, "reason": cut(reason, _LONGEST)}
    return dumps({"error": {"root_cause": [cause], **cause}, "status": status}).encode()


def _item(item: Item) -> str:
    names = f'"_index":{dumps(item.index)},"_id":{dumps(item.id)}'
    if item.status != CREATED:
        error = dumps({"type": item.kind, "reason": cut(item.reason, _LONGEST)})
        return f'{{"{item.action}":{{{names},"status":{item.status},"error":{error}}}}}'
    return (
        f'{{"{item.action}":{{{names},"_version":1,"result":"created",'
        '"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1,'
        f'"status":{item.status}}}}}'
    )
