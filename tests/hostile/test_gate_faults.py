"""Hostile files and failing servers through the installed command: refused, in time, by name.

Whatever comes, there is no traceback (`headroom` in `tests.cli.installed` looks for one), nothing
is written that should not be, and nothing is allowed.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.installed import app_text, contents, headroom, write
from tests.servers.loopback import Asked, Loopback, Reply, result, vector
from tests.servers.processes import promtool_check_rules

AT = "2026-11-21T12:00:00Z"
SECONDS = 20


def app(name: str, **parts: str) -> bytes:
    """An app file with parts of its text exchanged: the key without underscores by the value."""
    text = app_text(name)
    for old, new in parts.items():
        marker = {"objective": "99.9", "app": f"name: {name}", "team": "bookings"}[old]
        assert marker in text
        text = text.replace(marker, new, 1)
    return text.encode("utf-8", "surrogatepass")


WRONG: Mapping[str, bytes] = {
    "duplicate-key": app("a1", objective="99.9\n      objective: 99.5"),
    "yaml-1-1": app("a2", objective="off"),
    "sexagesimal": app("a3", objective="12:30:00"),
    "python-tag": app("a4", objective="!!python/object/apply:os.system ['touch owned']"),
    "nan": app("b1", objective=".nan"),
    "infinite": app("b2", objective="1e999"),
    "long-integer": app("b3", objective="9" * 5000),
    "lone-surrogate": app("b4", team="book\ud800ings"),
    "escaped-surrogate": app("b5", team='"book\\ud800ings"'),
    "nul": app("b6", team="book\0ings"),
    "utf-16": app("b7").decode().encode("utf-16"),
    "objective-100": app("c1", objective="100"),
    "objective-0": app("c2", objective="0"),
    "objective-negative": app("c3", objective="-1"),
    "objective-above": app("c4", objective="100.0000001"),
    "app-breaks-out": app("d1", app="name: '\"} or vector(1) #'"),
    "app-is-a-pattern": app("d2", app="name: 'a\",env=~\".*'"),
    "app-climbs": app("e1", app="name: '../../x'"),
    "app-is-long": app("e2", app=f"name: {'x' * 300}"),
    "app-in-capitals": app("e3", app="name: Ticketing"),
    "env-climbs": app_text("e4", environments="[{name: '../../x', match: {a: b}}]").encode(),
    "env-is-long": app_text(
        "e5", environments=f"[{{name: {'x' * 300}, match: {{a: b}}}}]"
    ).encode(),
    "two-ranges": app("f1")
    .replace(b'code=~"5..."', b"")
    .replace(
        b"""http_requests_total{job="f1-api"}'""", b"""sum(http_requests_total[5m]) + up[1m]'""", 1
    ),
    "query-broken": app("f2").replace(b"\"}'", b"\"'", 1),
    "regex-broken": app("f3").replace(b'code=~"5.."', b'code=~"(5"'),
}

FINE: Mapping[str, bytes] = {
    "bom": b"\xef\xbb\xbf" + app("g1"),
    "crlf": app("g2").replace(b"\n", b"\r\n"),
    "digits": app("g3", objective="99.90"),
    "template": app("g4", team="'{{7*7}} ${jndi:ldap://x}'"),
}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with every wrong file, and a sound app beside them."""
    apps = tmp_path / "apps"
    write(apps, sound=app_text("sound"))
    for name, content in WRONG.items():
        (apps / f"{name}.yaml").write_bytes(content)
    return tmp_path


def test_every_wrong_file_is_named_with_its_place(hostile: Path) -> None:
    """All at once, in bounded time; a file that is sound is not among them."""
    ending = headroom("validate", "apps", "--format", "json", cwd=hostile)
    assert 1 == ending.code
    assert ending.seconds < SECONDS
    found: dict[str, list[str]] = {}
    for problem in ending.json:
        if problem["severity"] == "error":
            assert problem["location"]["line"] >= 1, problem
            found.setdefault(Path(problem["location"]["file"]).stem, []).append(problem["id"])
    assert set(WRONG) == set(found)
    assert not (hostile / "owned").exists()
    text = headroom("validate", "apps", cwd=hostile)
    assert (1, "") == (text.code, text.stderr)
    assert not set(map(chr, range(32))) - {"\n"} & set(text.stdout), "nothing moves the cursor"


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("generate", "apps", "--out", "out"), 1),
        (("generate", "apps", "--out", "out", "--check"), 1),
        (("diff", "apps", "--out", "out"), 1),
        (("status", "apps", "--app", "sound"), 1),
        (("gate", "apps", "--app", "sound", "--at", AT), 2),
    ],
)
def test_nothing_is_written_asked_or_decided(
    hostile: Path, argv: tuple[str, ...], code: int
) -> None:
    """One wrong file is enough, whichever app is asked about."""
    before = contents(hostile)
    with Loopback([result([])]) as server:
        environment = {"HEADROOM_PROMETHEUS": server.url}
        ending = headroom(*argv, cwd=hostile, environment=environment)
        assert [] == server.asked
    assert (code, "") == (ending.code, ending.stdout)
    assert ending.seconds < SECONDS
    assert before == contents(hostile)


# Every third of them: a process each, of a second.
@pytest.mark.parametrize("name", list(WRONG)[::3])
def test_a_wrong_file_alone_is_refused_by_the_gate(tmp_path: Path, name: str) -> None:
    """Not one of them hides behind another's problem."""
    (tmp_path / "app.yaml").write_bytes(WRONG[name])
    with Loopback([result([])]) as server:
        ending = headroom(
            "gate", "app.yaml", "--app", "x", "--prometheus", server.url, "--at", AT, cwd=tmp_path
        )
        assert [] == server.asked
    assert (2, "") == (ending.code, ending.stdout)
    assert "app.yaml:" in ending.stderr
    assert ["app.yaml"] == list(contents(tmp_path))


def test_odd_files_that_are_sound_are_read(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, digits that count, templates that are only text."""
    for name, content in FINE.items():
        (tmp_path / f"{name}.yaml").write_bytes(content)
    assert 0 == headroom("validate", cwd=tmp_path).code
    assert 0 == headroom("generate", "--out", "out", cwd=tmp_path).code
    rules = tmp_path / "out" / "prometheus" / "default"
    assert 4 == len(list(rules.iterdir()))
    (info,) = _records(rules / "g3.rules.yaml", "slo_info")
    assert "99.90" == info["labels"]["objective"]


TEMPLATES = "{{7*7}} ${jndi:ldap://x} {{ $labels.app }} {{"


def test_text_that_looks_like_a_template_stays_text(prometheus_bin: Path, tmp_path: Path) -> None:
    """In labels and annotations of alerts, which a server expands: it takes the file as it is."""
    text = app_text(slos=f"      title: '{TEMPLATES}'\n      labels: {{note: '{TEMPLATES}'}}\n")
    text = text.replace("team: bookings", f"team: '{TEMPLATES}', labels: {{tier: '{TEMPLATES}'}}")
    (tmp_path / "app.yaml").write_text(text, encoding="utf-8")
    ending = headroom("generate", "--out", "out", "--only", "rules", cwd=tmp_path)
    assert 0 == ending.code, ending.stderr
    (path,) = (tmp_path / "out").rglob("*.rules.yaml")
    checked = promtool_check_rules(prometheus_bin, [path])
    assert checked.ok, checked.output
    escaped = TEMPLATES.replace("{{", '{{ "{{" }}')
    alerts = [rule for rule in _rules(path) if "alert" in rule]
    assert alerts
    for rule in alerts:
        assert [escaped] * 3 == [rule["labels"][key] for key in ("team", "tier", "note")]
    (info,) = _records(path, "slo_info")
    assert TEMPLATES == info["labels"]["team"], "labels of recorded series are not expanded"


def _rules(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _records(path: Path, name: str) -> list[dict[str, Any]]:
    return [rule for rule in _rules(path) if name == rule.get("record")]


QUERIES = {
    "parameter": 'sum(topk(3, rate(a{job="x"}[$window])))',
    "quantile": "quantile(0.9, rate(a[$window]))",
    "subquery": "max_over_time(rate(a[$window])[1h:5m])",
    "offset": "sum(rate(a[$window] offset 5m))",
    "at": "sum(rate(a[$window] @ end()))",
    "injected": 'sum(rate(a{job="\\"} or vector(1) #"}[$window]))',
}


def test_selectors_in_odd_places_keep_their_meaning(tmp_path: Path) -> None:
    """Each selector gets the environment's matchers, wherever it stands, and nothing else changes.

    What cannot be meant is refused with the query's place.
    """
    places = "[{name: prod, match: {env: prod}}]"
    for name, query in QUERIES.items():
        text = app_text(name, environments=places)
        head = text.partition("          total:")[0]
        lines = f"          total: {json.dumps(query)}\n          bad: {json.dumps(query)}\n"
        (tmp_path / f"{name}.yaml").write_text(head + lines, encoding="utf-8")
    checked = headroom("validate", "--format", "json", cwd=tmp_path)
    wrong = {
        Path(one["location"]["file"]).stem for one in checked.json if one["severity"] == "error"
    }
    for name in wrong:
        (tmp_path / f"{name}.yaml").unlink()
    assert not wrong & {"parameter", "quantile", "offset", "injected"}
    ending = headroom("generate", "--out", "out", "--only", "rules", cwd=tmp_path)
    assert 0 == ending.code, ending.stderr
    for path in sorted((tmp_path / "out").rglob("*.rules.yaml")):
        own = [rule for rule in _rules(path) if rule.get("record") == "slo:total:increase5m"]
        assert own
        assert all('env="prod"' in str(rule["expr"]) for rule in own), path
    (injected,) = _records(
        tmp_path / "out" / "prometheus" / "prod" / "injected.rules.yaml", "slo:total:increase5m"
    )
    assert '"\\"} or vector(1) #"' in str(injected["expr"])


def test_a_link_out_of_the_output_folder_is_not_followed(tmp_path: Path) -> None:
    """The folder that rules go to is a link to somebody else's."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(tmp_path / "apps", ticketing=app_text())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "prometheus").symlink_to(elsewhere, target_is_directory=True)
    ending = headroom("generate", "apps", "--out", "out", cwd=tmp_path)
    assert (1, "") == (ending.code, ending.stdout)
    assert "prometheus" in ending.stderr
    assert [] == list(elsewhere.iterdir())
    assert ["prometheus"] == [path.name for path in (tmp_path / "out").iterdir()]


@pytest.mark.parametrize("name", ["con", "nul", "com1"])
def test_a_name_that_is_a_device_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """A file of that name could not be checked out on Windows; nothing is written."""
    write(tmp_path / "apps", device=app_text(name))
    ending = headroom("generate", "apps", "--out", "out", cwd=tmp_path)
    assert (1, "") == (ending.code, ending.stdout)
    assert name in ending.stderr
    assert {} == (contents(tmp_path / "out") if (tmp_path / "out").exists() else {})


BROKEN_POLICIES = {
    "syntax": "apiVersion: headroom/v1\nkind: GatePolicy\nspec: [\n",
    "unknown-rule": "{id: a, type: security_events}",
    "unknown-key": "{id: a, type: error_budget, freezAt: 0}",
    "no-rules": "",
    "not-a-number": "{id: a, type: error_budget, freezeAt: .nan}",
    "never": "{id: a, type: error_budget, freezeAt: 0.5, slowAt: 0.25}",
    "backwards": "{id: a, type: freeze_window, windows: "
    "[{from: 2026-12-20, to: 2026-12-01, timezone: UTC}]}",
    "nowhere": "{id: a, type: freeze_window, windows: "
    "[{from: 2026-12-01, to: 2026-12-20, timezone: Europe/Rom}]}",
}


@pytest.mark.parametrize("fault", BROKEN_POLICIES)
def test_a_broken_policy_decides_nothing(tmp_path: Path, fault: str) -> None:
    """By flag or in the workspace: exit 2 with its place, no request, no record."""
    text = BROKEN_POLICIES[fault]
    if not text.startswith("apiVersion"):
        rules = f"\n    - {text}" if text else " []"
        text = (
            "apiVersion: headroom/v1\nkind: GatePolicy\nmetadata: {name: mine}\n"
            f"spec:\n  rules:{rules}\n"
        )
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    write(tmp_path / "apps", ticketing=app_text())
    with Loopback([result([])]) as server:
        flags = ("--app", "ticketing", "--prometheus", server.url, "--at", AT)
        for argv in (("apps", "--policy", "mine.yaml"), ("apps", "mine.yaml")):
            ending = headroom("gate", *argv, *flags, cwd=tmp_path)
            assert (2, "") == (ending.code, ending.stdout), argv
            assert "mine.yaml:" in ending.stderr
        assert [] == server.asked
    assert not (tmp_path / ".state").exists()


def dying(first: int) -> Callable[[Asked], Reply]:
    """A server that answers a few questions and is gone for the rest."""
    left = [first]

    def reply(_: Asked) -> Reply:
        left[0] -= 1
        return result([]) if left[0] >= 0 else Reply(status=503)

    return reply


SCRIPTS: Mapping[str, tuple[Reply | Callable[[Asked], Reply], int]] = {
    "empty": (result([]), 12),
    "warned": (result([], warnings=["a store did not answer"]), 12),
    "not a number": (vector({"app": "ticketing"}, "NaN"), 12),
    "somebody else's": (vector({"__name__": "up"}, "1"), 12),
    "dies at once": (dying(0), 13),
    "dies after one": (dying(1), 13),
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("source", ["auto", "raw"])
def test_an_answer_that_says_nothing_allows_nothing(tmp_path: Path, name: str, source: str) -> None:
    """12 where the server answered, 13 where it did not, and one line in the log."""
    script, code = SCRIPTS[name]
    write(tmp_path, ticketing=app_text())
    with Loopback([script]) as server:
        flags = ("--prometheus", server.url, "--at", AT, "--format", "json", "--source", source)
        ending = headroom("gate", "--app", "ticketing", *flags, cwd=tmp_path)
    assert code == ending.code, ending.stdout
    assert not ending.json["allowed"]
    assert ending.seconds < SECONDS
    log = tmp_path / ".state" / "headroom" / "audit.ndjson"
    assert 1 == len(log.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_server_whose_clock_is_off_allows_nothing_by_that(tmp_path: Path, minutes: int) -> None:
    """What is not there is not there at any time, and doctor says how far off the clock is."""
    when = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    empty = result([])
    reply = Reply(body=empty.body, headers={**empty.headers, "Date": when})
    write(tmp_path, ticketing=app_text())
    with Loopback([reply]) as server:
        flags = ("--prometheus", server.url)
        assert 12 == headroom("gate", "--app", "ticketing", *flags, cwd=tmp_path).code
        doctor = headroom("doctor", *flags, cwd=tmp_path)
    told = re.search(r"clock is (\d+) s (ahead of|behind) ours", doctor.stdout)
    assert told, doctor.stdout
    assert abs(int(told[1]) - 600) < SECONDS
    assert ("ahead of" if minutes > 0 else "behind") == told[2]


def test_a_file_of_secrets_is_not_shown_by_what_goes_wrong(tmp_path: Path) -> None:
    """A token file that is missing is named; one that is there is never printed."""
    write(tmp_path / "apps", ticketing=app_text())
    (tmp_path / "token").write_text("s3cr3t-t0ken\n", encoding="utf-8")
    space = (
        "apiVersion: headroom/v1\nkind: Workspace\nspec:\n  apps: [apps]\n"
        "  sources: {prometheus: {eu: {url: %s, bearerTokenFile: token, retries: 0}}}\n"
    )
    with Loopback([Reply(status=401)]) as server:
        (tmp_path / "headroom.yaml").write_text(space % server.url, encoding="utf-8")
        argv = ("gate", "--app", "ticketing", "--at", AT)
        ending = headroom(*argv, cwd=tmp_path)
        assert "Bearer s3cr3t-t0ken" == server.asked[0].headers["Authorization"]
    assert 13 == ending.code
    told = ending.stdout + ending.stderr
    told += "".join(map(str, contents(tmp_path / ".state").values()))
    assert "s3cr3t" not in told
    (tmp_path / "token").unlink()
    missing = headroom(*argv, cwd=tmp_path)
    assert missing.code in {2, 13}
    assert "token" in missing.stdout + missing.stderr
