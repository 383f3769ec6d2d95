"""JSON Schemas of the kinds of documents, from the very shapes that read them."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from slo.shape import Record, schema_document

SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "App": "slo.loader.shapes_app:APP",
        "GatePolicy": "slo.gate.loader:GATE_POLICY",
        "IndicatorTemplate": "slo.templates.template:DOCUMENT",
        "Workspace": "slo.loader.shapes_workspace:WORKSPACE",
    }
)
"""The shape of each kind of document by the place where it is defined."""


def schema(kind: str) -> dict[str, object]:
    """Return the JSON Schema of a kind, draft 2020-12; raises `KeyError` for an unknown one."""
    return schema_document(shape_of(kind), title=f"Headroom {kind}")


def shape_of(kind: str) -> Record:
    """Return the shape of a kind of document; raises `KeyError` for an unknown one."""
    module, _, name = SHAPES[kind].partition(":")
    shape = getattr(import_module(module), name)
    assert isinstance(shape, Record)
    return shape
