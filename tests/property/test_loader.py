"""Whatever the text, loading gives a model and problems; a model only without an error."""

from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from slo.loader import (
    SourceFile,
    built_in_defaults,
    load_catalog,
    load_windows,
    load_workspace,
)
from slo.problems import Problem, has_errors, render_all, to_json
from slo.templates import TemplateLibrary
from slo.workspace import Defaults

EXAMPLES = Path(__file__).parents[2] / "examples" / "full"
APP = (EXAMPLES / "apps" / "ticketing.yaml").read_text()
WORKSPACE = (EXAMPLES / "headroom.yaml").read_text()
WINDOWS = (EXAMPLES / "windows.yaml").read_text()

WORDS = st.sampled_from(
    [
        *("a", "", "~", "[]", "{}", "[a]", "{a: b}", "no", "1", "-1", "1e999", ".nan", "30d", "0s"),
        *("99.9", "100", "up", "x[$window]", "sum(rate(x[$window]))", '"', "'", "|", "&a 1", "*a"),
        *("< 1", "false", "ignore", "prometheus/eu", "https://a", "\x00", "\u202e", "!!t x"),
        *("{{a}}", "9" * 400, "a" * 5000, "(" * 300, '{__name__=~"(a+)+$"}', "\ud800", "\xe9"),
    ]
)
TEMPLATES = TemplateLibrary.built_in()


@cache
def usual() -> Defaults:
    """Return what holds without a workspace."""
    return built_in_defaults()


def check(texts: list[str], problems: tuple[Problem, ...]) -> None:
    """Every problem has a place in its file and can be shown."""
    files = {f"{number}.yaml": text for number, text in enumerate(texts)}
    for problem in problems:
        assert problem.span is not None
        assert problem.span.file in files
        to_json(problem)
    shown = render_all(problems, files.get)
    assert all(line.isprintable() for line in shown.split("\n"))


def load_apps(texts: list[str]) -> None:
    """Load texts as app files."""
    files = [SourceFile(name=f"{number}.yaml", text=text) for number, text in enumerate(texts)]
    loaded = load_catalog(files, usual(), templates=TEMPLATES, sources=["prometheus/eu"])
    check(texts, loaded.problems)
    names = [app.name for app in loaded.catalog.apps]
    assert sorted(set(names)) == names
    if len(files) > 1:
        again = load_catalog(files[::-1], usual(), templates=TEMPLATES, sources=["prometheus/eu"])
        assert loaded == again


def load_others(text: str) -> None:
    """Load a text as a workspace and as a catalogue of windows."""
    file = SourceFile(name="0.yaml", text=text)
    for model, problems in (load_workspace(file), load_windows(file)):
        check([text], problems)
        assert (model is None) == has_errors(problems)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=80), max_size=3))
def test_any_text_gives_problems_or_a_model(texts: list[str]) -> None:
    """Nothing is raised for text of any kind."""
    load_apps(texts)
    for text in texts:
        load_others(text)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """Return a sound file with some of its values, keys or lines changed."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        line, word = lines[place], draw(WORDS)
        match draw(st.sampled_from(["value", "inner", "key", "drop", "twice", "indent"])):
            case "value":
                lines[place] = f"{line.partition(': ')[0]}: {word}"
            case "inner":
                parts = line.split(": ")
                chosen = draw(st.integers(0, len(parts) - 1))
                parts[chosen] = word
                lines[place] = ": ".join(parts)
            case "key":
                lines[place] = line.replace("a", draw(st.sampled_from(["b", "", "A"])), 1)
            case "drop":
                lines[place] = ""
            case "twice":
                lines.insert(place, line)
            case _:
                lines[place] = f"  {line}"
    return "\n".join(lines)


@settings(max_examples=250, deadline=None)
@given(mutated(APP))
def test_any_change_of_an_app_gives_problems_or_a_model(text: str) -> None:
    """A file that was right, with mistakes anywhere, is read to its end."""
    load_apps([text])


@settings(max_examples=100, deadline=None)
@given(mutated(WORKSPACE), mutated(WINDOWS))
def test_any_change_of_a_workspace_gives_problems_or_a_model(one: str, other: str) -> None:
    """The same for a workspace and a catalogue of windows."""
    load_others(one)
    load_others(other)


@settings(max_examples=100, deadline=None)
@given(mutated(APP))
def test_an_app_with_an_error_is_left_out(text: str) -> None:
    """No app comes out of a document that has an error; the other document is not touched."""
    loaded = load_catalog([SourceFile(name="0.yaml", text=text)], usual(), templates=TEMPLATES)
    if not has_errors(loaded.problems):
        return
    first = text.find("\n---")
    lines = text[: first if first >= 0 else len(text)].count("\n") + 1
    errors = [each for each in loaded.problems if has_errors([each]) and each.span]
    if any(each.span and each.span.line <= lines for each in errors):
        assert "ticketing" not in [app.name for app in loaded.catalog.apps]
