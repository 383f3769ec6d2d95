"""Hostile app and workspace files: a clear problem with a place, in bounded time and memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slo.loader import SourceFile, built_in_defaults, load_catalog, load_workspace
from slo.model import Catalog
from slo.problems import Problem, render_all
from slo.promql import Matcher, render

ROOT = Path(__file__).parents[2]
HEAD = "apiVersion: headroom/v1\nkind: App\nmetadata: {name: one, team: t}\nspec:\n"
MEMORY = 512 * 1024 * 1024
SECONDS = 20

CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from slo.loader import SourceFile, built_in_defaults, load_catalog
from slo.problems import render_all
text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
file = SourceFile(name="evil.yaml", text=text)
loaded = load_catalog([file], built_in_defaults())
render_all(loaded.problems[:1000], lambda _: text)
print(len(loaded.catalog.apps), *sorted({{problem.id for problem in loaded.problems}}))
"""


def loaded_apart(text: str) -> str:
    """Return the number of apps and the ids, loaded by a process with limits."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(memory=MEMORY, seconds=SECONDS)],
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        cwd=ROOT,
        timeout=90,
        check=False,
    )
    assert (0, b"") == (done.returncode, done.stderr[-2000:])
    return done.stdout.decode().strip()


def bomb() -> str:
    """Return an app whose SLOs are aliases of aliases: a billion once written out."""
    levels = [f"  a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)]
    return HEAD + "  a0: &a0 [x]\n" + "".join(levels) + "  slos: *a9\n"


def many_environments() -> str:
    """Return an app whose environments and SLOs multiply."""
    places = "".join(f"    - {{name: e{n}, match: {{a: e{n}}}}}\n" for n in range(4_000))
    return HEAD + f"  environments:\n{places}  slos:\n" + "".join(SLO % n for n in range(4_000))


def misspelt_apps() -> str:
    """Return many apps, each of which depends on many that do not exist."""
    needs = ",".join(f"app{n}x" for n in range(20))
    return "---\n".join(
        HEAD.replace("one", f"app{n}") + f"  dependsOn: [{needs}]\n" for n in range(2_000)
    )


def misspelt_slos() -> str:
    """Return an app whose environments change SLOs that it does not have."""
    wrong = ",".join(f"s{n}x: {{}}" for n in range(1_000))
    places = "".join(
        f"    - {{name: e{n}, match: {{a: e{n}}}, slos: {{{wrong}}}}}\n" for n in range(20)
    )
    return HEAD + f"  environments:\n{places}  slos:\n" + "".join(SLO % n for n in range(1_000))


SLO = "    - {name: s%d, objective: 99, indicator: {events: {total: a, bad: b}}}\n"
OBJECTIVE = "  slos: [{name: a, indicator: {probe: up}, objective: %s}]\n"
QUERY = "  slos: [{name: a, objective: 99, indicator: {probe: %s}}]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bomb(), "0 yaml/too-many-nodes"),
        (HEAD + "  slos: " + "[" * 5000, "0 yaml/too-deep"),
        (HEAD + "  slos: &a [*a]\n", "0 yaml/self-reference"),
        (HEAD + "  slos:\n" + "".join(SLO % n for n in range(20_000)), "0 yaml/too-large"),
        (HEAD + "  slos:\n" + "".join(SLO % n for n in range(8_000)), "0 yaml/too-many-nodes"),
        (HEAD + "  slos:\n" + "".join(SLO % n for n in range(1_000)), "1"),
        (HEAD + "".join(f"  k{n}: 1\n" for n in range(20_000)), "0 spec/unknown-key"),
        (HEAD + QUERY % ("'" + "(" * 15_000 + "'"), "0 query/syntax"),
        (HEAD + QUERY % ("'" + "x+" * 9_000 + "x'"), "0 query/syntax"),
        (HEAD + QUERY % ("'" + "x" * 50_000 + "'"), "0 spec/too-long"),
        (
            HEAD + "  dependsOn: [" + "a," * 40_000 + "]",
            "0 spec/duplicate-item spec/too-long spec/unknown-app",
        ),
        (many_environments(), "0 spec/too-long"),
        (misspelt_apps(), "2000 spec/unknown-app"),
        (misspelt_slos(), "0 spec/unknown-slo"),
    ],
    ids=[
        "alias bomb",
        "nested lists",
        "self reference",
        "20,000 SLOs",
        "8,000 SLOs",
        "1,000 SLOs are no attack",
        "20,000 unknown keys",
        "nested query",
        "chained query",
        "long query",
        "long list",
        "many SLOs in many environments",
        "many apps with many misspelt dependencies",
        "many misspelt overrides",
    ],
)
def test_file_is_judged_within_its_limits(text: str, expected: str) -> None:
    """No file takes much time or memory, or crashes the interpreter."""
    assert expected == loaded_apart(text)


def load(text: str) -> tuple[Catalog, list[Problem]]:
    """Return what a text gives, after showing its problems."""
    loaded = load_catalog([SourceFile(name="evil.yaml", text=text)], built_in_defaults())
    shown = render_all(loaded.problems, lambda _: text)
    assert all(line.isprintable() and len(line) < 400 for line in shown.split("\n"))
    assert all(problem.span is not None for problem in loaded.problems)
    return loaded.catalog, list(loaded.problems)


NAMES = [
    '"} or vector(1) #',
    'a",env=~".*',
    "../../x",
    "CON",
    "a" * 10_000,
    "p\u0430yments",
    "a\u200bb",
    "a\u202eb",
    "\x1b[31m",
    "::add-mask::x",
    "##vso[task]",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<b>",
    "a\nb",
    "",
]


SPECS = {
    "slo": "slos: [{name: %s, objective: 99, indicator: {probe: up}}]",
    "environment": "environments: [{name: %s}]",
    "cluster": "environments: [{name: e, clusters: [{name: %s}]}]",
    "component": "components: [{name: %s, kind: host}]",
}


def refused(text: str) -> bool:
    """Tell whether a text gives problems and no app."""
    catalog, problems = load(text)
    return bool(problems) and not catalog.apps


def test_the_frames_of_these_tests_are_sound() -> None:
    """With a good name nothing is refused, so it is the name that is."""
    assert [] == [spec for spec in SPECS.values() if refused(f"{HEAD}  {spec % 'a'}\n")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_names_are_plain(spec: str, name: str) -> None:
    """Nothing that steers a query, a path, a terminal or a page can be a name."""
    assert refused(f"{HEAD}  {spec % json.dumps(name)}\n")


@pytest.mark.parametrize("name", NAMES)
def test_names_of_apps_and_labels_are_plain(name: str) -> None:
    """The same for an app, and for a label, which alone may have capitals."""
    head = "apiVersion: headroom/v1\nkind: App\nmetadata: {name: %s, team: t%s}\nspec: {}\n"
    assert refused(head % (json.dumps(name), ""))
    assert refused(head % ("a", f", labels: {{{json.dumps(name)}: x}}")) or name == "CON"


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        ".nan",
        "1e999",
        "9" * 5000,
        "-1",
        "0",
        "100",
        "101",
        "no",
        "12:30:00",
        "0x63",
        "\u0669\u0669",
        "99,9",
        "1_0",
        "[99]",
        "",
        "~",
        "99.99999999999",
        "!!float 99",
    ],
)
def test_objectives_are_percentages(value: str) -> None:
    """Whatever YAML makes of other numbers, they are no objectives."""
    catalog, problems = load(HEAD + OBJECTIVE % value)
    assert () == catalog.apps
    assert problems[0].span is not None
    assert 5 == problems[0].span.line


def test_digits_of_an_objective_are_kept() -> None:
    """`1.10` is not 1.1 to people."""
    catalog, _ = load(HEAD + OBJECTIVE % "1.10")
    assert "1.10" == catalog.levels()[0].slo.objective.text


@pytest.mark.parametrize(
    "query",
    [
        'up{a="b"} or vector(1)',
        'up{a="b"}} or vector(1) #',
        'up{a="(a+)+$',
        'up{a=~"(a"}',
        "up @ 1e999",
        "up offset",
        "up[5m]",
        "1",
        "vector(1)",
        "",
        "up\x00",
        "up{a='\ud800'}",
        "$window",
        "up{$window}",
    ],
)
def test_probe_takes_one_selector_only(query: str) -> None:
    """An expression where a selector belongs is refused, however it is written."""
    catalog, problems = load(HEAD + QUERY % json.dumps(query))
    assert () == catalog.apps
    assert problems


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ('topk(3, up) and quantile(scalar(x{job="a"}), y)', 3),
        ("max_over_time(rate(x[5m])[1h:1m])", 1),
        ("x @ end() + y offset 5m + z @ 1600000000", 3),
        ("count_values('job', x) by (a) + on (a) group_left (b) y", 2),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 1),
    ],
)
def test_every_selector_of_an_expression_is_found(expr: str, expected: int) -> None:
    """Selectors in parameters, subqueries and fixed times get the environment's matchers."""
    text = HEAD + (
        "  slos:\n    - name: a\n      objective: 99\n"
        f"      indicator: {{slices: {{expr: {json.dumps(expr)}, goodWhen: '< 1'}}}}\n"
    )
    catalog, problems = load(text)
    assert [] == problems
    query = getattr(catalog.levels()[0].slo.indicator.measure, "expr", None)
    assert query is not None
    written = render(query, matchers=[Matcher(name="cluster", value='e"u')])
    assert expected == written.count('cluster="e\\"u"')


@pytest.mark.parametrize("regex", ["(a+)+$", "(.*)*x", "(a|a)*b", "((a{1,9}){1,9}){1,9}"])
def test_slow_regexes_are_never_run(regex: str) -> None:
    """Patterns of users are read, not matched, so none can take long."""
    start = time.monotonic()
    load(HEAD + QUERY % json.dumps(f'up{{a=~"{regex}"}}'))
    load(
        HEAD + "  components: [{name: a, kind: host, logs: [{path: /a, multiline: "
        f"{json.dumps(regex)}}}]}}]\n"
    )
    assert time.monotonic() - start < 2


def test_marks_and_line_ends_change_nothing() -> None:
    """A byte order mark and CRLF are not part of what is said."""
    text = "\ufeff" + (HEAD + OBJECTIVE % "99.90").replace("\n", "\r\n")
    catalog, problems = load(text)
    assert [] == problems
    assert ["99.90"] == [level.slo.objective.text for level in catalog.levels()]


@pytest.mark.parametrize(
    "keys",
    [
        "basicAuth: {username: a, password: hunter2}",
        "bearerToken: hunter2",
        "oauth2: {tokenUrl: 'http://t', clientId: a, clientSecret: hunter2}",
        "headers: {authorization: Bearer hunter2}",
        "headers: {Cookie: hunter2}",
    ],
)
def test_secrets_have_no_place_in_a_workspace(keys: str) -> None:
    """Only files of secrets can be named; no message repeats the secret."""
    text = (
        "apiVersion: headroom/v1\nkind: Workspace\nspec:\n"
        f"  sources: {{prometheus: {{eu: {{url: 'http://eu', {keys}}}}}}}\n"
    )
    workspace, problems = load_workspace(SourceFile(name="evil.yaml", text=text))
    assert workspace is None
    assert problems
    assert not [problem for problem in problems if "hunter2" in problem.message]
