"""From files to the documents that are ours: which ones count, and what kind each is."""

import re
from collections.abc import Sequence

from slo.nodes import Document, Mapping, Node, Scalar
from slo.printable import quote
from slo.problems import Problem, Severity, Span, error
from slo.records import dataclass
from slo.scalars import Choice
from slo.shape import UNREADABLE
from slo.source import parse_documents

API_VERSION = "headroom/v1"
"""The version of every document that this program reads."""

KINDS = ("App", "GatePolicy", "IndicatorTemplate", "Workspace")
"""Every kind of document; each has a loader of its own."""

_GROUP = "headroom/"
# A key that is nearly right still makes a document ours, or its mistake would go unseen.
_OURS = re.compile(r"api_?-?version[\"']?\s*:\s*[\"']?headroom/", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file's name, as problems should show it, and its text.

    ``explicit`` tells a file that the user named from one that was found in a folder: there, YAML
    of other programs is passed over.
    """

    name: str
    text: str
    explicit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadroomDocument:
    """One of our documents: its file and its whole tree, whatever is wrong inside.

    ``sound`` is false when the YAML itself has an error there: then a key may be lost, and what
    the rest says is good for finding more mistakes only.
    """

    file: SourceFile
    kind: str
    root: Mapping
    sound: bool = True


def headroom_documents(
    files: Sequence[SourceFile], problems: list[Problem]
) -> tuple[HeadroomDocument, ...]:
    """Return our documents by file name and place; the order of the files does not matter."""
    return tuple(
        document
        for file in sorted(files, key=lambda each: (each.name, each.text))
        if file.explicit or _OURS.search(file.text)
        for document in _documents(file, problems)
    )


def _documents(file: SourceFile, problems: list[Problem]) -> list[HeadroomDocument]:
    documents, syntax = parse_documents(file.text, file.name)
    problems += syntax
    ours = [each.root for each in documents if _is_ours(each.root)]
    if file.explicit and not ours and not syntax:
        problems.append(_nothing_here(file, documents))
    found = []
    for root in ours:
        assert isinstance(root, Mapping)
        kind = _kind(root, problems)
        if kind is not None:
            sound = not any(_spoils(root.span, each) for each in syntax)
            found.append(HeadroomDocument(file=file, kind=kind, root=root, sound=sound))
    return found


def _spoils(whole: Span, problem: Problem) -> bool:
    """Whether a problem of the YAML lies inside a document, or in the lines that lead to it."""
    if problem.severity is not Severity.ERROR or problem.span is None:
        return False
    return problem.span.line <= whole.end_line


def _is_ours(root: Node) -> bool:
    if not isinstance(root, Mapping):
        return False
    return any(
        _OURS.match(f"{entry.key.text}: {entry.value.text}")
        for entry in root.entries
        if isinstance(entry.value, Scalar)
    )


def _kind(root: Mapping, problems: list[Problem]) -> str | None:
    node = root.get("kind")
    if node is None:
        message = 'missing key "kind"'
        hint = f"the kinds are {', '.join(KINDS)}"
        problems.append(error("spec/missing-key", message, root.span, hint=hint))
        return None
    kind = Choice(choices=KINDS).read(node, problems)
    return None if kind is UNREADABLE else kind


def _nothing_here(file: SourceFile, documents: Sequence[Document]) -> Problem:
    hint = f"documents of Headroom begin with apiVersion: {API_VERSION}"
    if not documents:
        message = "this file is empty"
        return error("spec/no-document", message, Span.at(file.name), hint=hint)
    root = documents[0].root
    version = root.get("apiVersion") if isinstance(root, Mapping) else None
    if version is None:
        message, span = "this file holds no document of Headroom", root.span
    else:
        text = quote(version.text) if isinstance(version, Scalar) else "no text"
        message = f"this file holds no document of Headroom: its apiVersion is {text}"
        span = version.span
    return error("spec/no-document", message, span, hint=hint)
