"""Service levels over counters: the same identity, rules as for any counter, their own revision."""

from dataclasses import replace

import pytest

from slo import naming
from slo.counters import is_counted, over_counters, paced, step_of
from slo.ledger import expressions
from slo.model import Cluster, Events, External, Logs, Measure, Spans
from slo.windows import base_window, usable_pairs
from tests.builders import CATALOGUE, events, level, slo

LOGS = Logs(query="a: b", bad="c: d")
EXTERNAL = External(total="all", bad="bad")
CLUSTERS = (
    Cluster(name="eu", match={"cluster": "eu-1"}),
    Cluster(name="us", source="prometheus/us"),
)


@pytest.mark.parametrize("measure", [LOGS, Spans(service="api", bad_error=True), EXTERNAL])
def test_what_prometheus_cannot_read_is_events_of_two_counters(measure: Measure) -> None:
    """By the identity of the service level and nothing else: clusters are in one count."""
    one = level(slo(measure, offset="2m"), clusters=CLUSTERS)
    over = over_counters(one)
    counted = over.slo.indicator.measure
    assert isinstance(counted, Events)
    assert counted.good is not None
    labels = '{app="ticketing",env="prod",slo="availability"}'
    assert (f"slo_events_total{labels}", f"slo_good_events_total{labels}") == (
        str(counted.total.plain),
        str(counted.good.plain),
    )
    assert one.key == over.key
    made = expressions(over)
    assert made is not None
    text = f"{made.total_rate} {made.total_increase} {made.part_rate} {made.part_increase}"
    assert "cluster" not in text
    assert "offset 2m" not in text
    assert is_counted(one)
    assert not is_counted(over)


def test_what_prometheus_reads_is_not_counted() -> None:
    assert not is_counted(level(slo(events())))


def test_records_are_counted_by_the_minute_and_others_by_the_slot() -> None:
    """The products are asked for nothing finer than five minutes."""
    assert ("1m", "5m") == tuple(str(step_of(level(slo(each)))) for each in (LOGS, EXTERNAL))


def test_a_counter_that_rises_once_in_a_slot_is_looked_at_over_a_slot() -> None:
    """And no pair of the catalogue is too short for that."""
    one = level(slo(EXTERNAL, scrape="15s"))
    slow = paced(one)
    assert "5m" == str(base_window(slow.slo.indicator.scrape_interval))
    assert usable_pairs(one, CATALOGUE).pairs == usable_pairs(slow, CATALOGUE).pairs
    rare = level(slo(EXTERNAL, scrape="5m"))
    assert rare == paced(rare)
    records = level(slo(LOGS, scrape="15s"))
    assert records == paced(records)


def test_the_revision_is_that_of_the_queries_behind_the_counters() -> None:
    """A changed query is a changed meaning, whatever the counters are called."""
    one = level(slo(EXTERNAL))
    other = level(slo(replace(EXTERNAL, bad="worse")))
    assert naming.revision(one) == naming.revision(paced(one))
    assert naming.revision(paced(one)) != naming.revision(paced(other))
