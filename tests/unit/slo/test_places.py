"""Places inside a value."""

import pytest

from slo.places import place_within
from slo.source import Mapping, Scalar, parse_documents


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("k: sum(foo)\n", "foo", (1, 8, 11)),
        ("\ufeffk: 'sum(foo)'\r\n", "foo", (1, 9, 12)),
        ('k: &a "sum(foo)"\n', "foo", (1, 12, 15)),
        ("k: |\n  sum(\n    foo\n  )\n", "foo", (3, 5, 8)),
        ("k: |-\n\n  a\n  bar\n", "bar", (4, 3, 6)),
        ('k: "sum(\\"foo)"\n', "foo", (1, 4, 16)),
        ("k: >-\n  a\n  foo\n", "foo", (1, 4, 1)),
        ("k: |\n  foo\n  foo\n", "foo", (1, 4, 1)),
    ],
)
def test_part_of_a_value_has_a_place(text: str, word: str, expected: tuple[int, int, int]) -> None:
    """A part of a plain, quoted or literal value is found; else the whole value is named."""
    documents, problems = parse_documents(text, "f")
    assert () == problems
    mapping = documents[0].root
    assert isinstance(mapping, Mapping)
    node = mapping.entries[0].value
    assert isinstance(node, Scalar)
    start = node.text.index(word)
    span = place_within(node, start, start + len(word), text)
    assert expected == (span.line, span.column, span.end_column)
