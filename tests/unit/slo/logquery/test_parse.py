"""Log queries are read exactly, and a mistake is told with its column."""

from decimal import Decimal

import pytest

from slo.logquery import And, Compare, Has, Is, LogQueryError, Not, Or, Words, parse


def words(text: str) -> Words:
    return Words(text=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", And(parts=())),
        ("  ", And(parts=())),
        ("payment", words("payment")),
        ("payment failed", And(parts=(words("payment"), words("failed")))),
        ('"card declined"', words("card declined")),
        (r'"a \"quoted\" word"', words('a "quoted" word')),
        ("event.action: checkout", Is(field="event.action", value="checkout")),
        ("host:web-*", Is(field="host", value="web-*")),
        ('host: "web-*"', Is(field="host", value="web-*", quoted=True)),
        ("trace_id: *", Has(field="trace_id")),
        ("retries >= 3", Compare(field="retries", operator=">=", value=Decimal(3))),
        ("retries<-0.5", Compare(field="retries", operator="<", value=Decimal("-0.5"))),
        (
            "status: (500 or 503)",
            Or(parts=(Is(field="status", value="500"), Is(field="status", value="503"))),
        ),
        ("not level: debug", Not(inner=Is(field="level", value="debug"))),
        ("a or b c", Or(parts=(words("a"), And(parts=(words("b"), words("c")))))),
        ("(a or b) AND c", And(parts=(Or(parts=(words("a"), words("b"))), words("c")))),
        (r"path: C\:\\temp", Is(field="path", value="C:\\temp")),
        ('"and"', words("and")),
        ("android", words("android")),
    ],
)
def test_a_query_is_read_as_it_is_written(text: str, expected: object) -> None:
    assert expected == parse(text)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('say "hello', 5, "this quotation mark is not closed"),
        ("a or", 5, "the end of the query stands where a word or a field is needed"),
        ("(a", 3, 'the end of the query stands where a closing ")" is needed'),
        ("a )", 3, '")" stands where an operator or the end of the query is needed'),
        ("host:", 6, 'the end of the query stands where a value for "host" is needed'),
        ("n > many", 5, '"many" is no number'),
        ("n > NaN", 5, '"NaN" is no number'),
        ("a \\", 3, "nothing follows this backslash"),
    ],
)
def test_a_mistake_is_told_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(LogQueryError) as raised:
        parse(text)
    assert (column, message) == (raised.value.column, str(raised.value))


@pytest.mark.parametrize("text", ["(" * 5000 + "a", "not " * 1000 + "a", "x" * 5000])
def test_a_query_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(LogQueryError):
        parse(text)


def test_a_wildcard_in_quotation_marks_is_a_star() -> None:
    pattern, literal = parse("host: web-*"), parse('host: "web-*"')
    assert isinstance(pattern, Is)
    assert isinstance(literal, Is)
    assert (True, False) == (pattern.wildcard, literal.wildcard)
