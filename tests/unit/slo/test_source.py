"""YAML text to nodes: what is kept, what is refused, and where it stands."""

from collections.abc import Iterator

import pytest
import yaml

from slo import source
from slo.problems import Problem
from slo.source import Limits, Mapping, Scalar, Sequence, Style, decode, parse_documents, to_plain


@pytest.fixture(params=["C", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every behaviour holds for both parsers of PyYAML."""
    before = source.PARSER
    source.PARSER = yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader
    yield
    source.PARSER = before


def data(text: str) -> list[object]:
    """Return the data of a text without a problem."""
    documents, problems = parse_documents(text, "f.yaml")
    assert () == problems
    return [to_plain(document.root) for document in documents]


def complaints(text: str, *, limits: Limits = source.DEFAULT_LIMITS) -> list[tuple[str, str]]:
    """Return the id and place of every problem."""
    _, problems = parse_documents(text, "f", limits=limits)
    return [(problem.id, place(problem)) for problem in problems]


def place(problem: Problem) -> str:
    """Return line and column of a problem."""
    assert problem.span is not None
    return f"{problem.span.line}:{problem.span.column}"


def root(text: str) -> Mapping:
    """Return the mapping that the first document is."""
    documents, _ = parse_documents(text, "f.yaml")
    node = documents[0].root
    assert isinstance(node, Mapping)
    return node


def scalar(text: str) -> Scalar:
    """Return the value of the first key."""
    node = root(text).entries[0].value
    assert isinstance(node, Scalar)
    return node


def test_documents_become_trees() -> None:
    """Mappings, lists and scalars come back, document by document."""
    assert [{"a": [1, {"b": "x"}]}, ["y"]] == data("a:\n- 1\n- {b: x}\n---\n- y\n")


@pytest.mark.parametrize("text", ["", "---\n", "# only a comment\n", "---\n---\n~\n", "\ufeff"])
def test_empty_documents_are_skipped(text: str) -> None:
    """A document without content is none."""
    assert [] == data(text)


@pytest.mark.parametrize("text", ["no", "off", "12:30:00", "1.10", "0o17", "2026-12-20", "1_000"])
def test_plain_text_keeps_its_spelling(text: str) -> None:
    """Nothing is resolved by YAML 1.1: the text of a plain scalar is what the file holds."""
    assert (text, Style.PLAIN) == (scalar(f"k: {text}").text, scalar(f"k: {text}").style)


def test_surprising_keys_stay_text() -> None:
    """`no` is a key like any other, and its value stays `off`."""
    entry = root("no: off").entries[0]
    assert "no" == entry.key.text
    assert isinstance(entry.value, Scalar)
    assert "off" == entry.value.text


@pytest.mark.parametrize(
    ("text", "value", "style"),
    [
        ("k: 'it''s'", "it's", Style.QUOTED),
        ('k: "tab\\t"', "tab\t", Style.QUOTED),
        ("k: |\n  a\n  b\n", "a\nb\n", Style.BLOCK),
        ("k: >-\n  a\n  b\n", "a b", Style.BLOCK),
        ("k: !!str 3", "3", Style.QUOTED),
        ("k: ! 3", "3", Style.QUOTED),
    ],
)
def test_styles_are_kept(text: str, value: str, style: Style) -> None:
    """A scalar says how it was written; a string tag is as good as quotes."""
    assert (value, style) == (scalar(text).text, scalar(text).style)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null_is_plain_only(text: str) -> None:
    """Null is an unquoted null; the quoted word is text."""
    assert scalar(f"k: {text}").is_null
    assert not scalar(f"k: '{text}'").is_null


def test_spans_count_characters() -> None:
    """Lines and columns count from 1 in characters, behind a mark and CRLF, ends exclusive."""
    node = root("\ufeffé😀: one\r\nnext: [1, 22]\r\n\r\n# end\r\n")
    first, second = node.entries
    spans = [node.span, first.key.span, first.value.span, second.value.span]
    expected = [(1, 1, 2, 14), (1, 1, 1, 3), (1, 5, 1, 8), (2, 7, 2, 14)]
    assert expected == [(s.line, s.column, s.end_line, s.end_column) for s in spans]


def test_block_collection_ends_at_its_last_value() -> None:
    """Blank lines and comments behind a collection do not belong to it."""
    value = root("a:\n  - b\n  - c # why\n\n# more\nd: 1\n").entries[0].value
    assert isinstance(value, Sequence)
    assert (2, 3, 3, 6) == (
        value.span.line,
        value.span.column,
        value.span.end_line,
        value.span.end_column,
    )


def test_aliases_stand_for_their_anchors() -> None:
    """An alias gives the anchor's node, in keys and values, and the newest one."""
    assert [{"a": {"x": 1}, "b": {"x": 1}}] == data("a: &n {x: 1}\nb: *n\n")
    assert [{"a": 1, "b": 2, "c": 2}] == data("a: &n 1\nb: &n 2\nc: *n\n")
    assert [{"a": "k", "k": 1}] == data("a: &n k\n*n : 1\n")


def test_anchors_end_with_their_document() -> None:
    """An alias reaches no other document."""
    assert [("yaml/unknown-alias", "3:4")] == complaints("a: &n 1\n---\nb: *n\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: 1\nb: 2\na: 3\n'a': 4\n",
            [("yaml/duplicate-key", "3:1"), ("yaml/duplicate-key", "4:1")],
        ),
        ("<<: {a: 1}\n", [("yaml/merge-key", "1:1")]),
        ("? [a]\n: 1\n? {b: c}\n: 2\n", [("yaml/complex-key", "1:3"), ("yaml/complex-key", "3:3")]),
        ("~: 1\n", [("yaml/null-key", "1:1")]),
        ("?\n: 1\n", [("yaml/null-key", "1:2")]),
        ("a: !!python/object/apply:os.system [x]\n", [("yaml/tag", "1:4")]),
        ("a: !mine 1\nb: !!int 2\n", [("yaml/tag", "1:4"), ("yaml/tag", "2:4")]),
        ("a: !!map [1]\n", [("yaml/tag", "1:4")]),
        ("a: &x [*x]\n", [("yaml/self-reference", "1:8")]),
        ("a: &x {b: {c: *x}}\n", [("yaml/self-reference", "1:15")]),
        ("a: *x\n", [("yaml/unknown-alias", "1:4")]),
        ("*x : 1\n", [("yaml/unknown-alias", "1:1")]),
        ("a:\n\tb: 1\n", [("yaml/tab", "2:1")]),
        ("a: b: c\n", [("yaml/syntax", "1:5")]),
        ("k: @x\n", [("yaml/syntax", "1:4")]),
        ("k: %x\n", [("yaml/syntax", "1:4")]),
        ("a: 'x\nb: 1\n", [("yaml/syntax", "1:4")]),
        ("a: [1\nb: 2", [("yaml/syntax", "2:2")]),
        ("- a\nb: 1\n", [("yaml/syntax", "2:1")]),
        ("a:\n  b: 1\n c: 2\n", [("yaml/syntax", "3:2")]),
        ("a: \x00\n", [("yaml/control-character", "1:4")]),
        ("a: b\u2028c\n", [("yaml/control-character", "1:5")]),
        ("a: \udc80\n", [("yaml/encoding", "1:4")]),
        ("a: \ud800\n", [("yaml/control-character", "1:4")]),
        ("a: b # \u202e\n", [("yaml/invisible-character", "1:8")]),
    ],
)
def test_what_is_refused_is_named_with_its_place(
    text: str, expected: list[tuple[str, str]]
) -> None:
    """Each thing that Headroom does not take from YAML is a problem of its own."""
    assert expected == complaints(text)


def test_a_missing_value_is_called_that() -> None:
    """Not in the parser's words: people know nothing of the content of nodes."""
    _, (problem,) = parse_documents("a: {b: 1,, c: 2}\n", "f")
    assert ("yaml/syntax", "a value is missing here") == (problem.id, problem.message)


def test_merge_key_in_quotes_is_text() -> None:
    """Only the plain `<<` merges; a quoted one is a key."""
    assert [{"<<": 1}] == data('"<<": 1\n')


def test_duplicate_key_names_both_places() -> None:
    """The second place is reported, the first is shown beside it, and the first value counts."""
    documents, (problem,) = parse_documents("a: 1\nb: 2\na: 3\n", "f")
    assert {"a": 1, "b": 2} == to_plain(documents[0].root)
    ((first, _),) = problem.related
    assert "f:1:1" == first.location


def test_syntax_error_costs_one_document() -> None:
    """Documents before and after a broken one are read, with their problems."""
    text = "a: 1\na: 2\n---\nb: b: b\n---\nc: 'open\n---\nd: 4\nd: 5\n"
    documents, problems = parse_documents(text, "f")
    assert [{"a": 1}, {"d": 4}] == [to_plain(document.root) for document in documents]
    assert [
        ("yaml/duplicate-key", "2:1"),
        ("yaml/syntax", "4:5"),
        ("yaml/syntax", "6:4"),
        ("yaml/duplicate-key", "9:1"),
    ] == [(problem.id, place(problem)) for problem in problems]


def test_syntax_errors_come_to_an_end() -> None:
    """After twenty broken documents the rest of a file is not read."""
    found = complaints("---\na: b: c\n" * 1000)
    assert 21 == len(found)
    assert ("yaml/syntax", "41:1") == found[-1]


def test_forbidden_characters_come_to_an_end() -> None:
    """Twenty forbidden characters are named one by one, the others counted."""
    found = complaints("a: " + "\x07" * 5000)
    assert 21 == len(found)


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("a: 1234567", Limits(characters=9), ("yaml/too-large", "1:1")),
        ("a: [[1]]", Limits(depth=2), ("yaml/too-deep", "1:5")),
        ("a: [1, 2, 3]", Limits(nodes=4), ("yaml/too-many-nodes", "1:8")),
        ("a: &x [1, 2]\nb: *x", Limits(nodes=7), ("yaml/too-many-nodes", "2:4")),
        ("a: &x [[1]]\nb: [[*x]]", Limits(depth=4), ("yaml/too-deep", "2:6")),
        ("a: 1234567", Limits(scalar=6), ("yaml/scalar-too-long", "1:4")),
    ],
)
def test_limits_are_named(text: str, limits: Limits, expected: tuple[str, str]) -> None:
    """What is past a limit is reported where it is passed; aliases count in full."""
    assert [expected] == complaints(text, limits=limits)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("a: 1234567", Limits(characters=10, scalar=7)),
        ("a: [[1]]", Limits(depth=3)),
        ("a: [1, 2]", Limits(nodes=5)),
        ("a: &x [1]\nb: *x", Limits(nodes=7)),
        ("a: &x [[1]]\nb: [[*x]]", Limits(depth=5)),
    ],
)
def test_what_just_fits_is_read(text: str, limits: Limits) -> None:
    """A limit itself is allowed."""
    assert [] == complaints(text, limits=limits)


def test_limit_keeps_earlier_documents() -> None:
    """Documents read before a limit is met are returned."""
    documents, problems = parse_documents("a: 1\n---\n[[[1]]]", "f", limits=Limits(depth=2))
    assert 1 == len(documents)
    assert ["yaml/too-deep"] == [problem.id for problem in problems]


def test_bytes_are_utf_8() -> None:
    """UTF-8 is decoded, a stray byte is named with its place, and UTF-16 is recognised."""
    text, problems = decode("\ufeffa: é\n".encode(), "f")
    assert [{"a": "é"}] == data(text)
    assert () == problems
    text, problems = decode(b"a: caf\xe9\n", "f")
    assert [("yaml/encoding", "1:7")] == complaints(text)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        text, problems = decode("a: 1\n".encode(encoding), "f")
        assert ("", ["yaml/encoding"]) == (text, [problem.id for problem in problems])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1.50", -1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("~", None),
        ("'1'", "1"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("12:30:00", "12:30:00"),
    ],
)
def test_plain_data_follows_the_core_rules(text: str, value: object) -> None:
    """As JSON data, plain scalars are typed by YAML 1.2; what JSON cannot hold stays text."""
    plain = to_plain(scalar(f"k: {text}"))
    assert (type(value), value) == (type(plain), plain)
