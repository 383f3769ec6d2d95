"""Names that leave the program: unique, bounded, and tied to what they mean."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo import naming
from slo.model import Cluster, Objective, SloKey
from slo.units import Duration
from tests.builders import events, level, slo

NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)


def test_identity_is_three_labels() -> None:
    """Derived series carry these and nothing else."""
    key = SloKey(app="a", env="e", slo="s")
    assert {"app": "a", "env": "e", "slo": "s"} == naming.identity(key)
    assert set(naming.IDENTITY_LABELS) <= naming.RESERVED_LABELS


@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
def test_groups_of_different_slos_have_different_names(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """The separator can be in no name."""
    names = [
        naming.group_name(SloKey(app=app, env=env, slo=each), "fast")
        for app, env, each in (one, other)
    ]
    assert (one == other) == (names[0] == names[1])


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_dashboards_have_short_and_unique_uids(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Grafana takes forty characters; longer names end in a digest."""
    uids = [naming.dashboard_uid(app, env, "overview") for app, env in (one, other)]
    assert all(len(uid) <= naming.MAX_UID for uid in uids)
    if len(f"headroom-{'-'.join(one)}-overview") > naming.MAX_UID:
        assert (one == other) == (uids[0] == uids[1])


def test_a_short_uid_can_be_read() -> None:
    """It says which application it belongs to."""
    assert "headroom-ticketing-prod-overview" == naming.dashboard_uid(
        "ticketing", "prod", "overview"
    )


def test_ratio_series_are_named_by_their_window() -> None:
    """As the Site Reliability Workbook and its tools name theirs."""
    assert "slo:error:ratio_rate1h" == naming.error_ratio(Duration.parse("60m"))


LEVEL = level()
SAME = {
    "labels": level(slo(labels={"owner": "x"})),
    "title": level(replace(slo(), title="Other", description="d", runbook="r")),
    "proven": level(slo(proven=False)),
    "spaces": level(slo(events(bad='http_requests_total{ job = "api",\n  code=~"5.." } # why'))),
    "quotes": level(slo(events(bad="http_requests_total{job='api',code=~`5..`}"))),
    "scrape interval": level(slo(scrape="30s")),
    "source": level(clusters=[Cluster(name="prod", source="prometheus/eu")]),
    "team": replace(LEVEL, app=replace(LEVEL.app, team="other", labels={"tier": "1"})),
}
OTHER = {
    "objective": level(slo(target="99.5")),
    "window": level(slo(window="28d")),
    "total": level(slo(events("requests_total", bad="errors_total"))),
    "bad": level(slo(events(bad='http_requests_total{job="api",code="500"}'))),
    "part": level(slo(events(good='http_requests_total{job="api",code=~"5.."}'))),
    "offset": level(slo(offset="1m")),
    "cluster": level(clusters=[Cluster(name="prod", match={"cluster": "eu"})]),
}


@pytest.mark.parametrize("what", SAME)
def test_a_revision_survives_what_changes_no_number(what: str) -> None:
    """Words, labels and owners do not start a budget anew."""
    assert naming.revision(LEVEL) == naming.revision(SAME[what])


@pytest.mark.parametrize("what", OTHER)
def test_a_revision_changes_with_what_a_budget_means(what: str) -> None:
    """Numbers before and after cannot be compared."""
    assert naming.revision(LEVEL) != naming.revision(OTHER[what])


def test_a_revision_tells_the_window_from_a_range_of_any_length() -> None:
    """One grows with the window that is asked about, the other does not."""
    ranges = ["$window", "5m", "300s", "1m"]
    revisions = [naming.revision(level(slo(events(f"sum(rate(x[{each}]))")))) for each in ranges]

    assert revisions[1] == revisions[2]
    assert 3 == len(set(revisions))


@pytest.mark.parametrize("text", ["99.90", "99.9000"])
def test_a_revision_reads_the_objective_and_not_its_digits(text: str) -> None:
    """99.90 is 99.9."""
    same = Objective(text=text, percent=Decimal(text))
    assert naming.revision(LEVEL) == naming.revision(level(replace(slo(), objective=same)))
