"""What is written down for a benchmark: raw counters, and what rules would have recorded."""

from pathlib import Path

from bench import rules, samples
from bench.specs import service
from slo import naming

DAY = 86_400
NOON = 1_767_268_800


def test_recorded_series_stand_at_the_interval_of_their_group() -> None:
    """The ledger every five minutes for all of the period, short ones for two hours."""
    families = samples.recorded(rules.ours(service("api")), end=NOON, period=30 * DAY)

    counts = {name: "".join(texts).count("\n") for name, _, texts in families}

    assert 30 * 288 + 1 == counts[naming.TOTAL_INCREASE]
    assert 30 * 288 + 1 == counts[naming.BAD_INCREASE]
    assert 2 * 120 + 1 == counts[naming.TOTAL_RATE]
    assert 2 * 12 + 1 == counts[naming.PERIOD_RATIO]
    assert naming.UNPAIRED not in counts


def test_two_of_five_counters_are_failures(tmp_path: Path) -> None:
    """Five codes for each pod, each sampled from the start to the end."""
    counters = samples.counters(["api"], pods=2, start=NOON - 60, end=NOON, step=15)
    samples.write(tmp_path / "samples.txt", [counters])

    lines = (tmp_path / "samples.txt").read_text().splitlines()

    assert "# TYPE http_requests counter" == lines[0]
    assert "# EOF" == lines[-1]
    assert 2 * 5 * 5 == len(lines) - 2
    assert 2 * 2 * 5 == sum('code="50' in line for line in lines)
    last = 'http_requests_total{job="api",instance="p001",code="503"} 4'
    assert f"{last} {NOON}" == lines[-2]
