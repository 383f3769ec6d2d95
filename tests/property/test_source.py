"""Whatever the text, parsing gives documents and problems."""

import time

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.problems import Problem, render_all, to_json
from slo.shape import Anything, DurationText, Field, ListOf, MapOf, Percent, Record, Text
from slo.source import Document, decode, parse_documents, to_plain

PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        "- ",
        "  ",
        "&x ",
        "*x",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "# c",
        "? ",
        "!!str ",
        "!t ",
        "<<: ",
        "~",
        "%YAML 1.1",
        "0",
        "\\",
        ": ",
        "|\n",
        ">\n",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "---\n",
        "...\n",
        "\x00",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\xe9\U0001f600",
        '"\\ud800"',
        '"\\U99999999"',
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.text(st.characters(exclude_categories=[]), max_size=60),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_any_text_gives_documents_and_problems(text: str) -> None:
    """Nothing is raised, in bounded time; every problem has a place in the file and renders."""
    start = time.monotonic()
    documents, problems = parse_documents(text, "f")
    assert time.monotonic() - start < 2
    assert all(isinstance(each, Document) for each in documents)
    for document in documents:
        to_plain(document.root)
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.span is not None
        assert 1 <= problem.span.line <= text.count("\n") + text.count("\r") + 1
        to_json(problem)
    shown = render_all(problems, lambda _: text)
    assert all(line.isprintable() for line in shown.split("\n"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_text_and_problems(content: bytes) -> None:
    """Bytes of any kind decode to text that can be parsed."""
    text, _ = decode(content, "f")
    parse_documents(text, "f")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.text("abcé: -#'\"\\\n", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abno", min_size=1), inner),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON.filter(lambda value: value is not None))
def test_written_yaml_reads_back(value: object) -> None:
    """What PyYAML writes is read as the same data."""
    documents, problems = parse_documents(yaml.safe_dump(value, allow_unicode=True), "f")
    assert not problems
    assert [value] == [to_plain(document.root) for document in documents]


SHAPE = Record(
    fields={
        "a": Field(shape=Percent(), required=True),
        "b": Field(shape=ListOf(shape=DurationText(), min_items=1)),
        "x": Field(shape=MapOf(key=Text(pattern="[a-z]+"), shape=Anything())),
    },
    forbid_together=(("b", "x"),),
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_can_be_read_by_a_shape(text: str) -> None:
    """A shape reads any tree into values or problems; without an error the record is complete."""
    documents, _ = parse_documents(text, "f")
    for document in documents:
        problems: list[Problem] = []
        SHAPE.read(document.root, problems)
        assert all(problem.span is not None for problem in problems)
