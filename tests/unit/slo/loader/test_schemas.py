"""JSON Schemas: they refuse what the loader refuses for its shape, and accept the rest."""

from functools import cache

import pytest
from jsonschema import Draft202012Validator

from slo.loader import KINDS, schema
from slo.loader.schemas import SHAPES
from slo.loader.shapes_windows import CATALOGUE
from slo.problems import has_errors
from slo.shape import schema_document
from slo.source import parse_documents, to_plain
from tests.unit.slo.loader.reading import Case, cases, problems_of


@cache
def validator(kind: str) -> Draft202012Validator:
    """Return a validator for a kind of document, or for a catalogue of windows."""
    own = schema_document(CATALOGUE, title="windows") if kind == "windows" else schema(kind)
    Draft202012Validator.check_schema(own)
    return Draft202012Validator(own)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.kind}: {case.name}")
def test_schema_judges_the_shape(case: Case) -> None:
    """A mistake of shape is refused by the schema too; others are beyond it."""
    documents, _ = parse_documents(case.text, "file.yaml")
    refused = any(
        not validator(case.kind).is_valid(to_plain(document.root)) for document in documents
    )
    assert case.shape == refused


def test_schema_never_refuses_what_the_loader_takes() -> None:
    """A text without an error is accepted by the schema."""
    sound = [case for case in cases() if not has_errors(problems_of(case))]
    assert sound
    assert not [case.name for case in sound if case.shape]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_schema(kind: str) -> None:
    """Each kind of document has a schema of draft 2020-12 with its own kind in it."""
    document = schema(kind)
    Draft202012Validator.check_schema(document)
    assert not validator(kind).is_valid({"apiVersion": "headroom/v1", "kind": "Other"})
    assert set(KINDS) == set(SHAPES)


@pytest.mark.parametrize("kind", ["App", "Workspace"])
def test_every_key_is_described(kind: str) -> None:
    """Editors show what a key means, so each says it in a sentence."""
    assert [] == list(_silent_keys(schema(kind), kind))


def _silent_keys(node: object, path: str) -> list[str]:
    if isinstance(node, list):
        return [each for item in node for each in _silent_keys(item, path)]
    if not isinstance(node, dict):
        return []
    silent = []
    properties = node.get("properties")
    for key, value in properties.items() if isinstance(properties, dict) else ():
        if not value.get("description"):
            silent.append(f"{path}.{key}")
        silent += _silent_keys(value, f"{path}.{key}")
    for key, value in node.items():
        if key != "properties":
            silent += _silent_keys(value, path)
    return silent
