"""What holds for every query, matcher and text."""

import promql_parser
from hypothesis import given
from hypothesis import strategies as st

from slo.promql import (
    Matcher,
    Query,
    QueryProblem,
    Selector,
    parse_query,
    parse_selector,
    quote,
    regex_problem,
    render,
    selector_text,
)

VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        '"} or vector(1) #',
        'a",env=~".*',
        "\\",
        '\\"',
        "\n",
        "\0",
        "😀",
        "$window",
        "`",
        "'",
        "\u202e",
    ]
)
NAMES = st.sampled_from(["a", "b_total", "job:x:rate5m", "sum", "by", "offset", "and"])
LABELS = st.sampled_from(["job", "code", "le", "on", "by", "sum", "bool"])
DURATIONS = st.sampled_from(["30s", "5m", "1h30m", "7d", "5ms"])
OPS = ["+", "-", "*", "/", "%", "^", "atan2", "==", "> bool", "and", "or", "unless"]
EQUALITIES = st.builds(
    Matcher, name=LABELS, op=st.sampled_from(["=", "!="]), value=VALUES
) | st.builds(
    Matcher, name=LABELS, op=st.sampled_from(["=~", "!~"]), value=st.sampled_from(["a|b", "5.."])
)
ADDED = st.lists(EQUALITIES, min_size=1, max_size=3)


@st.composite
def selectors(draw: st.DrawFn) -> str:
    """Draw the text of a selector."""
    matchers = draw(st.lists(EQUALITIES, max_size=3))
    return selector_text(draw(NAMES | st.just("http.requests")), matchers)


@st.composite
def times(draw: st.DrawFn) -> str:
    """Draw what may follow a selector or a subquery."""
    at = draw(st.sampled_from(["", "", " @ 1609746000.123", " @ start()", " @ end()"]))
    offset = draw(st.sampled_from(["", "", " offset 5m", " offset -1h", " offset 7ms"]))
    return at + offset


def vectors() -> st.SearchStrategy[str]:
    """Build expressions that give instant vectors."""
    base = st.builds("{}{}".format, selectors(), times())
    return st.recursive(base, _larger, max_leaves=8)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    spans = st.builds("[{}]".format, DURATIONS)
    steps = st.builds("[{}:{}]".format, DURATIONS, st.just("") | DURATIONS)
    return (
        st.builds("rate({}{}{})".format, selectors(), spans, times())
        | st.builds("max_over_time(({}){}{})".format, inner, steps, times())
        | st.builds("({}) {} ({})".format, inner, st.sampled_from(OPS), inner)
        | st.builds("{} {} {}".format, inner, st.sampled_from(["+", "*", "-", "^"]), inner)
        | st.builds("-{}".format, inner)
        | st.builds("{} * on (job) group_left (a) {}".format, selectors(), selectors())
        | st.builds("quantile by (job) (scalar({}), {})".format, inner, inner)
        | st.builds("sum without (a, {}) ({})".format, st.builds(quote, st.just("x.y")), inner)
        | st.builds('label_replace({}, "a", {}, "b", "(.*)")'.format, inner, VALUES.map(quote))
        | st.builds("absent({}) > {}".format, inner, st.floats(allow_nan=False).map(repr))
    )


def read(text: str) -> Query:
    """Read a query that must be one."""
    query = parse_query(text)
    assert isinstance(query, Query), (text, query)
    return query


@given(vectors())
def test_a_query_rendered_unchanged_is_the_same_tree_on_one_line(text: str) -> None:
    """Rendering changes spelling only."""
    rendered = render(read(text))
    assert promql_parser.parse(text).prettify() == promql_parser.parse(rendered).prettify()
    assert repr(promql_parser.parse(text)) == repr(promql_parser.parse(rendered))
    assert len(rendered.splitlines()) == 1
    assert rendered == render(read(rendered))


@given(vectors(), ADDED)
def test_added_matchers_reach_every_selector_and_change_nothing_else(
    text: str, added: list[Matcher]
) -> None:
    """Every selector keeps its own matchers first, and there are as many selectors as before."""
    before = read(text)
    after = read(render(before, matchers=added))
    assert len(before.selectors) == len(after.selectors)
    assert tuple(one.with_matchers(added) for one in before.selectors) == after.selectors


@given(vectors(), DURATIONS)
def test_an_offset_and_its_opposite_cancel(text: str, length: str) -> None:
    """Shifting keeps every selector, and a shifted query is still a query."""
    query = read(text)
    assert query.selectors == read(render(query, offset=length)).selectors
    assert render(query) == render(query, offset="0s")


@given(VALUES)
def test_a_quoted_value_reads_back_exactly(value: str) -> None:
    """By our own scan and by the library alike."""
    selector = parse_selector(f"x{{a={quote(value)}}}")
    assert Selector(metric="x", matchers=(Matcher(name="a", value=value),)) == selector
    parsed = promql_parser.parse(f"x{{a={quote(value)}}}")
    assert isinstance(parsed, promql_parser.VectorSelector)
    assert [value] == [one.value for one in parsed.matchers.matchers]


@given(VALUES.filter(bool), VALUES.filter(bool), VALUES)
def test_no_name_or_value_can_leave_its_selector(metric: str, label: str, value: str) -> None:
    """Names are quoted as strictly as values."""
    matcher = Matcher(name=f"l{label}", value=value)
    selector = parse_selector(selector_text(f"m{metric}", [matcher]))
    assert Selector(metric=f"m{metric}", matchers=(matcher,)) == selector


PIECES = st.lists(
    st.sampled_from(
        [
            *"()[]{}\"'`\\#$@:,=~!<>+-*/^%. \n\r\t\0",
            *OPS,
            "x",
            "sum",
            "rate",
            "by",
            "offset",
            "bool",
            "$window",
            "5m",
            "1e30",
            "1e",
            "0x",
            "inf",
            "\ud800",
            "é",
            'a="b"',
            'a=~"(',
            "end()",
            "[5m]",
        ]
    ),
    max_size=25,
).map("".join)


@given(PIECES | st.text() | st.text(st.characters(), max_size=40))
def test_any_text_is_a_query_or_a_problem(text: str) -> None:
    """Nothing else happens, and the place of a problem is inside the text."""
    found = parse_query(text)
    assert isinstance(found, Query | QueryProblem)
    if isinstance(found, QueryProblem):
        assert found.offset is None or 0 <= found.offset <= len(text)
        assert found.message
    else:
        assert read(render(found, window="5m")).selectors == found.selectors


@given(
    st.text()
    | st.lists(st.sampled_from([*"()[]{}|*+?\\^$-:,1", "(?", "\\Q", "a"]), max_size=12).map("".join)
)
def test_any_pattern_is_judged_without_an_exception(pattern: str) -> None:
    """A pattern is fine or has a problem that can be told."""
    assert regex_problem(pattern) != ""
