"""Traced requests of the histograms that an app's indicators name."""

import json
from pathlib import Path

from app.access import OPEN
from app.services.exemplars import latency_exemplars
from collectors.signals import Signal
from collectors.store import StoreWriter
from tests.servers.loopback import Loopback, Reply
from tests.stored_rows import NOON, SECOND, hours, rows_of, sample
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA
from tests.unit.app.services.installation import install
from tests.unit.app.services.test_alerts import WORKSPACE

TIMED = (
    airline.APPS["ticketing"]
    + """\
    - name: latency
      objective: 99
      window: 1d
      indicator:
        latency: {histogram: 'took_milliseconds{job="ticketing"}', threshold: 500ms, buckets: [0.5]}
"""
)


def test_the_store_gives_the_exemplars_of_a_latency_indicator(tmp_path: Path) -> None:
    """In seconds, whatever the histogram is in; counters that are no histogram are not asked."""
    world = install(tmp_path, apps={"ticketing": TIMED, "cargo": airline.APPS["cargo"]})
    told = json.dumps([{"time": NOON + SECOND, "value": 400, "traceId": "ab"}])
    rows = [
        sample("took_milliseconds", 1, 1, {"job": "ticketing"}, exemplars=told),
        sample("hits_total", 1, 1, {"job": "ticketing"}, exemplars=told.replace("ab", "cd")),
    ]
    with StoreWriter(tmp_path / "store") as writer:
        writer.append(Signal.METRICS, rows_of(Signal.METRICS, rows))
    found = latency_exemplars(world, TIA, "ticketing", "prod", hours())
    assert [("ab", 0.4, NOON + SECOND)] == [(e.trace_id, e.value, e.time) for e in found.value]
    assert "store" == found.source


def test_a_prometheus_is_asked_for_the_buckets(tmp_path: Path) -> None:
    """There, exemplars are those of buckets."""
    data = [
        {
            "seriesLabels": {"__name__": "took_milliseconds_bucket", "job": "ticketing"},
            "exemplars": [{"labels": {"trace_id": "AB"}, "value": "500", "timestamp": 1760011260}],
        }
    ]
    body = json.dumps({"status": "success", "data": data}).encode()
    with Loopback([Reply(body=body)]) as server:
        text = WORKSPACE.format(url=server.url)
        apps = {"ticketing": TIMED, "cargo": airline.APPS["cargo"]}
        world = install(tmp_path, workspace=text, apps=apps, store=False)
        found = latency_exemplars(world, TIA, "ticketing", "prod", hours())
        asked = [each.form["query"] for each in server.asked]
    assert ['took_milliseconds_bucket{job="ticketing"}'] == asked
    assert [("ab", 0.5)] == [(each.trace_id, each.value) for each in found.value]


def test_an_app_without_histograms_has_none_and_says_why(tmp_path: Path) -> None:
    """Nothing is asked."""
    world = airline.opened(tmp_path)
    found = latency_exemplars(world, OPEN, "ticketing", "prod", hours())
    assert () == found.value
    assert ("no indicator names a histogram, which is what keeps exemplars",) == found.notes
