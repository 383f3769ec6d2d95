"""Requests of remote write that we make are those that we take."""

import math

from hypothesis import given
from hypothesis import strategies as st

from collectors.joining import Joiner
from collectors.receive import RemoteWriteDecoder, inflate
from collectors.receive.remote_write_request import Written, write_request
from tests.unit.collectors.joining.catalogs import AIRLINE

NOW = 1_800_000_000_000


@given(
    slo=st.text(min_size=1, max_size=40),
    values=st.lists(st.floats(min_value=0, allow_infinity=False), min_size=1, max_size=5),
)
def test_what_is_written_is_read_again(slo: str, values: list[float]) -> None:
    """Labels of any text, and every bit of a number."""
    samples = [(NOW + place, value) for place, value in enumerate(values)]
    labels = {"slo": slo, "__name__": "slo_events_total", "app": "ticketing"}
    body = write_request([Written(labels=labels, samples=samples)], counters=["slo_events_total"])
    found = RemoteWriteDecoder(Joiner(AIRLINE)).decode(inflate(body, "snappy", 1 << 20))
    rows = found.table.to_pylist()
    assert ("", 0) == (found.reason, found.rejected)
    assert samples == [(row["time"] // 1_000_000, row["value"]) for row in rows]
    assert {("slo_events_total", "counter")} == {(row["name"], row["kind"]) for row in rows}
    assert all(math.isfinite(row["value"]) for row in rows)
