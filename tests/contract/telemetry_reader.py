"""What every `TelemetryReader` holds: the same answers as the embedded store over the same rows."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

from collectors.readers.telemetry import (
    DIMENSIONS,
    Answered,
    Badness,
    Filter,
    LogQuery,
    TelemetryReader,
    TraceOrder,
    TraceQuery,
    Where,
)
from tests.stored_rows import CARGO, MINUTE, MS, SECOND, Row, asking, hours, log, span

Ask = Callable[[TelemetryReader], Answered[pd.DataFrame]]

_ROUTES = ("/seats", "/pay", None)
_WORDS = ("seat booked", "Payment declined", "timeout after 1200 ms", "retrying user_17")
_SEVERITIES = (9, 13, 17, 5, None)

LOYALTY: Row = {"app": "loyalty", "env": "prod", "component": "worker", "service": "loyalty-worker"}
NOBODY: Row = {"app": None, "env": None, "component": None, "service": "stray"}


def lines() -> list[Row]:
    """An hour of log lines of two apps and of nobody, some within traces."""
    found = [
        log(
            f"{_WORDS[n % 4]} #{n}",
            at=n * 3.5,
            severity=_SEVERITIES[n % 5],
            event="booking" if n % 3 else None,
            version=f"1.{n // 500}",
            trace_id=f"{n // 2:032x}" if n % 2 else None,
            attributes=f'{{"status":{200 if n % 7 else 500},"tenant":"Acme-{n % 3}"}}',
            host=f"host-{n % 2}",
        )
        for n in range(1000)
    ]
    found += [log(f"staging line {n}", at=n * 60 + 0.25, env="staging") for n in range(20)]
    found += [log(f"cargo line {n}", at=n * 30, **CARGO) for n in range(100)]
    return found + [log(f"whose? {n}", at=n * 90, host="odd", **NOBODY) for n in range(30)]


def spans() -> list[Row]:
    """Requests of ticketing that call a database, cargo and themselves, some failing or slow."""
    found: list[Row] = []
    for n in range(400):
        bad, slow = n % 9 == 0, n % 13 == 0
        base, at, ms = 10 * n + 1, n * 8.5, 900 if slow else 40 + n % 50
        status = "error" if bad else "ok" if n % 2 else "unset"
        about = {
            "route": _ROUTES[n % 3],
            "version": f"1.{n // 200}",
            "pod": f"api-{n % 2}",
            "method": "GET",
            "http_status": 500 if bad else 200,
            "weight": 4.0 if n % 4 == 0 else 1.0,
        }
        found.append(span(base, at, ms, trace=n, status=status, **about))
        database = {"peer": "postgresql/orders", "peer_kind": "database", "kind": "client"}
        found.append(
            span(
                base + 1,
                at + 0.001,
                ms * 0.7,
                trace=n,
                parent=base,
                attributes='{"db.system.name":"postgresql","server.address":"orders"}',
                **database,
            )
        )
        if n % 3 == 0:
            call = {"peer": "cargo-api", "peer_kind": "service", "kind": "client"}
            found.append(
                span(
                    base + 2,
                    at + 0.002,
                    20,
                    trace=n,
                    parent=base,
                    status=status,
                    attributes='{"service.peer.name":"cargo-api"}',
                    **call,
                )
            )
            found.append(span(base + 3, at + 0.003, 15, trace=n, parent=base + 2, **CARGO))
        if n % 5 == 0:
            found.append(span(base + 4, at + 0.004, 10, trace=n, parent=base, kind="server"))
    return found + [span(9000 + n, n, 5, trace=9000 + n, **NOBODY) for n in range(10)]


class TelemetryReaderContract:
    """Subclasses give fixtures: ``reader`` and ``store``, which hold `lines` and `spans`."""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "booked",
            "DECLINED",
            "eclin",
            "user_17",
            '"seat booked"',
            "level: error",
            "level: (warn or error) and not timeout",
            "level: unknown",
            "event: booking",
            "event: book*",
            "not event: *",
            "tenant: acme-1",
            "attributes.tenant: Acme-2",
            "host.name: host-1",
            "trace_id: *",
            "nothing.such: *",
            "seat or (declined and not host: host-0)",
        ],
    )
    def test_a_search_selects_the_same(
        self, reader: TelemetryReader, store: TelemetryReader, text: str
    ) -> None:
        """Record by record, newest first."""
        query = LogQuery(where=asking(), text=text, limit=5000)
        expected, found = store.logs(query).value, reader.logs(query).value
        assert list(expected.columns) == list(found.columns)
        columns = ["time", "body", "severity", "service", "trace_id", "event", "host"]
        assert_same(expected[columns], found[columns])

    def test_a_search_is_narrowed(self, reader: TelemetryReader, store: TelemetryReader) -> None:
        """By severity, trace, environment, filter, range, number of records and app."""
        wheres = [
            asking(env=None),
            asking(env="staging"),
            asking(app="cargo"),
            asking(app=None, env=None),
            asking(range_=hours(0.25, 0.5)),
            asking(filters=(Filter(field="host", value="host-1"),)),
            asking(filters=(Filter(field="host", value="host-1", negated=True),)),
            asking(filters=(Filter(field="trace_id", value=None),)),
        ]
        queries = [LogQuery(where=where, limit=5000) for where in wheres]
        queries += [
            LogQuery(where=asking(), min_severity=13, limit=5000),
            LogQuery(where=asking(), trace_id=f"{7:032x}"),
            LogQuery(where=asking(), limit=10),
        ]
        for query in queries:
            expected, found = store.logs(query).value, reader.logs(query).value
            assert len(expected), query
            assert_same(expected[["time", "body"]], found[["time", "body"]])

    @pytest.mark.parametrize("buckets", [1, 8, 60])
    @pytest.mark.parametrize("text", ["", "declined", "not level: error"])
    def test_the_histogram_counts_the_same(
        self, reader: TelemetryReader, store: TelemetryReader, text: str, buckets: int
    ) -> None:
        """Slice by slice and level by level."""
        query = LogQuery(where=asking(), text=text)
        assert_same(
            store.log_histogram(query, buckets).value, reader.log_histogram(query, buckets).value
        )

    def test_a_tail_gets_what_was_stored_since(
        self, reader: TelemetryReader, store: TelemetryReader
    ) -> None:
        """The cursor of a record asks for what came after it."""
        newest = store.logs(LogQuery(where=asking(), limit=50)).value
        after = int(newest["cursor"].iloc[-1])
        query = LogQuery(where=asking(), after=after)
        expected, found = store.logs(query).value, reader.logs(query).value
        assert 49 == len(expected)
        assert_same(expected[["time", "body", "cursor"]], found[["time", "body", "cursor"]])

    @pytest.mark.parametrize(
        "query",
        [
            TraceQuery(where=asking(), limit=1000),
            TraceQuery(where=asking(), order=TraceOrder.SLOWEST, limit=25),
            TraceQuery(where=asking(), failed=True, limit=1000),
            TraceQuery(where=asking(), at_least=50 * MS, below=900 * MS, limit=1000),
            TraceQuery(where=asking(filters=(Filter(field="route", value="/pay"),)), limit=1000),
            TraceQuery(where=asking(app="cargo"), limit=1000),
        ],
    )
    def test_traces_are_the_same(
        self, reader: TelemetryReader, store: TelemetryReader, query: TraceQuery
    ) -> None:
        """Each by the span that entered the app, with as many spans."""
        expected = store.traces(query).value
        assert len(expected)
        assert_same(expected, reader.traces(query).value)

    def test_one_trace_is_whole(self, reader: TelemetryReader, store: TelemetryReader) -> None:
        """With the spans of every app, parents and peers, near its time or wherever."""
        for around in (None, hours()):
            expected = store.trace(f"{15:032x}", around).value
            found = reader.trace(f"{15:032x}", around).value
            assert 5 == len(expected)
            plain = [name for name in expected.columns if name not in {"attributes", "links"}]
            assert_same(expected[plain], found[plain])
        assert reader.trace(f"{15:032x}", hours(5, 6)).value.empty

    def test_pictures_of_spans_are_the_same(
        self, reader: TelemetryReader, store: TelemetryReader
    ) -> None:
        """Heatmap, rates and durations, breakdown, and who calls whom."""
        query, bounds = TraceQuery(where=asking()), [50 * MS, 100 * MS, SECOND]
        bad = Badness(error=True, slower_than=500 * MS)
        asked: Sequence[Ask] = (
            lambda r: r.heatmap(query, 12, bounds),
            lambda r: r.red(asking(), None, 6),
            lambda r: r.red(asking(), "route", 6),
            lambda r: r.breakdown(asking(), bad, DIMENSIONS),
            lambda r: r.breakdown(asking(), Badness(operation="GET /seats"), ()),
            lambda r: r.edges(asking(), hours()),
            lambda r: r.edges(None, hours()),
        )
        for ask in asked:
            expected = ask(store).value
            assert len(expected)
            assert_same(expected, ask(reader).value)

    def test_lines_of_failing_requests_are_the_same(
        self, reader: TelemetryReader, store: TelemetryReader
    ) -> None:
        """As many of either kind, of the same traces."""
        ask: Ask = lambda r: r.failing_bodies(asking(), Badness(), 1000)  # noqa: E731 - typed
        order = ["time", "body"]
        expected = ask(store).value.sort_values(order, ignore_index=True)
        assert {True, False} == set(expected["failing"])
        assert_same(expected, ask(reader).value.sort_values(order, ignore_index=True))

    def test_holdings_are_the_same(self, reader: TelemetryReader, store: TelemetryReader) -> None:
        """Records per owner, what belongs to nobody, and versions."""
        where: Where = asking(env=None)
        keys = ["app", "env", "signal"]
        expected, found = (
            each.inventory(hours()).value.sort_values(keys, ignore_index=True)
            for each in (store, reader)
        )
        assert list(expected.columns) == list(found.columns)
        assert_same(expected[[*keys, "records"]], found[[*keys, "records"]])
        stray = ["signal", "service", "host", "records"]
        nobody = [
            each.unattributed(hours()).value.sort_values(stray[:3], ignore_index=True)
            for each in (store, reader)
        ]
        assert list(nobody[0].columns) == list(nobody[1].columns)
        assert_same(nobody[0][stray], nobody[1][stray])
        assert_same(store.versions(where).value, reader.versions(where).value)

    def test_deploys_have_their_columns(
        self, reader: TelemetryReader, store: TelemetryReader
    ) -> None:
        """None here, in either."""
        found = reader.deploys(asking()).value
        assert list(store.deploys(asking()).value.columns) == list(found.columns)
        assert found.empty

    def test_answers_say_where_they_come_from(self, reader: TelemetryReader) -> None:
        """Source, question, range, freshness, and that nothing is missing."""
        for found in (
            reader.logs(LogQuery(where=asking())),
            reader.log_histogram(LogQuery(where=asking()), 10),
            reader.traces(TraceQuery(where=asking())),
            reader.versions(asking()),
        ):
            assert reader.reference == found.source
            assert found.query
            assert hours() == found.range
            assert found.observed_at is not None
            assert () == found.partial

    def test_an_app_without_telemetry_is_empty(self, reader: TelemetryReader) -> None:
        """Empty frames with their columns, and no error."""
        nobody = asking(app="no-such-app")
        assert reader.logs(LogQuery(where=nobody)).value.empty
        assert reader.log_histogram(LogQuery(where=nobody), 5).value.empty
        assert reader.traces(TraceQuery(where=nobody)).value.empty
        assert reader.red(nobody, None, 5).value.empty
        assert reader.failing_bodies(nobody, Badness(), 5).value.empty
        assert reader.edges(nobody, hours()).value.empty
        assert reader.versions(nobody).value.empty


def assert_same(expected: pd.DataFrame, found: pd.DataFrame) -> None:
    """Equal to a tenth of a percent; times to a millisecond, and of missing values only that."""
    assert list(expected.columns) == list(found.columns)
    assert len(expected) == len(found)
    for name in expected.columns:
        pairs = zip(expected[name].tolist(), found[name].tolist(), strict=True)
        for place, (one, other) in enumerate(pairs):
            assert _alike(one, other), f"{name}[{place}]: {one!r} and {other!r}"


def _alike(one: Any, other: Any) -> bool:
    if pd.isna(one) or pd.isna(other):
        return bool(pd.isna(one) and pd.isna(other))
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return bool(one == other)
    if max(abs(one), abs(other)) > 10**17:
        return bool(abs(int(one) - int(other)) < MINUTE // 60_000)
    return bool(one == pytest.approx(other, rel=0.001))
