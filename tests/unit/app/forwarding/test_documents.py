"""Stored records as documents of our data streams."""

import json
from typing import Any

from app.forwarding.documents import document, documents, stream_of
from collectors.signals import SCHEMAS, Signal, table
from collectors.store import Kept

AT = 1_772_366_400_000_000_001


def row(signal: Signal = Signal.LOGS, **columns: Any) -> dict[str, Any]:
    return {**dict.fromkeys(SCHEMAS[signal].names), "time": AT, **columns}


def log(**columns: Any) -> dict[str, Any]:
    return document(Signal.LOGS, row(**columns))


def resource(**values: object) -> dict[str, Any]:
    return log(resource=json.dumps({key.replace("__", "."): v for key, v in values.items()}))


def test_a_record_goes_to_the_stream_of_its_application() -> None:
    """Parts of a stream's name have no dash, and odd tags make no odd names."""
    assert "logs-air_ticketing.seat_api-prod" == stream_of(
        Signal.LOGS, row(app="air-ticketing", component="seat-api", env="prod")
    )
    assert "traces-air-default" == stream_of(Signal.SPANS, row(Signal.SPANS, app="air"))
    assert "logs-unattributed-prod" == stream_of(Signal.LOGS, row(env="prod"))
    assert "logs-unattributed-a_____b" == stream_of(Signal.LOGS, row(env="A/*?-#b"))


def test_nobody_s_record_keeps_what_its_sender_said() -> None:
    """Its environment is in the stream's name, and an unknown application owns nothing."""
    said = {"deployment.environment.name": "Prod-EU", "service.namespace": "who", "team": "x"}
    found = log(resource=json.dumps(said), team="x")

    assert "prod_eu" == found["data_stream"]["namespace"]
    assert {"team": "x"} == found["labels"]
    assert {"deployment.environment.name": "Prod-EU", "service.namespace": "who"} == found[
        "attributes"
    ]


def test_what_is_unknown_is_left_out() -> None:
    """A bare line has its time, its stream and its text."""
    assert {
        "@timestamp": "2026-03-01T12:00:00.000000001Z",
        "data_stream": {"type": "logs", "dataset": "unattributed", "namespace": "default"},
        "message": "hello",
    } == log(body="hello")


def test_a_level_says_what_the_severity_says() -> None:
    """The sender's own word where it means the same, else the one of the number."""
    assert "WARNING" == log(severity=13, severity_text="WARNING")["log"]["level"]
    assert "error" == log(severity=17, severity_text="x")["log"]["level"]
    assert "debug" == log(severity=6)["log"]["level"]
    assert "odd" == log(severity_text="odd")["log"]["level"]


def test_the_sender_s_attributes_are_fields_where_conventions_name_them() -> None:
    """As texts; labels of pods stand together, and the rest is among the attributes."""
    found = resource(
        host__arch="arm64",
        process__pid=7,
        k8s__pod__label__app="seats",
        seat="12A",
        service__name="seat-api",
    )

    assert {"arch": "arm64"} == found["host"]
    assert {"pid": "7"} == found["process"]
    assert {"labels": {"app": "seats"}} == found["kubernetes"]
    assert {"seat": "12A", "service.name": "seat-api"} == found["attributes"]
    assert "service" not in found


def test_no_attribute_takes_the_place_of_a_field() -> None:
    """Not of the stream, the time or the owner; nor of an object by a value."""
    hostile = {
        "data_stream.type": "metrics",
        "@timestamp": "1970",
        "labels.app": "another",
        "labels": "x",
        "host": "plain",
        "host.name.x": "deeper",
        "service.": "empty",
        "_id": "1",
        "": "nothing",
    }
    found = log(app="air", host="h1", resource=json.dumps(hostile), attributes=json.dumps(hostile))

    assert {"app": "air"} == found["labels"]
    assert {"name": "h1"} == found["host"]
    assert ("logs", "2026-03-01T12:00:00.000000001Z") == (
        found["data_stream"]["type"],
        found["@timestamp"],
    )
    assert "another" == found["attributes"]["labels.app"]
    assert "" not in found["attributes"]


def test_deep_values_become_texts() -> None:
    """Clusters refuse documents that nest deep."""
    deep: object = 1
    for _ in range(50):
        deep = {"a": deep}
    found = log(attributes=json.dumps({"deep": deep}))

    depth, place = 0, found["attributes"]["deep"]
    while isinstance(place, dict):
        depth, place = depth + 1, place["a"]
    assert 10 == depth
    assert place.startswith('{"a":')


def test_nobody_s_record_says_what_is_missing() -> None:
    """And who claimed it."""
    found = log(missing="service.namespace", claimants='["a","b"]')

    assert {"headroom.missing": "service.namespace", "headroom.claimants": ["a", "b"]} == found[
        "attributes"
    ]


def test_identifiers_stay_and_differ() -> None:
    """By place for logs, by trace, span and time for spans, whichever commit they came in."""
    rows = table(Signal.LOGS, {"time": [AT, AT], "body": ["same", "same"]})
    commit = Kept(signal=Signal.LOGS, number=1, name="1-a", bytes=1, since=0)
    later = Kept(signal=Signal.LOGS, number=2, name="2-b", bytes=1, since=0)
    first = [each.id for each in documents(commit, rows)]
    second = [each.id for each in documents(later, rows)]

    assert first == [each.id for each in documents(commit, rows)]
    assert 4 == len({*first, *second})
    needed: dict[str, list[Any]] = {"end": [AT], "duration": [0], "weight": [1.0]}
    needed |= {"time": [AT], "trace_id": ["t"], "span_id": ["s"]}
    spans = table(Signal.SPANS, needed)
    names = {
        each.id
        for number in (1, 2)
        for each in documents(
            Kept(signal=Signal.SPANS, number=number, name=str(number), bytes=1, since=0), spans
        )
    }
    assert 1 == len(names)
