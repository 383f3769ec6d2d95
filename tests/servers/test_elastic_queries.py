"""A log query selects on a real node what a plain reading of it selects."""

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.forwarding.documents import document
from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch import ElasticsearchTelemetry
from collectors.readers.telemetry import Filter, LogQuery
from collectors.signals import Signal
from slo.errors import QueryRejected
from slo.logquery import And, Compare, Expression, Has, Is, Not, Or, Words, parse
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import flavor_of, mapping, source_of, unused, write
from tests.stored_rows import Row, asking, log, rows_of

_BODIES = (
    "Payment declined: card 4711 expired",
    "payment accepted for seat 12A",
    "timeout after 1200 ms while calling loyalty-api",
    "user_17 logged in from host web-3",
    "Zahlung über 12 Euro abgelehnt",
    "GET /seats?id=17 HTTP/1.1 500",
    "retry 3 of 5; giving up",
    "",
)
_EVENTS = ("checkout", "Refund", "seat-hold", None)
_TENANTS = ("acme", "Acme-2", "globex", None)
_SEVERITIES = (5, 9, 13, 17, 21, None)


def _rows() -> list[Row]:
    found = []
    for n in range(96):
        attributes: dict[str, Any] = (
            {"http.response.status_code": 200 + 50 * (n % 7)} if n % 4 else {}
        )
        tenant = _TENANTS[n % 4]
        if tenant is not None:
            attributes["tenant"] = tenant
        found.append(
            log(
                f"{_BODIES[n % 8]} r{n}",
                n,
                event=_EVENTS[n // 8 % 4],
                severity=_SEVERITIES[n % 6],
                host=f"web-{n % 3}",
                attributes=json.dumps(attributes) if attributes else None,
            )
        )
    return found


_ROWS = _rows()
_COMPARED: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


def _level(row: Row) -> str:
    severity = row.get("severity")
    return "unknown" if severity is None else _LEVELS[(severity - 1) // 4]


def _value(row: Row, field: str) -> str | None:
    if field == "level":
        return _level(row)
    if field in {"event", "host"}:
        found = row.get(field)
    else:
        held: Mapping[str, Any] = json.loads(row.get("attributes") or "{}")
        found = held.get(field)
    return None if found is None else str(found)


def _holds(query: Expression, row: Row) -> bool:  # noqa: C901, PLR0911 - one for each kind of node
    match query:
        case And(parts=parts):
            return all(_holds(each, row) for each in parts)
        case Or(parts=parts):
            return any(_holds(each, row) for each in parts)
        case Not(inner=inner):
            return not _holds(inner, row)
        case Words(text=text):
            return text.lower() in str(row["body"]).lower()
        case Has(field=field):
            return _value(row, field) is not None
        case Is(field=field, value=value):
            held = _value(row, field)
            if held is None:
                return False
            if query.wildcard:
                return fnmatch.fnmatchcase(held.lower(), value.lower())
            return held.lower() == value.lower()
        case Compare(field=field, operator=operator, value=number):
            held = _value(row, field)
            if held is None:
                return False
            return _COMPARED[operator](float(held), float(number))


_WORD = st.sampled_from(
    ["payment", "DECLINED", "eclin", "47", "r1", "user_17", "ser_1", "12", "über", "ms", "nowhere"]
)
_TERMS = st.one_of(
    _WORD,
    st.builds(
        "{}: {}".format,
        st.just("event"),
        st.sampled_from(["checkout", "REFUND", "seat-hold", "seat-*", "*e*", "none", "*"]),
    ),
    st.builds("host: {}".format, st.sampled_from(["web-1", "WEB-2", "web-*", "*"])),
    st.builds("tenant: {}".format, st.sampled_from(["acme", "ACME-2", "*", "x"])),
    st.builds("level: {}".format, st.sampled_from([*_LEVELS, "unknown", "*", "nonsense"])),
    st.builds(
        "http.response.status_code {} {}".format,
        st.sampled_from(["<", "<=", ">", ">="]),
        st.sampled_from(["200", "250.5", "500", "-1", "1e999", "-1e30"]),
    ),
    st.builds(
        "http.response.status_code: {}".format,
        st.sampled_from(["200", "500", "2*", "25*", "5*", "*", "many"]),
    ),
)
_QUERIES = st.recursive(
    _TERMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not {}".format, inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def held() -> dict[str, ElasticsearchTelemetry]:
    """Readers by node, so that each is filled once."""
    return {}


@pytest.fixture
def reader(
    search_node: SearchNode, held: dict[str, ElasticsearchTelemetry]
) -> ElasticsearchTelemetry:
    """A reader of the rows; the status is a number at the top of a document, as ECS has it."""
    if search_node.name not in held:
        held[search_node.name] = ElasticsearchTelemetry(_cluster(search_node))
    return held[search_node.name]


def _cluster(node: SearchNode) -> Cluster:
    documents = []
    for row in rows_of(Signal.LOGS, _ROWS).to_pylist():
        made = document(Signal.LOGS, row)
        status = made.get("attributes", {}).pop("http.response.status_code", None)
        if status is not None:
            made["http"] = {"response": {"status_code": status}}
        documents.append(made)
    index = unused("queries")
    write(node, index, documents, mapping(Signal.LOGS, flavor_of(node)))
    return Cluster(source_of(node, logs_indices=(index,)))


def _numbers(reader: ElasticsearchTelemetry, text: str) -> set[int]:
    found = reader.logs(LogQuery(where=asking(), text=text, limit=500)).value["body"]
    return {int(body.rpartition(" r")[2]) for body in found}


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=_QUERIES)
def test_a_query_selects_what_it_says(reader: ElasticsearchTelemetry, text: str) -> None:
    """Whatever is combined: words inside words, values, patterns, numbers, levels, absence."""
    query = parse(text)
    expected = {n for n, row in enumerate(_ROWS) if _holds(query, row)}

    assert expected == _numbers(reader, text), text


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ('"card 4711"', "card 4711"),
        ('"calling loyalty"', "calling loyalty"),
        ('"/seats?id=17"', "/seats\\?id=17"),
        ("loyalty-api", "loyalty-api"),
        ('"accepted for se"', "accepted for se"),
        ('"3 of 5"', "3 of 5"),
        ('"5 of 3"', "5 of 3"),
        ("HTTP/1.1", "HTTP/1\\.1"),
    ],
)
def test_a_phrase_is_its_words_in_order(
    reader: ElasticsearchTelemetry, text: str, pattern: str
) -> None:
    """The last word may be longer; signs between words are not looked at."""
    rows = enumerate(_ROWS)
    expected = {n for n, row in rows if re.search(pattern, str(row["body"]), re.IGNORECASE)}

    assert expected == _numbers(reader, text)


def test_what_cannot_be_asked_is_refused(reader: ElasticsearchTelemetry) -> None:
    """Rather than answered with nothing."""
    for text in ('"->"', "host > 3", "http.response.status_code: *0"):
        with pytest.raises(QueryRejected):
            _numbers(reader, text)


def test_a_filter_takes_case_into_account(reader: ElasticsearchTelemetry) -> None:
    """A value that is clicked on is that value."""
    for value, count in (("Acme-2", 24), ("acme-2", 0)):
        where = asking(filters=(Filter(field="attributes.tenant", value=value),))
        found = reader.logs(LogQuery(where=where, limit=500)).value
        assert count == len(found)


def test_a_text_of_signs_breaks_nothing(reader: ElasticsearchTelemetry) -> None:
    """No value becomes a part of the query's own language."""
    for value in ('"}]}', "*?\\", "a:b AND c", "{{7*7}}", "\x00", "x" * 4000, "\ud800"):
        where = asking(filters=(Filter(field="event", value=value),))
        try:
            found = reader.logs(LogQuery(where=where)).value
        except QueryRejected:
            continue
        assert found.empty, value
