"""The main path through the installed command: files, rules, a real server, error budgets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import contents, headroom
from tests.servers.processes import promtool, promtool_check_rules
from tests.servers.stage import APPS, HOURS, Stage, instant
from tests.servers.traffic import Counts
from tests.servers.traffic_scenarios import HOUR

# Rules.md: 0.3 % of the period ratio from 1,000 bad events on. Below that a count may miss one.
RELATIVE = 0.003
# The last scrape before the end is up to one interval old: 15 s of 8 h, and no more than that.
LAG = 15 / (HOURS * HOUR)
KEYS = {
    "app": str,
    "env": str,
    "slo": str,
    "objective": (int, float),
    "window": str,
    "state": str,
    "total": (int, float, type(None)),
    "bad": (int, float, type(None)),
    "errorRatio": (int, float, type(None)),
    "budgetRemaining": (int, float, type(None)),
    "burnRates": dict,
    "timeToExhaustionSeconds": (int, float, type(None)),
    "source": str,
}
SOURCES = ("recorded", "raw", "auto")

Answer = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def asked(stage: Stage) -> Callable[[str], Answer]:
    """The budgets by SLO as a source tells them, asked once for each."""
    answers: dict[str, Answer] = {}

    def ask(source: str) -> Answer:
        if source not in answers:
            ending = stage.run("status", "--format", "json", source=source)
            assert (0, "") == (ending.code, ending.stderr)
            assert "headroom/status/v1" == ending.json["schema"]
            assert instant(stage.at) == ending.json["evaluatedAt"]
            answers[source] = {f"{one['app']}/{one['slo']}": one for one in ending.json["slos"]}
        return answers[source]

    return ask


def truth(stage: Stage, slo: str) -> Counts:
    """What truly happened, over all clusters."""
    app, _, name = slo.partition("/")
    counts = Counts(0, 0)
    for world in stage.worlds[app]:
        count = world.true_counts if name == "availability" else world.slow_counts
        counts += count(stage.start, stage.at)
    return counts


def test_the_files_are_sound(stage: Stage) -> None:
    """Validation finds nothing worse than a missing receiver and a pair that cannot fire."""
    ending = headroom("validate", "--format", "json", cwd=stage.folder)
    assert (0, "") == (ending.code, ending.stderr)
    expected = {("alertmanager/no-receiver", "warning"), ("spec/dropped-pair", "note")}
    assert expected == {(one["id"], one["severity"]) for one in ending.json}


def test_the_server_tells_which_series_are_not_there(stage: Stage) -> None:
    """No series is an error, series that ended are a warning, and the rest is well."""
    flags = ("--prometheus", stage.server.url, "--format", "json")
    ending = headroom("validate", *flags, cwd=stage.folder)
    live = {
        (one["location"]["file"], one["id"], one["severity"])
        for one in ending.json
        if one["id"].startswith("live/")
    }
    expected = {
        ("apps/never.yaml", "live/no-series", "error"),
        ("apps/never.yaml", "live/unproven", "warning"),
        ("apps/lost.yaml", "live/series-gone", "warning"),
        ("apps/silent.yaml", "live/unproven", "warning"),
    }
    assert (1, expected) == (ending.code, live)


def test_generated_rules_are_published_and_loaded(stage: Stage, tmp_path: Path) -> None:
    """Each file passes promtool, and each of its groups runs on the server, in good health."""
    out = tmp_path / "generated"
    ending = headroom("generate", "--only", "rules", "--out", out, cwd=stage.folder)
    assert 0 == ending.code
    files = sorted((out / "prometheus").rglob("*.rules.yaml"))
    assert sorted(APPS) == sorted(path.name.partition(".")[0] for path in files)
    checked = promtool_check_rules(stage.binaries, files)
    assert checked.ok, checked.output

    flags = ("--folder", stage.rules, "--prometheus", stage.server.url, "--timeout", "2s")
    ending = headroom("publish", "rules", "--out", out, *flags, cwd=stage.folder)

    assert 0 == ending.code, ending.stderr
    groups = stage.server.api("rules")["groups"]
    kinds = {"fast", "ledger", "meta"}
    expected = {f"{app}/default/availability/{kind}" for app in APPS for kind in kinds}
    expected = {name for name in expected if not name.startswith("healthy/")}
    expected |= {f"healthy/prod/{slo}/{k}" for slo in ("availability", "latency") for k in kinds}
    assert expected == {group["name"] for group in groups}
    assert not [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]
    again = headroom("publish", "rules", "--out", out, *flags, cwd=stage.folder)
    assert (0, "") == (again.code, again.stdout)
    assert again.stderr.endswith("up to date: 9 items\n")


def test_generated_dashboards_and_routes_stand_beside_the_rules(
    stage: Stage, tmp_path: Path
) -> None:
    """The three kinds of output from one command; the rules among them are those of the stage."""
    ending = headroom("generate", "--out", tmp_path / "out", cwd=stage.folder)
    assert 0 == ending.code
    written = contents(tmp_path / "out")
    assert {"alertmanager", "grafana", "prometheus"} <= {name.split("/")[0] for name in written}
    for name, content in written.items():
        if name.startswith("grafana/"):
            assert json.loads(content)["title"], name
    assert promtool(stage.binaries, "--version").ok


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("slo", ["burning/availability", "healthy/availability", "healthy/latency"])
def test_counts_are_the_true_ones(
    stage: Stage, asked: Callable[[str], Answer], slo: str, source: str
) -> None:
    """Two clusters are summed, new-born errors are counted, whichever series are read."""
    found, happened = asked(source)[slo], truth(stage, slo)
    assert found["total"] == pytest.approx(happened.total, rel=RELATIVE)
    ratio = float(happened.ratio)
    slack = max(RELATIVE, 1 / happened.bad) + LAG
    assert found["errorRatio"] == pytest.approx(ratio, rel=slack)
    budget = 1 - found["objective"] / 100
    assert found["budgetRemaining"] == pytest.approx(1 - ratio / budget, abs=slack * ratio / budget)


@pytest.mark.parametrize("slo", ["quiet", "failing", "slow", "gappy"])
def test_raw_counts_of_the_others_are_the_true_ones(
    stage: Stage, asked: Callable[[str], Answer], slo: str
) -> None:
    """Few events are counted as exactly as many; a gap in the rules is no matter."""
    found, happened = asked("raw")[f"{slo}/availability"], truth(stage, f"{slo}/availability")
    assert found["total"] == pytest.approx(happened.total, abs=1 + RELATIVE * happened.total)
    assert found["bad"] == pytest.approx(happened.bad, abs=1)


def test_both_ways_of_reading_agree(asked: Callable[[str], Answer]) -> None:
    """The same slots, so the same numbers; `auto` takes the recorded ones, which are fresh."""
    recorded, raw, auto = (asked(source) for source in SOURCES)
    for name, one in recorded.items():
        assert ("recorded", "raw") == (one["source"], raw[name]["source"])
        assert one == auto[name], name
        if name.startswith("gappy/"):
            continue
        assert one["state"] == raw[name]["state"], name
        for key in ("total", "bad", "errorRatio", "budgetRemaining"):
            expected = raw[name][key]
            assert one[key] == (None if expected is None else pytest.approx(expected, rel=1e-6)), (
                f"{name}: {key}"
            )


@pytest.mark.parametrize("source", ["recorded", "raw"])
def test_each_application_is_in_its_state(asked: Callable[[str], Answer], source: str) -> None:
    """No data is told apart by its reason, and is never a number."""
    found = asked(source)
    states = {one["app"]: one["state"] for one in found.values()}
    assert {
        "healthy": "ok",
        "burning": "exhausted",
        "slow": "ok",
        "quiet": "exhausted",
        "failing": "exhausted",
        "gappy": "ok",
        "silent": "no_data",
        "lost": "no_data",
        "never": "no_data",
    } == states
    reasons = {one["app"]: one["noData"]["reason"] for one in found.values() if one["noData"]}
    assert {"silent": "zero_traffic", "lost": "lost", "never": "never"} == reasons
    for app in reasons:
        one = found[f"{app}/availability"]
        absent = ["errorRatio", "budgetRemaining", "timeToExhaustionSeconds"]
        absent += [] if app == "silent" else ["total", "bad"]
        assert dict.fromkeys(absent) == {key: one[key] for key in absent}
        assert {None} == set(one["burnRates"].values())
    assert (0, 0) == (found["silent/availability"]["total"], found["silent/availability"]["bad"])
    assert found["burning/availability"]["timeToExhaustionSeconds"] == 0


@pytest.mark.parametrize("source", ["recorded", "raw"])
def test_every_slo_has_the_keys_of_the_contract(
    asked: Callable[[str], Answer], source: str
) -> None:
    """What programs read is there for each SLO, of its type, whatever the state."""
    for name, one in asked(source).items():
        for key, kinds in KEYS.items():
            assert isinstance(one[key], kinds), f"{name}: {key}"  # type: ignore[arg-type] # one or several
        # The pair of 5m cannot fire at the objective of 90 %.
        windows = {"1h"} if name == "healthy/latency" else {"5m", "1h"}
        assert windows <= set(one["burnRates"]), name


def test_a_gap_in_the_evaluation_is_coverage_and_no_guess(
    stage: Stage, asked: Callable[[str], Answer]
) -> None:
    """Two of eight hours were recorded: a quarter, and the events of those alone."""
    one = asked("recorded")["gappy/availability"]
    assert one["coverage"] == pytest.approx(0.25, abs=0.02)
    assert one["total"] == pytest.approx(truth(stage, "gappy/availability").total / 4, rel=0.03)
    assert asked("raw")["gappy/availability"]["coverage"] == 1


@pytest.mark.parametrize("source", ["recorded", "raw"])
def test_burn_rates_are_those_of_the_outage(
    stage: Stage, asked: Callable[[str], Answer], source: str
) -> None:
    """Short windows end at the last scrape, long ones at the last slot."""
    (world,) = stage.worlds["burning"]
    rates = asked(source)["burning/availability"]["burnRates"]
    for window, seconds in (("1h", HOUR), ("6h", 6 * HOUR)):
        happened = world.true_counts(stage.at - seconds, stage.at).ratio
        assert rates[window] == pytest.approx(float(happened) / 0.001, rel=0.02), window


@pytest.mark.parametrize("source", ["recorded", "raw"])
def test_an_earlier_time_gets_its_own_answer(stage: Stage, source: str) -> None:
    """Before the outage there was budget; the same question has the same answer again."""
    before = stage.at - 3 * HOUR
    ask = ("status", "--app", "burning", "--format", "json")
    first, second = (stage.run(*ask, source=source, at=before) for _ in range(2))
    (one,) = first.json["slos"]
    (world,) = stage.worlds["burning"]
    happened = world.true_counts(stage.start, before)
    assert ("ok", 0) == (one["state"], first.code)
    assert one["total"] == pytest.approx(happened.total, rel=RELATIVE)
    assert one["bad"] == pytest.approx(happened.bad, abs=1)
    assert first.stdout == second.stdout


def test_times_are_read_in_both_notations(stage: Stage) -> None:
    """Unix seconds and RFC 3339 with any offset are the same instant."""
    ask = ("status", "--app", "healthy", "--format", "json")
    seconds = stage.run(*ask)
    flags = ("--prometheus", stage.server.url, "--at", instant(stage.at).replace("Z", "+00:00"))
    written = headroom(*ask, *flags, cwd=stage.folder)
    assert seconds.stdout == written.stdout


def test_the_table_is_for_eighty_columns(stage: Stage) -> None:
    """Every line fits, and no number stands for what is not known."""
    ending = stage.run("status")
    assert 0 == ending.code
    assert max(map(len, ending.stdout.splitlines())) <= 80
    for app in APPS:
        assert app in ending.stdout
    assert "\x1b" not in ending.stdout
    assert "nan" not in ending.stdout.lower()
    markdown = stage.run("status", "--format", "markdown", "--app", "burning")
    assert "| " in markdown.stdout


def test_a_server_that_has_never_seen_our_rules_answers_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    """`auto` reads raw series and says so: here the app's name is new to the server."""
    text = APPS["healthy"].replace("name: healthy", "name: newcomer", 1)
    (tmp_path / "newcomer.yaml").write_text(text, encoding="utf-8")
    flags = ("--prometheus", stage.server.url, "--at", str(stage.at), "--format", "json")
    ending = headroom("status", "newcomer.yaml", *flags, cwd=tmp_path)
    assert 0 == ending.code, ending.stderr
    happened = truth(stage, "healthy/availability")
    for one in ending.json["slos"]:
        assert "raw" == one["source"]
        assert any("read from raw series" in note for note in one["notes"])
    assert ending.json["slos"][0]["total"] == pytest.approx(happened.total, rel=RELATIVE)
