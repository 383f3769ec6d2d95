"""The catalog: every App document of every file, checked against one another."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from slo.fields import Located
from slo.loader.apps import DraftApp, build_app
from slo.loader.documents import HeadroomDocument, SourceFile, headroom_documents
from slo.loader.intake import Intake, Templates
from slo.model import App, Catalog
from slo.printable import quote
from slo.problems import Problem, Span, error, in_order
from slo.records import dataclass
from slo.workspace import Defaults

NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The apps without an error, and every problem of all files in order."""

    catalog: Catalog
    problems: tuple[Problem, ...]


def load_catalog(
    files: Sequence[SourceFile],
    defaults: Defaults,
    *,
    templates: Templates | None = None,
    sources: Collection[str] = (),
    default_sources: Mapping[str, str] = NO_DEFAULTS,
) -> Loaded:
    """Read the App documents of files; documents of other kinds have loaders of their own.

    ``sources`` are the workspace's references, checked when there are any; ``default_sources`` has
    for a kind the reference that the kind alone stands for. The result does not depend on the
    order of the files. Never raises, whatever the texts.
    """
    problems: list[Problem] = []
    documents = headroom_documents(files, problems)
    loaded = catalog_of(
        documents,
        defaults,
        templates=templates,
        sources=sources,
        default_sources=default_sources,
    )
    return Loaded(catalog=loaded.catalog, problems=in_order([*problems, *loaded.problems]))


def catalog_of(
    documents: Sequence[HeadroomDocument],
    defaults: Defaults,
    *,
    templates: Templates | None = None,
    sources: Collection[str] = (),
    default_sources: Mapping[str, str] = NO_DEFAULTS,
) -> Loaded:
    """Read the App documents among those that are parsed already; else as ``load_catalog``."""
    problems: list[Problem] = []
    intake = Intake(
        defaults=defaults,
        texts={document.file.name: document.file.text for document in documents},
        templates=templates,
        sources=sources,
        default_sources=default_sources,
        problems=problems,
    )
    drafts = [build_app(document, intake) for document in documents if document.kind == "App"]
    duplicates = _duplicates(drafts, problems)
    # Sorted, so that of two names as close the same one is suggested every time.
    names = dict.fromkeys(sorted(draft.name.value for draft in drafts if draft.name is not None))
    for draft in drafts:
        draft.check_names(names, intake)
    apps = [draft.app for draft in drafts if draft.app is not None]
    return Loaded(catalog=_catalog(apps, duplicates), problems=in_order(problems))


def _catalog(apps: Sequence[App], left_out: Collection[str]) -> Catalog:
    kept = (app for app in apps if app.name not in left_out)
    return Catalog(apps=tuple(sorted(kept, key=lambda app: app.name)))


def _duplicates(drafts: Sequence[DraftApp], problems: list[Problem]) -> set[str]:
    """Report apps that several documents describe, and return their names."""
    first: dict[str, Span] = {}
    found = set()
    for name in (draft.name for draft in drafts):
        if name is None:
            continue
        place = first.setdefault(name.value, name.span)
        if place is not name.span:
            found.add(name.value)
            problems.append(_duplicate(name, place))
    return found


def _duplicate(name: Located[str], first: Span) -> Problem:
    return error(
        "spec/duplicate-app",
        f"the app {quote(name.value)} is described twice",
        name.span,
        hint="an app has one document; give this one another name or join the two",
        related=((first, "first described here"),),
    )
