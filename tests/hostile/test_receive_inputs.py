"""What strangers post: bombs, depth, odd numbers and characters. A reason in time, no crash."""

import gzip
import json
import math
import time
import tracemalloc
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint

from collectors.joining import Joiner
from collectors.receive import (
    Bulk,
    BulkDecoder,
    Content,
    Decoded,
    Limits,
    LineDecoder,
    OtlpDecoder,
    Refused,
    bulk_answer,
    digest,
    inflate,
    success,
)
from collectors.signals import Signal
from slo.model import Catalog
from tests.unit.collectors.joining.catalogs import AIRLINE, app, component
from tests.unit.collectors.receive.requests import (
    AT,
    any_value,
    as_json,
    attributes,
    decoder,
    log,
    logs,
    metrics,
    rows,
    span,
    spans,
)

LIMIT = 1_000_000
DEEP = 200_000


def post(body: bytes, signal: Signal = Signal.LOGS) -> Decoded:
    """Decode a body as JSON."""
    return decoder().decode(signal, body, at=AT, content=Content.JSON)


def refused(body: bytes) -> str:
    """Decode a body of JSON that must be refused as a whole; returns why."""
    with pytest.raises(Refused) as raised:
        post(body)
    assert 400 == raised.value.status
    return str(raised.value)


def log_json(**fields: Any) -> bytes:
    """A request with a record of these fields and a good one."""
    written = as_json(logs(log(), log(body="good")))
    written["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].update(fields)
    return json.dumps(written).encode()


class TestBombs:
    """Hostile input 19."""

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    def test_a_bomb_is_refused_within_its_limit(self, encoding: str) -> None:
        """A thousand times the limit, in a body far below it; memory stays near the limit."""
        zeros = bytes(256 * LIMIT)
        bomb = (
            gzip.compress(zeros, 9)
            if encoding == "gzip"
            else bytes(pa.Codec("zstd").compress(zeros, asbytes=True))
        )
        del zeros
        assert len(bomb) < LIMIT
        tracemalloc.start()
        begun = time.perf_counter()
        with pytest.raises(Refused, match="longer than") as raised:
            inflate(bomb, encoding, LIMIT)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 413 == raised.value.status
        assert peak < 5 * LIMIT
        assert time.perf_counter() - begun < 5

    @pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\x0f", b"\xff" * 9 + b"\x01"])
    def test_a_snappy_block_that_announces_gigabytes_is_refused_unread(self, length: bytes) -> None:
        with pytest.raises(Refused) as raised:
            inflate(length + b"\x00" * 10, "snappy", LIMIT)
        assert 413 == raised.value.status

    def test_a_snappy_block_that_lies_about_its_length_is_refused(self) -> None:
        honest = bytes(pa.Codec("snappy").compress(b"x" * 1000, asbytes=True))
        with pytest.raises(Refused) as raised:
            inflate(b"\x0a" + honest[2:], "snappy", LIMIT)
        assert 400 == raised.value.status

    def test_a_gzip_of_many_empty_members_ends(self) -> None:
        begun = time.perf_counter()
        assert b"" == inflate(gzip.compress(b"") * 20_000, "gzip", LIMIT)
        assert time.perf_counter() - begun < 5


class TestDepth:
    """Hostile input 2."""

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * DEEP,
            b"[" * DEEP + b"]" * DEEP,
            b'{"a":' * DEEP + b"1" + b"}" * DEEP,
            b'{"]]]]":' * DEEP + b"1" + b"}" * DEEP,
            b'{"resourceLogs":' + b"[" * DEEP + b"]" * DEEP + b"}",
        ],
    )
    def test_json_of_any_depth_is_refused(self, body: bytes) -> None:
        """Brackets in names do not hide it."""
        assert "nests deeper" in refused(body)

    def test_brackets_in_texts_are_no_depth(self) -> None:
        found = post(log_json(body={"stringValue": "[{" * 5000 + '\\"' + "["}))
        assert (2, 0) == (found.table.num_rows, found.rejected)

    def test_a_line_nested_too_deep_is_one_rejected_line(self) -> None:
        lines = [b'{"a":' * DEEP + b"1" + b"}" * DEEP, b'{"msg": "good"}']
        (found,) = LineDecoder(Joiner(AIRLINE)).decode(lines, at=AT)
        assert (1, 1) == (found.table.num_rows, found.rejected)

    def test_protobuf_values_nested_too_deep_reject_their_record(self) -> None:
        value: Any = "deep"
        for _ in range(40):
            value = [value]
        deep = any_value(value)
        raw = deep.SerializeToString()
        for _ in range(500):
            raw = b"\x2a" + _length(_wrapped(raw)) + _wrapped(raw)
        body = logs(log(body=value), log(body="MARKER")).SerializeToString()
        assert 2 == len(rows(logs(log(body=value), log(body="MARKER"))))
        record = b"\x09" + AT.to_bytes(8, "little") + b"\x2a" + _length(raw) + raw
        scope = b"\x12" + _length(record) + record
        resource = b"\x12" + _length(scope) + scope
        bad = b"\x0a" + _length(resource) + resource
        found = decoder().decode(Signal.LOGS, body + bad, at=AT)
        assert (2, 1) == (found.table.num_rows, found.rejected)


def _length(raw: bytes) -> bytes:
    number, out = len(raw), bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _wrapped(raw: bytes) -> bytes:
    return b"\x0a" + _length(raw) + raw


class TestNumbers:
    """Hostile inputs 5 and 25."""

    @pytest.mark.parametrize(
        "body",
        [
            b'{"resourceLogs": NaN}',
            b'{"resourceLogs": [1e999]}',
            b'{"resourceLogs": ' + b"9" * 5000 + b"}",
            b'{"resourceLogs": -Infinity}',
        ],
    )
    def test_json_numbers_that_are_none_are_refused(self, body: bytes) -> None:
        assert refused(body)

    @pytest.mark.parametrize(
        "value",
        [
            "9" * 5000,
            10**30,
            -1,
            "now",
            "253402300799000000000",
            1.5,
            True,
            [],
            {},
            "1_0",
        ],
    )
    def test_a_time_that_is_no_64_bits_rejects_its_record(self, value: object) -> None:
        found = post(log_json(timeUnixNano=value))
        assert (1, 1) == (found.table.num_rows, found.rejected)
        assert "good" == found.table["body"][0].as_py()

    @pytest.mark.parametrize("time", [1_800_000_000, 1_800_000_000_000, 1_800_000_000_000_000])
    def test_epoch_units_are_not_guessed(self, time: int) -> None:
        found = post(log_json(timeUnixNano=str(time)))
        assert 1 == found.rejected
        assert "not in nanoseconds" in found.reason

    def test_numbers_in_attributes_keep_their_value(self) -> None:
        values = {"nan": math.nan, "inf": math.inf, "big": 2**63 - 1, "small": -(2**63)}
        (row,) = rows(logs(log(attributes=values)))
        expected = {"nan": "NaN", "inf": "Infinity", "big": 2**63 - 1, "small": -(2**63)}
        assert expected == json.loads(row["attributes"])

    def test_an_attribute_beyond_64_bits_rejects_its_record(self) -> None:
        found = post(log_json(attributes=[{"key": "k", "value": {"intValue": "9" * 30}}]))
        assert (1, 1) == (found.table.num_rows, found.rejected)


class TestCharacters:
    """Hostile inputs 4, 5, 7, 12, 13 and 17: texts are data, whatever they look like."""

    @pytest.mark.parametrize(
        "text",
        [
            "\x00",
            "a\r\nb",
            "\x1b[31mred\x1b]8;;http://evil\x07",
            "\u202eevil\u200b",
            "\ufeffbom",
            "<script>alert(1)</script>",
            "[x](javascript:alert(1)) ![](http://evil)",
            "{{7*7}} ${jndi:ldap://evil}",
            '"} or vector(1) #',
            'a",env=~".*',
            "ticketing\u0435",
            "::add-mask::x ##vso[task]",
        ],
    )
    def test_any_text_is_stored_as_it_came_and_joins_nothing(self, text: str) -> None:
        resource = {"service.namespace": text, "service.name": text}
        (row,) = rows(logs(log(body=text, attributes={text: text}), resource=resource))
        assert (text, None) == (row["body"], row["app"])
        assert {text: text} == json.loads(row["attributes"])
        (made,) = rows(spans(span(name=text, attributes={"http.route": text}), resource=resource))
        assert (text, text) == (made["name"], made["route"])
        labelled = Metric(
            name="up",
            gauge=Gauge(
                data_points=[
                    NumberDataPoint(time_unix_nano=AT, as_int=1, attributes=attributes({"x": text}))
                ]
            ),
        )
        (point,) = rows(metrics(labelled, resource=resource))
        assert text == json.loads(point["labels"])["x"]

    def test_a_lone_surrogate_rejects_its_record(self) -> None:
        found = post(log_json(body={"stringValue": "seat \ud83d lost"}))
        assert (1, "a text is not UTF-8 (1)") == (found.rejected, found.reason)

    def test_a_surrogate_in_a_resource_refuses_the_batch(self) -> None:
        body = json.dumps(
            {"resourceLogs": [{"resource": {"attributes": [{"key": "\ud800"}]}}]}
        ).encode()
        assert "no export request" in refused(body)

    @pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
    def test_json_in_another_encoding_is_refused(self, encoding: str) -> None:
        assert refused('{"resourceLogs": "é"}'.encode(encoding))

    def test_a_byte_order_mark_is_passed_over(self) -> None:
        assert 2 == post(b"\xef\xbb\xbf" + log_json()).table.num_rows

    def test_duplicate_names_are_one(self) -> None:
        """The last one counts, as in every JSON reader; no record appears twice."""
        body = log_json()[:-1] + b', "resourceLogs": []}'
        assert 0 == post(body).table.num_rows

    def test_a_ten_kilobyte_name_is_cut_and_marked(self) -> None:
        name = "n" * 10_240
        (row,) = rows(spans(span(name=name, attributes={name: name})))
        assert (1024, True) == (len(row["name"]), row["name"].endswith("[cut]"))
        ((key, value),) = json.loads(row["attributes"]).items()
        assert (1024, 8192) == (len(key), len(value))

    def test_a_reason_is_bounded_whatever_was_sent(self) -> None:
        record = {"traceId": "x" * 100_000}
        found = post(log_json(**record))
        assert 1 == found.rejected
        assert len(success(found, Content.JSON)) < 2000


class TestShapes:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b'"x"',
            b"1",
            b'{"resourceLogs": {}}',
            b'{"resourceLogs": [1]}',
            b'{"resourceLogs": [{"scopeLogs": "x"}]}',
            b'{"resourceLogs": [{"resource": []}]}',
        ],
    )
    def test_json_of_another_shape_is_refused(self, body: bytes) -> None:
        assert refused(body)

    @pytest.mark.parametrize("record", [None, 1, "x", [], {"body": "text"}, {"attributes": {}}])
    def test_a_record_of_another_shape_is_rejected_alone(self, record: object) -> None:
        written = as_json(logs(log(body="good")))
        written["resourceLogs"][0]["scopeLogs"][0]["logRecords"].insert(0, record)
        found = post(json.dumps(written).encode())
        assert (1, 1) == (found.table.num_rows, found.rejected)

    def test_unknown_names_are_passed_over(self) -> None:
        """Newer senders know more."""
        assert 0 == post(log_json(newField={"deep": [1]})).rejected

    @pytest.mark.parametrize("place", range(0, 400, 7))
    def test_a_truncated_request_is_refused_or_smaller(self, place: int) -> None:
        body = logs(log(body="x" * 100, attributes={"k": "v"}), log(body="y")).SerializeToString()
        try:
            found = decoder().decode(Signal.LOGS, body[:place], at=AT)
        except Refused:
            return
        assert found.table.num_rows <= 2

    @pytest.mark.parametrize("place", range(0, 300, 3))
    def test_a_flipped_byte_never_crashes(self, place: int) -> None:
        body = bytearray(
            logs(log(body="x" * 50, attributes={"k": [1, "v"]}), log(body="y")).SerializeToString()
        )
        body[place % len(body)] ^= 0xFF
        try:
            decoder().decode(Signal.LOGS, bytes(body), at=AT)
        except Refused as error:
            assert "no protobuf" in str(error)  # noqa: PT017 - a table is as good an outcome


class TestAmplification:
    """A few bytes that ask for very many."""

    def test_a_long_resource_is_not_repeated_without_bound(self) -> None:
        """Ten thousand empty records below a resource of a megabyte would be ten gigabytes."""
        resource = {f"k{number}": "v" * 8000 for number in range(128)}
        body = logs(*(log() for _ in range(10_000)), resource=resource).SerializeToString()
        tracemalloc.start()
        with pytest.raises(Refused, match="too long a resource") as raised:
            decoder().decode(Signal.LOGS, body, at=AT)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 413 == raised.value.status
        assert peak < 100_000_000

    def test_a_request_of_too_many_records_is_refused(self) -> None:
        """Two bytes each on the wire."""
        scope = b"\x12\x00" * 300_000
        resource = b"\x12" + _length(scope) + scope
        body = b"\x0a" + _length(resource) + resource
        with pytest.raises(Refused, match="at most") as raised:
            decoder().decode(Signal.LOGS, body, at=AT)
        assert 413 == raised.value.status

    def test_a_file_goes_on_after_a_request_that_was_too_much(self) -> None:
        """The table that held it is rejected, with a reason, and the next one is read."""
        small = Limits(repeated=10_000)
        much = as_json(logs(*(log() for _ in range(20)), resource={"long": "v" * 5000}))
        lines = [json.dumps(each).encode() for each in (much, {"msg": "good"})]
        first, second = LineDecoder(Joiner(AIRLINE), limits=small, rows=10).decode(lines, at=AT)
        assert (0, 20) == (first.table.num_rows, first.rejected)
        assert (1, 0) == (second.table.num_rows, second.rejected)

    def test_series_with_long_labels_do_not_fill_the_memory(self) -> None:
        one = decoder()
        for batch in range(6):
            points = [
                NumberDataPoint(
                    time_unix_nano=AT,
                    as_int=1,
                    attributes=attributes(
                        {f"k{place}": f"{batch}-{number}-" + "v" * 8000 for place in range(20)}
                    ),
                )
                for number in range(50)
            ]
            sent = Metric(name="up", gauge=Gauge(data_points=points))
            body = metrics(sent).SerializeToString()
            assert 50 == one.decode(Signal.METRICS, body, at=AT).table.num_rows
        held = one._memory.book
        assert sum(len(each.labels) for each in held._seen.values()) <= 33_554_432


class TestBurst:
    """Fault 13, and caches under attack."""

    def test_a_repeated_batch_has_the_same_digest_and_rows(self) -> None:
        body = logs(log(body="x")).SerializeToString()
        one = decoder()
        first, second = (one.decode(Signal.LOGS, body, at=AT).table for _ in range(2))
        assert first.equals(second)
        assert digest(body) == digest(bytes(bytearray(body)))

    def test_ever_new_attributes_and_resources_do_not_grow_the_memory(self) -> None:
        joiner = Joiner(AIRLINE, most=50)
        one = OtlpDecoder(joiner)
        for batch in range(60):
            records = [log(attributes={f"k{batch}-{n}": f"v{n}"}) for n in range(700)]
            found = one.decode(
                Signal.LOGS,
                logs(*records, resource={"service.name": f"s{batch}"}).SerializeToString(),
                at=AT,
            )
            assert 700 == found.table.num_rows
        assert len(one._memory.attributes._fragments) <= 32_768
        assert len(joiner._verdicts) <= 50

    def test_a_catalogue_with_a_hostile_name_matches_text_only(self) -> None:
        """An app called like a selector owns what is tagged so, and nothing else."""
        name = '"} or vector(1) #'
        catalog = Catalog(apps=(app(name, component("api", workload="deployment/.*")),))
        joiner = Joiner(catalog)
        assert name == joiner.join({"app": name}, {}).app
        assert joiner.join({"namespace": "x", "pod": "api-7d4f8b9c6d-x2x9z"}, {}).app is None


class TestBulkRequests:
    """What strangers post to Elasticsearch's way in."""

    def bulk(self, body: bytes) -> Bulk:
        return BulkDecoder(Joiner(AIRLINE)).decode(body, at=AT)

    def test_a_million_actions_are_refused_before_any_is_read(self) -> None:
        """Of ten bytes each; neither time nor memory is spent on them."""
        body = b'{"create":{}}\n{}\n' * 1_000_000
        tracemalloc.start()
        began = time.perf_counter()
        with pytest.raises(Refused, match="250000 actions") as raised:
            self.bulk(body)
        seconds, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert 413 == raised.value.status
        assert seconds < 1
        assert peak < LIMIT

    def test_deep_documents_and_actions_cost_themselves(self) -> None:
        """However deep; the line after is read as ever."""
        deep = b'{"a":' * DEEP + b"1" + b"}" * DEEP
        found = self.bulk(
            b'{"create":{}}\n' + deep + b'\n{"create":' + deep + b'}\n{}\n{"create":{}}\n{"m":1}\n'
        )

        assert [400, 400, 201] == [each.status for each in found.items]

    def test_random_bytes_never_break_it(self) -> None:
        """Lines of a good body, shuffled, cut and spoilt: an item or a refusal for each."""
        random = Random(7)
        good = [b'{"create":{}}', b'{"message":"x"}', b'{"index":{"_index":"a"}}', b"{}", b""]
        for _ in range(2000):
            lines = [bytearray(random.choice(good)) for _ in range(random.randrange(8))]
            for line in lines:
                if line and random.random() < 0.3:
                    line[random.randrange(len(line))] = random.randrange(256)
            body = b"\n".join(lines)
            try:
                found = self.bulk(body)
            except Refused as error:
                if error.status != 400:
                    raise
                continue
            created = [each for each in found.items if each.status == 201]
            assert len(created) == found.table.num_rows
            assert len(found.items) - len(created) == found.rejected
            json.loads(bulk_answer(found, 0))
