"""The catalogue of window pairs out of its file, and the one that comes with the program."""

from importlib.resources import files

from slo.fields import Fields
from slo.loader.documents import SourceFile
from slo.loader.pairs import read_pair
from slo.loader.shapes_windows import CATALOGUE
from slo.problems import Problem, Span, error, has_errors, in_order
from slo.shape import UNREADABLE
from slo.source import parse_documents
from slo.units import Duration
from slo.windows import Catalogue, CataloguePair
from slo.workspace import Defaults

_BUILT_IN = "windows.yaml"


def load_windows(file: SourceFile) -> tuple[Catalogue | None, tuple[Problem, ...]]:
    """Read a catalogue file; it has no header, only ``pairs``. Never raises."""
    documents, syntax = parse_documents(file.text, file.name)
    problems = list(syntax)
    if len(documents) != 1:
        message = f"a catalogue of windows is one document, and this file has {len(documents)}"
        problems.append(error("spec/no-document", message, Span.at(file.name)))
        return None, in_order(problems)
    fields = CATALOGUE.read(documents[0].root, problems)
    if fields is UNREADABLE:
        return None, in_order(problems)
    found = [read_pair(item, problems) for item in fields.items("pairs", Fields)]
    if has_errors(problems):
        return None, in_order(problems)
    pairs = (each.pair for each in found if each is not None)
    catalogue = Catalogue(pairs=tuple(each for each in pairs if isinstance(each, CataloguePair)))
    return catalogue, in_order(problems)


def default_catalogue() -> Catalogue:
    """Return the catalogue that comes with the program, read from its package."""
    text = files("slo").joinpath(_BUILT_IN).read_text(encoding="utf-8")
    catalogue, problems = load_windows(SourceFile(name=_BUILT_IN, text=text))
    assert catalogue is not None, problems
    return catalogue


def built_in_defaults() -> Defaults:
    """Return what holds without a workspace: 30 days, scraped every 30 seconds."""
    return Defaults(
        window=Duration.of(days=30),
        scrape_interval=Duration.of(seconds=30),
        catalogue=default_catalogue(),
    )
