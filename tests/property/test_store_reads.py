"""Questions to the embedded store give what a naive computation over the same rows gives."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.readers.store import StoreTelemetry
from collectors.readers.telemetry import Badness, LogQuery, TimeRange, TraceQuery, Where
from collectors.signals import Signal
from collectors.store import StoreReader
from tests.stored_rows import MS, NOON, SECOND, Row, log, span, store

EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large]
)
RANGE = TimeRange(start=NOON + 10 * SECOND, end=NOON + 70 * SECOND)
SLICES = 7
WIDTH = -(-RANGE.length // SLICES)

_APPS = st.sampled_from(["ticketing", "ticketing", "cargo", None])
_ENVS = st.sampled_from(["prod", "prod", "staging", None])
_SECONDS = st.integers(0, 80)


@st.composite
def _spans(draw: st.DrawFn) -> list[Row]:
    """Spans in few traces, some inside others, of several owners."""
    many = draw(st.integers(0, 30))
    rows = []
    for number in range(1, many + 1):
        trace = draw(st.integers(1, 6))
        rows.append(
            span(
                number,
                draw(_SECONDS),
                draw(st.sampled_from([1, 5, 50, 500, 5000])),
                trace=trace,
                parent=draw(st.none() | st.integers(1, many)),
                app=draw(_APPS),
                env=draw(_ENVS),
                kind=draw(st.sampled_from(["server", "client", "internal", "consumer"])),
                status=draw(st.sampled_from(["ok", "error", "unset"])),
                route=draw(st.sampled_from(["/pay", "/seats", None])),
                version=draw(st.sampled_from(["1", "2", None])),
                weight=float(draw(st.sampled_from([1, 1, 4]))),
            )
        )
    return rows


def _telemetry(folder: str, signal: Signal, rows: list[Row], *, compacted: bool) -> StoreTelemetry:
    path = store(Path(folder), {signal: rows}, compacted=compacted)
    return StoreTelemetry(StoreReader(path, threads=1))


def _entries(rows: list[Row], app: str | None, env: str | None) -> pd.DataFrame:
    """Spans that entered the app, found one by one."""
    mine = [row for row in rows if row["app"] == app and RANGE.start <= row["time"] < RANGE.end]
    inside = {(row["trace_id"], row["span_id"]) for row in mine}
    found = [
        row
        for row in mine
        if (env is None or row["env"] == env)
        and (row["kind"] in {"server", "consumer"} or row["parent_id"] is None)
        and (row["trace_id"], row["parent_id"]) not in inside
    ]
    frame = pd.DataFrame(found, columns=[*span(1), "route", "version"])
    frame["slice"] = RANGE.start + (frame["time"] - RANGE.start) // WIDTH * WIDTH
    frame["bad"] = frame["status"] == "error"
    return frame


Asked = tuple[list[Row], str | None, str | None, bool]
_ASKED = st.tuples(_spans(), _APPS, st.sampled_from(["prod", None]), st.booleans())


@EXAMPLES
@given(asked=_ASKED)
def test_traces_heatmap_rates_and_breakdown_are_those_of_a_naive_reading(asked: Asked) -> None:
    """Whoever owns the spans, however they nest, compacted or fresh."""
    rows, app, env, compacted = asked
    where = Where(app=app, env=env, range=RANGE)
    entries = _entries(rows, app, env)
    with tempfile.TemporaryDirectory() as folder:
        telemetry = _telemetry(folder, Signal.SPANS, rows, compacted=compacted)

        listed = telemetry.traces(TraceQuery(where=where)).value
        assert set(entries["trace_id"]) == set(listed["trace_id"])
        first = entries.groupby("trace_id")["time"].min().to_dict()
        assert first == dict(zip(listed["trace_id"], listed["time"], strict=True))

        bounds = [5 * MS, 500 * MS]
        cells = telemetry.heatmap(TraceQuery(where=where), SLICES, bounds).value
        bucket = np.searchsorted(bounds, entries["duration"].to_numpy(dtype=np.int64), side="right")
        assert _weights(entries, [entries["slice"], bucket]) == _cells(cells, ["time", "bucket"])

        red = telemetry.red(where, "route", SLICES).value
        keys = [entries["slice"], entries["route"].fillna("")]
        assert _weights(entries, keys) == _cells(red, ["time", "key"])
        medians = entries.groupby(keys)["duration"].median().to_dict()
        assert list(medians.values()) == pytest.approx(
            [
                each
                for _, each in sorted(
                    zip(zip(red["time"], red["key"], strict=True), red["p50"], strict=True)
                )
            ]
        )

        parts = telemetry.breakdown(where, Badness(slower_than=50 * MS), ["route", "version"]).value
        entries["bad"] |= entries["duration"] > 50 * MS
        keys = [entries["route"].fillna(""), entries["version"].fillna("")]
        parts[["route", "version"]] = parts[["route", "version"]].astype(object).fillna("")
        renamed = parts.rename(columns={"total": "count", "bad": "errors"})
        assert _weights(entries, keys) == _cells(renamed, ["route", "version"])
        assert len(entries) == parts["sampled_total"].sum()


def _weights(frame: pd.DataFrame, keys: list[Any]) -> dict[Any, tuple[float, float]]:
    bad = frame["weight"].where(frame["bad"], 0.0)
    total = frame.groupby(keys)["weight"].sum()
    failed = bad.groupby(keys).sum()
    return {key: (float(total[key]), float(failed[key])) for key in total.index}


def _cells(frame: pd.DataFrame, keys: list[str]) -> dict[Any, tuple[float, float]]:
    return {
        tuple(row[key] for key in keys): (float(row["count"]), float(row["errors"]))
        for row in frame.to_dict("records")
    }


_WORDS = ("seat", "Seat 7%", "a_b", "a b", "ünïcode", 'quo"te', "back\\slash", "*", "")


@st.composite
def _lines(draw: st.DrawFn) -> list[Row]:
    return [
        log(
            " ".join(draw(st.lists(st.sampled_from(_WORDS), max_size=3))),
            draw(_SECONDS),
            app=draw(_APPS),
            env=draw(_ENVS),
            severity=draw(st.none() | st.integers(0, 25)),
            pod=draw(st.sampled_from(["a", "b", None])),
        )
        for _ in range(draw(st.integers(0, 30)))
    ]


Condition = Callable[[Row], bool]
QUERIES: dict[str, Condition] = {
    "": bool,
    "seat": lambda row: "seat" in row["body"].lower(),
    '"seat 7%"': lambda row: "seat 7%" in row["body"].lower(),
    '"a_b"': lambda row: "a_b" in row["body"],
    "pod: a": lambda row: row["pod"] == "a",
    "not pod: a": lambda row: row["pod"] != "a",
    "pod: *": lambda row: row["pod"] is not None,
    "severity >= 9 or pod: b": lambda row: (row["severity"] or -1) >= 9 or row["pod"] == "b",
}


@EXAMPLES
@given(
    rows=_lines(),
    app=_APPS,
    env=st.sampled_from(["prod", None]),
    text=st.sampled_from(sorted(QUERIES)),
    limit=st.integers(1, 40),
)
def test_searches_and_histograms_are_those_of_a_naive_reading(
    rows: list[Row], app: str | None, env: str | None, text: str, limit: int
) -> None:
    """Every query, the newest first, each line counted once."""
    expected = [
        row
        for row in rows
        if row["app"] == app
        and (env is None or row["env"] == env)
        and RANGE.start <= row["time"] < RANGE.end
        and QUERIES[text](row)
    ]
    where = Where(app=app, env=env, range=RANGE)
    query = LogQuery(where=where, text=text, limit=limit)
    with tempfile.TemporaryDirectory() as folder:
        telemetry = _telemetry(folder, Signal.LOGS, rows, compacted=limit % 2 == 0)
        found = telemetry.logs(query).value
        newest = sorted((row["time"] for row in expected), reverse=True)[:limit]
        assert newest == found["time"].tolist()
        assert set(found["body"]) <= {row["body"] for row in expected}
        counted = telemetry.log_histogram(query, SLICES).value
        assert len(expected) == counted["count"].sum()
        slices = {RANGE.start + (row["time"] - RANGE.start) // WIDTH * WIDTH for row in expected}
        assert slices == set(counted["time"])
