"""What the embedded store holds: versions, deploys, inventory, and what belongs to nobody."""

from pathlib import Path
from typing import Any

import pandas as pd

from collectors.readers.store import StoreTelemetry
from tests.stored_rows import (
    CARGO,
    NOON,
    SECOND,
    asking,
    deploy,
    hours,
    log,
    opened,
    sample,
    span,
)


def test_versions_are_seen_in_any_signal(tmp_path: Path) -> None:
    """First and last over all of them, the earliest first; without a component, by service."""
    telemetry = StoreTelemetry(
        opened(
            tmp_path,
            logs=[log("a", 5, version="2"), log("b", 9, version="1")],
            spans=[span(1, 1, version="1"), span(2, 7, version="2"), span(3, 8)],
            metrics=[sample("up", 1, 3, component=None, version="2")],
        )
    )
    found = telemetry.versions(asking()).value
    assert ["component", "version", "first", "last", "records"] == list(found.columns)
    assert [
        ("api", "1", NOON + SECOND, NOON + 9 * SECOND, 2),
        ("ticketing-api", "2", NOON + 3 * SECOND, NOON + 3 * SECOND, 1),
        ("api", "2", NOON + 5 * SECOND, NOON + 7 * SECOND, 2),
    ] == list(found.itertuples(index=False, name=None))


def test_no_versions_are_an_empty_answer_with_the_same_columns(tmp_path: Path) -> None:
    """Telemetry without versions is no error."""
    found = StoreTelemetry(opened(tmp_path, logs=[log("a")])).versions(asking()).value
    assert ["component", "version", "first", "last", "records"] == list(found.columns)
    assert found.empty


def test_told_deploys_are_those_of_the_app_and_range(tmp_path: Path) -> None:
    """Oldest first."""
    rows = [
        deploy(2, 20, version="3", actor="ada", commit_id="abc"),
        deploy(1, 10, version="2"),
        deploy(3, 30, **CARGO),
        deploy(4, 7200),
    ]
    found = StoreTelemetry(opened(tmp_path, deploys=rows)).deploys(asking()).value
    assert ["d1", "d2"] == found["id"].tolist()
    assert ["time id component env version previous commit_id actor url title"] == [
        " ".join(found.columns)
    ]


def test_the_inventory_counts_by_owner_signal_and_rung(tmp_path: Path) -> None:
    """Bytes are shares of what a signal takes on disk; series are of metrics alone."""
    telemetry = StoreTelemetry(
        opened(
            tmp_path,
            logs=[log("a", rung=1), log("b", 1, rung=2), log("c", 2, app=None, env=None)],
            metrics=[sample("up", 1, at, {"pod": f"{at % 2}"}, rung=1) for at in range(6)],
            spans=[span(1, rung=1, **CARGO)],
        )
    )
    found = telemetry.inventory(hours()).value
    assert ["app env signal rung records bytes series first last"] == [" ".join(found.columns)]
    counted = {
        (None if pd.isna(row["app"]) else row["app"], row["signal"]): row["records"]
        for row in found.groupby(["app", "signal", "env"], dropna=False, as_index=False)
        .agg({"records": "sum"})
        .to_dict("records")
    }
    assert {
        ("ticketing", "logs"): 2,
        (None, "logs"): 1,
        ("ticketing", "metrics"): 6,
        ("cargo", "spans"): 1,
    } == counted
    metrics = found[found["signal"] == "metrics"].iloc[0]
    assert 2 == metrics["series"]
    assert metrics["bytes"] > 0
    logs = found[found["signal"] == "logs"]
    assert logs["series"].isna().all()
    assert {1, 2} == set(logs["rung"].dropna())


def test_an_empty_store_has_an_empty_inventory(tmp_path: Path) -> None:
    """With the columns of a full one."""
    found = StoreTelemetry(opened(tmp_path)).inventory(hours()).value
    assert found.empty
    assert "bytes" in found.columns


def test_what_belongs_to_nobody_is_grouped_by_what_it_says(tmp_path: Path) -> None:
    """With the key that is missing, an example, and who claimed it."""
    nobody: dict[str, Any] = {"app": None, "env": None, "component": None}
    telemetry = StoreTelemetry(
        opened(
            tmp_path,
            logs=[
                *(
                    log(f"line {n}", n, **nobody, service="pdf", missing="service.namespace")
                    for n in range(3)
                ),
                log("mine", 4),
            ],
            spans=[span(1, **nobody, service="pdf", claimants='["crew","ticketing"]')],
        )
    )
    found = telemetry.unattributed(hours()).value
    assert [("logs", 3), ("spans", 1)] == sorted(
        zip(found["signal"], found["records"], strict=True)
    )
    logs = found[found["signal"] == "logs"].iloc[0]
    assert ("pdf", "service.namespace") == (logs["service"], logs["missing"])
    assert str(logs["example"]).startswith("line ")
    assert NOON == logs["first"]
    spans = found[found["signal"] == "spans"].iloc[0]
    assert '["crew","ticketing"]' == spans["claimants"]
    assert telemetry.unattributed(hours(1, 2)).value.empty
