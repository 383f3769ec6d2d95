"""Hostile YAML: refused with a problem that has a place, in bounded time and memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from slo.problems import Problem, render_all
from slo.shape import Field, Fields, Integer, Number, Percent, Record, Text
from slo.source import decode, parse_documents, to_plain

ROOT = Path(__file__).parents[2]

# Address space for the interpreter and its libraries is most of this.
MEMORY = 400 * 1024 * 1024
SECONDS = 10

CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
import yaml
from slo import source
from slo.problems import render_all
source.PARSER = getattr(yaml, sys.argv[1])
text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
documents, problems = source.parse_documents(text, "evil.yaml")
render_all(problems, lambda _: text)
print(len(documents), *[problem.id for problem in problems[:50]])
"""


def parsed_apart(text: str, parser: str = "CSafeLoader") -> str:
    """Return the number of documents and the ids, parsed by a process with limits."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(memory=MEMORY, seconds=SECONDS), parser],
        input=text.encode(),
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert (0, b"") == (done.returncode, done.stderr)
    return done.stdout.decode().strip()


def bomb(*, width: int, levels: int) -> str:
    """Return aliases that multiply: `width` to the power of `levels` leaves."""
    leaves = ["x"] + [f"*a{level}" for level in range(levels - 1)]
    return "\n".join(
        f"a{level}: &a{level} [" + ",".join([leaf] * width) + "]"
        for level, leaf in enumerate(leaves)
    )


BIG = 1_000_000
CONTROLS = " yaml/control-character yaml/scalar-too-long" + " yaml/control-character" * 20
INPUTS = [
    ("alias bomb", bomb(width=9, levels=9), "0 yaml/too-many-nodes"),
    ("alias bomb of pairs", bomb(width=2, levels=60), "0 yaml/too-many-nodes"),
    ("nested 5,000 lists", "[" * 5000, "0 yaml/too-deep"),
    ("nested 5,000 mappings", "a: " + "{a: " * 5000, "0 yaml/too-deep"),
    ("nested 200,000 lists", "[" * 200_000 + "]" * 200_000, "0 yaml/too-deep"),
    ("nested dashes", "- " * 200_000, "0 yaml/too-deep"),
    ("nested question marks", "? " * 200_000, "0 yaml/too-deep"),
    ("nested block", "\n".join(" " * n + "a:" for n in range(1000)), "0 yaml/too-deep"),
    ("self reference", "a: &a [*a, *a]", "1 yaml/self-reference yaml/self-reference"),
    ("flat list", "[" + "1," * (BIG // 2) + "]", "0 yaml/too-many-nodes"),
    ("one long word", "a: " + "x" * BIG, "1 yaml/scalar-too-long"),
    ("one long key", "? " + "x" * BIG + "\n: 1", "1 yaml/scalar-too-long"),
    ("too many characters", "#" * 2_000_000, "0 yaml/too-large"),
    ("only NUL", "\x00" * BIG, "1" + CONTROLS),
    ("blank lines", "\n" * BIG, "0"),
    ("an open quote", "a: '" + "x\n" * (BIG // 4), "0 yaml/syntax"),
    ("anchors", "".join(f"- &a{n} 1\n" for n in range(60_000)), "1"),
    ("broken documents", "---\na: b: c\n" * 80_000, "0" + " yaml/syntax" * 21),
    ("equal keys", "a: 1\n" * 40_000, "1" + " yaml/duplicate-key" * 50),
    ("tags", "a: " + "!" * BIG, "1 yaml/tag"),
]


@pytest.mark.parametrize(
    ("text", "expected"), [each[1:] for each in INPUTS], ids=[each[0] for each in INPUTS]
)
def test_hostile_file_is_refused_within_its_limits(text: str, expected: str) -> None:
    """No file takes much time or memory, or crashes the interpreter."""
    assert expected == parsed_apart(text)


@pytest.mark.parametrize("name", ["alias bomb", "nested 200,000 lists", "nested dashes", "tags"])
def test_the_pure_parser_is_as_safe(name: str) -> None:
    """Where PyYAML lacks its C parser the limits hold too."""
    text, expected = next(each[1:] for each in INPUTS if each[0] == name)
    assert expected == parsed_apart(text, "SafeLoader")


APP = Record(
    fields={
        "name": Field(shape=Text(pattern="[a-z0-9-]{1,40}", form="a name")),
        "objective": Field(shape=Percent()),
        "count": Field(shape=Integer()),
        "factor": Field(shape=Number()),
    }
)


def read(text: str) -> tuple[Fields, list[Problem]]:
    """Return the record of a text and every problem."""
    documents, found = parse_documents(text, "app.yaml")
    problems = list(found)
    fields = APP.read(documents[0].root, problems)
    assert isinstance(fields, Fields)
    shown = render_all(problems, lambda _: text)
    assert all(line.isprintable() and len(line) < 300 for line in shown.split("\n"))
    return fields, problems


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("objective: NaN", "spec/bad-objective"),
        ("objective: .nan", "spec/bad-objective"),
        ("objective: 1e999", "spec/bad-objective"),
        ("objective: " + "9" * 5000, "spec/bad-objective"),
        ("objective: 99." + "9" * 5000, "spec/bad-objective"),
        ("objective: 12:30:00", "spec/bad-objective"),
        ("objective: no", "spec/bad-objective"),
        ("count: " + "9" * 5000, "spec/bad-number"),
        ("count: 1e999", "spec/bad-number"),
        ("count: 12:30:00", "spec/bad-number"),
        ("factor: .inf", "spec/bad-number"),
        ("factor: 1e999999999", "spec/bad-number"),
        ("factor: " + "1" * 5000, "spec/bad-number"),
        ("factor: ١٢", "spec/bad-number"),
        ("name: a\nname: b", "yaml/duplicate-key"),
        ("name: !!python/object/apply:os.system ['true']", "yaml/tag"),
        ("no: off", "spec/unknown-key"),
        ("name: '\"} or vector(1) #'", "spec/bad-text"),
        ("name: 'a\",env=~\".*'", "spec/bad-text"),
        ("name: p\u0430yments", "spec/bad-text"),
        ("name: " + "a" * 10_000, "spec/too-long"),
        ("name: a\u200bb", "spec/bad-text"),
        ('name: "a\\u202eb"', "spec/control-character"),
        ('name: "\\e[31m"', "spec/control-character"),
        ("name: a\ud800", "yaml/control-character"),
        ("name: a\x00", "yaml/control-character"),
    ],
)
def test_hostile_value_is_a_problem_with_a_place(text: str, id_: str) -> None:
    """Numbers without end, other types and injected text are named where they stand."""
    fields, problems = read(text)
    assert not fields.complete or id_.startswith("yaml/")
    assert id_ in [problem.id for problem in problems]
    assert all(problem.span is not None for problem in problems)


def test_mark_and_crlf_are_harmless() -> None:
    """A byte order mark and CRLF change neither values nor places."""
    text, _ = decode(b"\xef\xbb\xbfname: a\r\nobjective: 99.90\r\n", "app.yaml")
    fields, problems = read(text)
    assert [] == problems
    assert ("a", "99.90") == (fields.value("name"), str(fields.value("objective")))
    assert "app.yaml:2:12" == fields.span("objective").location


def test_aliases_of_modest_size_are_welcome() -> None:
    """Anchors used as people use them are read."""
    documents, problems = parse_documents("a: &x {k: [1, 2]}\nb: [*x, *x]\n", "app.yaml")
    assert () == problems
    assert {"a": {"k": [1, 2]}, "b": [{"k": [1, 2]}] * 2} == to_plain(documents[0].root)
