"""Places of values that the model does not keep, looked up in the file when a problem needs one."""

from __future__ import annotations

from collections.abc import Sequence

from slo.nodes import Mapping, Node, Scalar
from slo.nodes import Sequence as Items
from slo.problems import Span
from slo.source import parse_documents


def place_of(
    value: str, keys: Sequence[str], text: str, file: str, *, document: Span | None = None
) -> Span | None:
    """Return where a value stands below keys of a document, or None where it does not.

    Below a list the first item that holds the value counts. ``document`` is the place of the
    ``metadata.name`` of the document that is meant; without it, each is looked through.
    """
    documents, _ = parse_documents(text, file)
    for each in documents:
        name = _below(each.root, ("metadata", "name"))
        if document is not None and (name is None or name.span != document):
            continue
        found = _find(each.root, keys, value)
        if found is not None:
            return found
    return None


def _below(node: Node | None, keys: Sequence[str]) -> Node | None:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _find(node: Node | None, keys: Sequence[str], value: str) -> Span | None:
    if isinstance(node, Items):
        places = (_find(item, keys, value) for item in node.items)
        return next((place for place in places if place is not None), None)
    if keys:
        below = node.get(keys[0]) if isinstance(node, Mapping) else None
        return _find(below, keys[1:], value)
    return node.span if isinstance(node, Scalar) and node.text == value else None
