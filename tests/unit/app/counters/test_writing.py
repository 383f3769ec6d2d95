"""Counters by remote write to loopback servers: what is sent, kept, tried again and given up."""

import base64
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

from app.counters.writing import Moment, Pauses, Writing, series
from app.telemetry import Telemetry
from collectors.joining import Joiner
from collectors.receive import RemoteWriteDecoder, inflate
from slo.model import SloKey
from slo.serving import RemoteWrite
from slo.units import Duration
from slo.workspace import BasicAuth
from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.server import wait_until
from tests.unit.collectors.joining.catalogs import AIRLINE

KEY = SloKey(app="ticketing", env="prod", slo="checkout")
NOW = 1_800_000_000_000
SOON = Pauses(first=0.01, longest=0.02)


def writing(url: str, telemetry: Telemetry, *, most: int = 1000, **more: Any) -> Writing:
    ticks = count(NOW)
    totals = count(1)
    return Writing(
        RemoteWrite(
            url=url,
            interval=Duration(milliseconds=50),
            timeout=Duration.parse("5s"),
            **more,
        ),
        lambda: {KEY: (Fraction(next(totals)), Fraction(1, 2))},
        clock=lambda: next(ticks) * 1_000_000,
        telemetry=telemetry,
        environ={},
        pauses=SOON,
        most=most,
    )


def taken(asked: Asked) -> list[tuple[str, str, int, float]]:
    """The samples of a request: name, SLO, time in milliseconds, value."""
    plain = inflate(asked.body, asked.headers["Content-Encoding"], 1 << 20)
    found = RemoteWriteDecoder(Joiner(AIRLINE)).decode(plain)
    assert ("", 0) == (found.reason, found.rejected)
    return [
        (row["name"], row["labels"], row["time"] // 1_000_000, row["value"])
        for row in found.table.to_pylist()
    ]


def test_samples_are_sent_with_their_names_in_order(tmp_path: Path) -> None:
    """As a receiver of the protocol reads them, with what proves who sends."""
    (tmp_path / "password").write_text("secret\n")
    telemetry = Telemetry()
    auth = BasicAuth(username="headroom", password_file=str(tmp_path / "password"))
    with Loopback([Reply(status=204)]) as server:
        sender = writing(server.url, telemetry, basic_auth=auth, headers={"X-Scope-OrgID": "air"})
        sender.begin()
        wait_until(lambda: len(server.asked) >= 3, what="three requests")
        sender.close()
    first = server.asked[0]
    pair = base64.b64encode(b"headroom:secret").decode()
    expected = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
        "Authorization": f"Basic {pair}",
        "X-Scope-OrgID": "air",
    }
    assert expected == {name: first.headers[name] for name in expected}
    labels = '{"app":"ticketing","env":"prod","slo":"checkout"}'
    assert [
        ("slo_events_total", labels, NOW, 1.0),
        ("slo_good_events_total", labels, NOW, 0.5),
    ] == taken(first)
    sent = [sample for asked in server.asked for sample in taken(asked)]
    assert len(set(sent)) == len(sent)
    assert f"headroom_remote_write_samples_total {len(sent)}" in telemetry.exposition()


def test_what_is_not_taken_waits_and_comes_in_order() -> None:
    """Broken, busy, elsewhere, wrong credentials: somebody mends that."""
    telemetry = Telemetry()
    refusals = [Reply(status=status) for status in (500, 429, 302, 401)]
    with Loopback([*refusals, Reply(status=204)]) as server:
        sender = writing(server.url, telemetry)
        sender.begin()
        wait_until(lambda: len(server.asked) > 6, what="requests after the refusals")
        assert sender.trouble is None
        sender.close()
    sent = [sample for asked in server.asked[4:] for sample in taken(asked)]
    times = [at for name, _, at, _ in sent if name == "slo_events_total"]
    assert times == list(range(NOW, NOW + len(times)))
    assert "headroom_remote_write_retries_total 4" in telemetry.exposition()
    assert "headroom_remote_write_dropped_total 0" in telemetry.exposition()


def test_samples_that_are_refused_are_given_up() -> None:
    """They would be refused for ever, and hold up all others."""
    telemetry = Telemetry()
    with Loopback([Reply(status=400, body=b"out of bounds"), Reply(status=204)]) as server:
        sender = writing(server.url, telemetry)
        sender.begin()
        wait_until(lambda: len(server.asked) > 2, what="requests after the refusal")
        sender.close()
    assert "headroom_remote_write_dropped_total 2" in telemetry.exposition()


def test_nobody_at_the_address_is_told_and_bounded() -> None:
    """Memory does not grow with an outage; the oldest moments go."""
    telemetry = Telemetry()
    sender = writing("http://127.0.0.1:9", telemetry, most=6)
    sender.begin()
    wait_until(
        lambda: "headroom_remote_write_dropped_total 0" not in telemetry.exposition(),
        what="a dropped sample",
    )
    assert sender.trouble is not None
    assert 6 >= sender.waiting
    sender.close()


def test_moments_become_series() -> None:
    """Each with its samples in the order of time."""
    moments = [Moment(at=at, values={KEY: (Fraction(at), Fraction(at, 2))}) for at in (1000, 2000)]
    first, second = series(moments)
    assert "slo_events_total" == first.labels["__name__"]
    assert [(1000, 1000.0), (2000, 2000.0)] == list(first.samples)
    assert [(1000, 500.0), (2000, 1000.0)] == list(second.samples)
