"""What the PromQL of a specification becomes, and how its mistakes are reported."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from slo.promql import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_OPERATORS,
    Matcher,
    Query,
    QueryProblem,
    Selector,
    parse_query,
    parse_selector,
    render,
    selector_text,
)

CLUSTER = Matcher(name="cluster", value="eu-1")


def read(text: str) -> Query:
    """Read a query that must be one."""
    query = parse_query(text)
    assert isinstance(query, Query), query
    return query


def problem(text: str) -> QueryProblem:
    """Read a query that must not be one."""
    found = parse_query(text)
    assert isinstance(found, QueryProblem), found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x{job="api",code=~"5.."}', 'x{job="api",code=~"5..",cluster="eu-1"}'),
        ('x{on="1",by="2"}', 'x{on="1",by="2",cluster="eu-1"}'),
        ("rate(x[5m]) / rate(y[5m])", "rate(x{C}[5m]) / rate(y{C}[5m])"),
        ("quantile(scalar(q), x)", "quantile(scalar(q{C}), x{C})"),
        ("topk by (a) (scalar(k), x)", "topk by (a) (scalar(k{C}), x{C})"),
        ("max_over_time(rate(x[5m])[1h:30s])", "max_over_time(rate(x{C}[5m])[1h:30s])"),
        ("absent(x)", "absent(x{C})"),
        ("x offset 90s", "x{C} offset 1m30s"),
        ("x offset -1h", "x{C} offset -1h"),
        ("x offset 5ms", "x{C} offset 5ms"),
        ("x @ 1609746000.123 offset 5m", "x{C} @ 1609746000.123 offset 5m"),
        ("rate(x[5m] @ end())", "rate(x{C}[5m] @ end())"),
        ("(x + y)[1h:] @ start() offset 1m", "(x{C} + y{C})[1h:] @ start() offset 1m"),
        ("a * on (h) group_left (v) b", "a{C} * on (h) group_left (v) b{C}"),
        ("a == bool ignoring (h) b", "a{C} == bool ignoring (h) b{C}"),
        ("-x ^ 2 - -1", "-x{C} ^ 2 - -1"),
        ("a and b unless c or d", "a{C} and b{C} unless c{C} or d{C}"),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x{C}, "a", "$1", "b", "(.*)")'),
        ('{"http.requests"}', '{__name__="http.requests",C}'),
        ('{__name__=~"a|b"}', '{__name__=~"a|b",C}'),
        ('sum by (a, "b.c") (x)', 'sum by (a, "b.c") (x{C})'),
        ("sum(x) without (a)", "sum without (a) (x{C})"),
        ("x # all of it }\n+ y", "x{C} + y{C}"),
        ("x > 0x10 + 1e-7", "x{C} > 16 + 1e-07"),
    ],
)
def test_the_matchers_of_an_environment_reach_every_selector(text: str, expected: str) -> None:
    """Aggregation parameters, subqueries, operands and arguments keep their meaning."""
    assert expected.replace("C}", 'cluster="eu-1"}') == render(read(text), matchers=[CLUSTER])


def test_a_matcher_that_is_there_is_not_repeated_and_a_different_one_stays() -> None:
    """Two conditions on one label both apply, which is what the user and the environment said."""
    assert render(read('x{cluster="eu-1"}'), matchers=[CLUSTER]) == 'x{cluster="eu-1"}'
    assert (
        render(read('x{cluster="us"}'), matchers=[CLUSTER, CLUSTER])
        == 'x{cluster="us",cluster="eu-1"}'
    )
    assert (
        render(read('x{cluster=~"eu-1"}'), matchers=[CLUSTER])
        == 'x{cluster=~"eu-1",cluster="eu-1"}'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", "x offset 10m"),
        ("x offset 1h", "x offset 1h10m"),
        ("x offset -10m", "x"),
        ("x offset -15m", "x offset -5m"),
        ("x @ end()", "x @ end() offset 10m"),
        ("x @ 100", "x @ 100"),
        ("rate(x[5m])[1h:]", "rate(x[5m] offset 10m)[1h:]"),
        ("rate(x[5m])[1h:] @ 100", "rate(x[5m])[1h:] @ 100"),
    ],
)
def test_an_offset_is_added_to_the_own_one_except_at_a_fixed_time(text: str, expected: str) -> None:
    """A selector at a fixed time does not move with the evaluation, so it does not shift."""
    assert expected == render(read(text), offset="10m")


def test_the_window_is_filled_in_as_a_range_and_left_alone_in_strings_and_comments() -> None:
    """A window is a range of a selector or of a subquery."""
    query = read("max_over_time(rate(x{a=`$window`}[ $window ])[$window:30s]) # $window\n + y")
    assert query.uses_window
    assert not read("rate(x{a='$window'}[5m])").uses_window
    expected = 'max_over_time(rate(x{a="$window"}[1h])[1h:30s]) + y'
    assert expected == render(query, window="1h")


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("x { a = 'b' }  # why", 'x{a="b"}'),
        ("sum by(a)(\n  rate(x[$window])\n) / 1.0", "sum by (a) (rate(x[$window])) / 1"),
        ("max_over_time(x[$window:300s])", "max_over_time(x[$window:5m])"),
    ],
)
def test_a_query_has_one_normal_form(text: str, normal: str) -> None:
    """Two ways to write the same thing compare equal there."""
    assert normal == read(text).normal


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("x > $window", 4),
        ("x offset $window", 9),
        ("x @ $window", 4),
        ("rate(x[5m])[1h:$window]", 15),
        ("$window", 0),
        ("x{a=$window}", 4),
        ('x{$window="a"}', 2),
        ("rate(x[$windows])", 7),
        ("rate(x[$__rate_interval])", 7),
        ("rate(x[${window}])", 7),
        ("rate(x[$window5m])", 7),
        ("rate(x[$window 5m])", 7),
        ('x{a="$window"} $ y', 15),
    ],
)
def test_a_window_anywhere_else_is_a_problem_at_its_place(text: str, offset: int) -> None:
    """The hint says where a window may stand."""
    found = problem(text)
    assert offset == found.offset
    assert "$window" in (found.hint or "")


@pytest.mark.parametrize("window", [None, "0s", "", "5 m", "5m] or vector(1", "-5m", "1h30"])
def test_a_bad_window_is_the_callers_mistake(window: str | None) -> None:
    """It never reaches the text of a query."""
    with pytest.raises(ValueError, match="window"):
        render(read("rate(x[$window])"), window=window)


@pytest.mark.parametrize("offset", ["", "x", "-5m", "5m)"])
def test_a_bad_offset_is_the_callers_mistake(offset: str) -> None:
    """It never reaches the text of a query."""
    with pytest.raises(ValueError, match="offset"):
        render(read("x"), offset=offset)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "empty"),
        ("sum(x", 3, "never closed"),
        ("x)", 1, "closes nothing"),
        ("sum(x]", 5, "does not close"),
        ('x{a="b}', 4, "never closed"),
        ('x{a="\\q"}', 5, "escape"),
        ('x{a="\\xff"}', 5, "half a character"),
        ('x{a="1" or b="2"}', 8, "no `or`"),
        ('x{a=~"(?=b)"}', 5, "lookaround"),
        ('x{a=~"(b"}', 5, "never closed"),
        ('x{a.b="c"}', 3, "unexpected character"),
        ("rate(x)", 0, "expected type matrix"),
        ("nope(x)", 0, "unknown function"),
        ("end()", 0, "unknown function"),
        ("a + ", 2, "not a PromQL expression"),
        ("x[1.5m]", 2, "neither a number nor a duration"),
        ("x offset 1e30", 9, "duration"),
        ("x[300y]", 2, "duration"),
        ("x @ -5", 5, "time"),
        ("x @ 1e18", 4, "time"),
        ('x{a="\ud800"}', 5, "surrogate"),
        ("x\x00", 1, "unexpected character"),
        ('x{__name__="y"}', 0, "twice"),
        ('{"x","y"}', None, "two metrics"),
        ('{a=~".*"}', None, "at least one non-empty matcher"),
        ('{a=~"b|"}', None, "at least one non-empty matcher"),
    ],
)
def test_a_mistake_is_reported_with_its_place(text: str, offset: int | None, message: str) -> None:
    """A mistake is data; the place is missing only where nothing tells it."""
    found = problem(text)
    assert message in found.message
    assert offset == found.offset


def test_a_selector_is_described_with_its_metric_and_matchers() -> None:
    """A quoted or `__name__` metric is a metric like any other."""
    query = read('a{x="1"} / ignoring (y) {"b.c",z!~"2|3"} + sum({__name__="a"})')
    assert query.metrics == ("a", "b.c")
    assert query.type == "vector"
    assert not query.is_selector
    assert (
        Selector(metric="a", matchers=(Matcher(name="x", value="1"),)),
        Selector(metric="b.c", matchers=(Matcher(name="z", op="!~", value="2|3"),)),
        Selector(metric="a"),
    ) == query.selectors


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x", "vector"),
        ("x[5m]", "matrix"),
        ("x[5m:]", "matrix"),
        ("-(1 + 2)", "scalar"),
        ("1 + x", "vector"),
        ("time()", "scalar"),
        ("rate(x[5m])", "vector"),
        ("sum(x)", "vector"),
        ("'a'", "string"),
    ],
)
def test_a_query_knows_what_kind_of_value_it_gives(text: str, kind: str) -> None:
    """The kinds are Prometheus's own four."""
    assert kind == read(text).type


def test_a_plain_selector_can_be_widened_and_renamed() -> None:
    """This is how a histogram's base selector becomes its buckets."""
    selector = parse_selector('latency_seconds{job="api"}')
    assert isinstance(selector, Selector)
    changed = selector.with_metric("latency_seconds_bucket").with_matchers(
        [Matcher(name="le", op="=~", value="1|1\\.0"), Matcher(name="job", value="api")]
    )
    assert str(changed) == 'latency_seconds_bucket{job="api",le=~"1|1\\\\.0"}'


@pytest.mark.parametrize("text", ["x[5m]", "x offset 5m", "x @ 5", "(x)", "sum(x)", "1", "x +"])
def test_what_is_more_than_a_selector_is_refused_as_one(text: str) -> None:
    """A base selector gets its range and offset from the rules that use it."""
    assert isinstance(parse_selector(text), QueryProblem)


@pytest.mark.parametrize("name", ["on", "bool", "inf", "NaN", "group_left", "http.requests", "0x"])
def test_a_metric_that_cannot_stand_bare_is_written_as_a_name_matcher(name: str) -> None:
    """That form parses, on servers before 3.0 as well."""
    text = selector_text(name, [CLUSTER])
    selector = parse_selector(text)
    assert Selector(metric=name, matchers=(CLUSTER,)) == selector


def test_a_selector_of_nothing_is_the_callers_mistake() -> None:
    """`{}` is no selector in Prometheus."""
    with pytest.raises(ValueError, match="needs"):
        selector_text(None)


DEEP: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "x" + ")" * n,
    "functions": lambda n: "abs(" * n + "x" + ")" * n,
    "unary minus": lambda n: "-" * n + "x",
    "sums": lambda n: "+".join(["x"] * n),
    "powers": lambda n: "^".join(["x"] * n),
    "ors": lambda n: " or ".join(["x"] * n),
    "open brackets": lambda n: "[" * n,
}


@pytest.mark.parametrize("count", [101, 10_000, 100_000])
@pytest.mark.parametrize("shape", DEEP)
def test_deep_queries_are_refused_in_bounded_time(shape: str, count: int) -> None:
    """The library would overflow the stack and end the process."""
    text = DEEP[shape](count + 1)
    started = time.process_time()
    assert isinstance(parse_query(text), QueryProblem)
    assert time.process_time() - started < 2


def test_queries_at_the_limits_are_read_on_a_small_stack() -> None:
    """A thread of 512 KB, the least that is common, holds what the limits let through."""
    code = f"""
import threading
from slo.promql import parse_query, render, Query
texts = ["abs(" * {MAX_DEPTH} + "+".join(["x"] * {MAX_OPERATORS + 1}) + ")" * {MAX_DEPTH},
         "-(" * {MAX_DEPTH} + "x" + ")" * {MAX_DEPTH}, "^".join(["x"] * {MAX_OPERATORS + 1})]
def run():
    for text in texts:
        query = parse_query(text)
        assert isinstance(query, Query), query
        render(query)
    print("done")
threading.stack_size(512 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "x{" + ",".join(['a=~"(a+)+$"'] * 1500) + "}",
        "x{" + ",".join(['a=~"\\\\pL{400}"'] * 1200) + "}",
        'x{a=~"' + "(" * 9000 + ")" * 9000 + '"}',
        'x{a="' + "\\\\" * 9000 + '"}',
        '"' + "\\" * 19_000,
        "x" * (MAX_LENGTH + 1),
        "sum by (" + ",".join(["a"] * 9000) + ") (x)",
    ],
)
def test_large_queries_take_bounded_time(text: str) -> None:
    """No regex of a user is run or compiled here, so none of them costs time."""
    started = time.process_time()
    parse_query(text)
    assert time.process_time() - started < 2


def test_reading_queries_in_threads_needs_no_lock() -> None:
    """Nothing is shared between two reads."""
    texts = [f'x{{a="{index}"}}' for index in range(50)]
    seen: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda one=text: seen.update({one: render(read(one))}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {text: text for text in texts} == seen
