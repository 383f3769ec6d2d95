"""Causes are found, are disjoint, add up, and say no more than the numbers do."""

import random

import pandas as pd
import pytest

from app.services.explain import LEFT_OVER, Cause, explain

DIMENSIONS = ("route", "pod", "version", "dependency")
ROUTES = ("GET /search", "POST /bookings", "POST /bookings/{id}/confirm")


def world(seed: int) -> pd.DataFrame:
    """A quiet service: one request in two thousand fails, whatever it is."""
    rng = random.Random(seed)
    print(f"seed {seed}")
    rows = []
    for route in ROUTES:
        for pod in ("api-1", "api-2", "api-3"):
            for version in ("2.14.3", "2.15.0"):
                for dependency in (None, "payments", "pg-shared"):
                    total = float(rng.randint(2_000, 9_000))
                    bad = float(round(total / 2_000))
                    rows.append([route, pod, version, dependency, total, bad])
    return pd.DataFrame(rows, columns=[*DIMENSIONS, "total", "bad"])


def bad_sum(causes: list[Cause]) -> float:
    return sum(each.bad for each in causes)


def test_a_bad_version_of_one_route_comes_first() -> None:
    counts = world(1)
    broken = (counts["route"] == ROUTES[2]) & (counts["version"] == "2.15.0")
    counts.loc[broken, "bad"] = counts.loc[broken, "total"] / 3
    first = explain(counts, DIMENSIONS)[0]
    assert {"route": ROUTES[2], "version": "2.15.0"} == first.named
    assert counts.loc[broken, "bad"].sum() == first.bad
    assert counts.loc[broken, "total"].sum() == first.total


def test_a_slow_dependency_is_named_for_all_routes() -> None:
    counts = world(2)
    slow = counts["dependency"] == "pg-shared"
    counts.loc[slow, "bad"] = counts.loc[slow, "total"] / 5
    assert {"dependency": "pg-shared"} == explain(counts, DIMENSIONS)[0].named


def test_two_incidents_are_two_rows() -> None:
    counts = world(3)
    one = (counts["pod"] == "api-2") & (counts["route"] == ROUTES[0])
    two = (counts["version"] == "2.15.0") & (counts["dependency"] == "payments")
    counts.loc[one, "bad"] = counts.loc[one, "total"] / 2
    counts.loc[two & ~one, "bad"] = counts.loc[two & ~one, "total"] / 4
    named = [each.named for each in explain(counts, DIMENSIONS)[:2]]
    assert {"route": ROUTES[0], "pod": "api-2"} in named
    assert {"version": "2.15.0", "dependency": "payments"} in named


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_disjoint_and_leave_little(seed: int) -> None:
    counts = world(seed)
    rng = random.Random(seed)
    counts["bad"] = [min(total, rng.paretovariate(1) * 10) for total in counts["total"]]
    causes = explain(counts, DIMENSIONS)
    whole = counts["bad"].sum()
    assert bad_sum(causes) <= whole * (1 + 1e-9)
    assert whole - bad_sum(causes) <= LEFT_OVER * whole
    for place, each in enumerate(causes):
        assert each.named not in [other.named for other in causes[:place]]


def test_what_nobody_labelled_stays_unexplained() -> None:
    counts = pd.DataFrame([[None, None, None, None, 1000.0, 100.0]])
    counts.columns = pd.Index([*DIMENSIONS, "total", "bad"])
    assert [] == explain(counts, DIMENSIONS)


def test_nothing_bad_has_no_cause() -> None:
    counts = world(4)
    counts["bad"] = 0.0
    assert [] == explain(counts, DIMENSIONS)


def test_what_works_well_is_no_cause() -> None:
    """Of two versions the broken one is named, although both tell bad from good as well."""
    rows = [["r", "p", "1.0", None, 50_000.0, 50.0], ["r", "p", "2.0", None, 1_000.0, 300.0]]
    counts = pd.DataFrame(rows, columns=[*DIMENSIONS, "total", "bad"])
    assert {"version": "2.0"} == explain(counts, DIMENSIONS)[0].named
