"""Generated files as publishing needs them: found by the manifest, with the groups they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import yaml

from app.artefacts import manifest, read_files
from slo.errors import PublishError
from slo.records import dataclass
from slo.units import Duration, UnitError

_RULE_SUFFIXES = (".rules.yaml", ".yaml")
_DEEPEST = 32
_DURATIONS = frozenset({"interval", "for", "keep_firing_for", "query_offset"})
_EMPTY: tuple[Normal, ...] = ("", "null", frozenset(), ())

Normal = str | tuple["Normal", ...] | frozenset[tuple[str, "Normal"]]
"""A YAML value for comparing: what a server leaves out or reorders makes no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A generated file; ``path`` is below the output folder, ``below`` is its layout's part."""

    path: str
    below: str
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        """Return environment and application, as the path below the layout names them."""
        parts = PurePosixPath(self.path).relative_to(self.below).parts
        name = next(
            (parts[-1].removesuffix(end) for end in _RULE_SUFFIXES if parts[-1].endswith(end)),
            parts[-1],
        )
        return (*parts[:-1], name)

    @property
    def flat_name(self) -> str:
        """Return the name of the file where all of them share one folder."""
        return ".".join(self.parts) + ".rules.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of rules: their kinds and names in order, its YAML, and its content to compare."""

    name: str
    rules: tuple[tuple[str, str], ...]
    expressions: tuple[str, ...]
    body: str
    content: Normal


def read_rules(out: Path, *, below: str, allow_empty: bool = False) -> tuple[OutputFile, ...]:
    """Return the rule files of a layout's folder that ``generate`` wrote.

    Raises ``PublishError`` if there are none, unless that is allowed, or if one is missing.
    """
    found = tuple(
        file for file in _read(out, below) if file.path.endswith((".rules.yaml", ".yaml"))
    )
    if not found and not allow_empty:
        raise PublishError(
            f"{out}: no generated rules in {below}/",
            hint="run headroom generate; to remove all published rules, add --allow-empty",
        )
    return found


def read_alertmanager(out: Path) -> OutputFile:
    """Return the generated configuration of the Alertmanager. Raises ``PublishError``."""
    for file in _read(out, "alertmanager"):
        if file.path == "alertmanager/alertmanager.yaml":
            return file
    raise PublishError(
        f"{out}: no generated alertmanager/alertmanager.yaml",
        hint="run headroom generate --only alertmanager",
    )


def read_below(out: Path, below: str) -> tuple[OutputFile, ...]:
    """Return the generated files of a folder, in the order of their paths.

    Raises ``PublishError`` if there are none, or if one is missing.
    """
    found = tuple(_read(out, below))
    if not found:
        raise PublishError(
            f"{out}: nothing was generated in {below}/",
            hint=f"run headroom generate --only {below.partition('/')[0]}",
        )
    return found


def unique_names(files: Sequence[OutputFile]) -> dict[str, OutputFile]:
    """Return the files by flat name. Raises ``PublishError`` if two have the same."""
    named: dict[str, OutputFile] = {}
    for file in files:
        other = named.setdefault(file.flat_name, file)
        if other is not file:
            raise PublishError(f"{other.path} and {file.path} would both be {file.flat_name}")
    return named


def groups(file: OutputFile) -> tuple[Group, ...]:
    """Return the groups of a rule file. Raises ``PublishError`` if it is none."""
    try:
        return tuple(_group(node) for node in _items(_mapping(compose(file.text))["groups"]))
    except (yaml.YAMLError, _ShapeError, KeyError) as cause:
        raise PublishError(
            f"{file.path}: this is no rule file: {_first_line(cause)}",
            hint="run headroom generate again",
        ) from cause


def namespaces(text: str) -> dict[str, tuple[Group, ...]]:
    """Return the groups of each namespace, as a ruler lists them. Raises ``PublishError``."""
    try:
        return {
            name: tuple(_group(each) for each in _items(node))
            for name, node in _mapping(compose(text)).items()
        }
    except (yaml.YAMLError, _ShapeError, KeyError) as cause:
        raise PublishError(f"the ruler's list of rules cannot be read: {_first_line(cause)}") from (
            cause
        )


def compose(text: str) -> yaml.Node:
    """Return the tree of a YAML document without aliases, of bounded depth.

    Raises ``YAMLError``.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it holds an alias")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deep")
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    if node is None:
        raise yaml.YAMLError("it is empty")
    return node


def strings(node: yaml.Node | None) -> tuple[str, ...]:
    """Return the texts of a sequence of scalars, none for anything else."""
    if not isinstance(node, yaml.SequenceNode):
        return ()
    return tuple(each.value for each in node.value if isinstance(each, yaml.ScalarNode))


def entry(node: yaml.Node, key: str) -> yaml.Node | None:
    """Return a mapping's entry, None where there is none."""
    return _mapping(node).get(key) if isinstance(node, yaml.MappingNode) else None


class _ShapeError(Exception):
    """A YAML document that is not what it should be."""


def _read(out: Path, below: str) -> Iterator[OutputFile]:
    listed = manifest.load(out)
    if listed is None:
        raise PublishError(f"{out}: nothing was generated here", hint="run headroom generate first")
    texts = read_files(out)
    for path in sorted(manifest.parse(out, listed)):
        if not path.startswith(f"{below}/"):
            continue
        # A file that is gone by accident must not take its rules off the server.
        if path not in texts:
            raise PublishError(
                f"{out / path}: generated once and now missing", hint="run headroom generate again"
            )
        yield OutputFile(path=path, below=below, text=texts[path])


def _group(node: yaml.Node) -> Group:
    keys = _mapping(node)
    rules = [_mapping(each) for each in _items(keys["rules"])] if "rules" in keys else []
    return Group(
        name=_text(keys["name"]),
        rules=tuple(
            ("recording", _text(rule["record"]))
            if "record" in rule
            else ("alerting", _text(rule["alert"]))
            for rule in rules
        ),
        expressions=tuple(_text(rule["expr"]) for rule in rules),
        body=yaml.serialize(node, Dumper=yaml.CSafeDumper, allow_unicode=True, width=2**20),
        content=_content(node),
    )


def _content(node: yaml.Node) -> Normal:
    """Return a group or rule for comparing; servers rewrite durations and leave out defaults."""
    found = set()
    for key, value in _mapping(node).items():
        plain: Normal
        if key == "rules":
            plain = tuple(_content(rule) for rule in _items(value))
        elif key in _DURATIONS:
            plain = _duration(_text(value))
        else:
            plain = _plain(value)
        if plain not in _EMPTY and (key, plain) != ("limit", "0"):
            found.add((key, plain))
    return frozenset(found)


def _duration(text: str) -> str:
    try:
        duration = Duration.parse(text, allow_zero=True)
    except UnitError:
        return text
    return duration.text if duration.milliseconds else ""


def _plain(node: yaml.Node) -> Normal:
    if isinstance(node, yaml.MappingNode):
        return frozenset((key, _plain(value)) for key, value in _mapping(node).items())
    if isinstance(node, yaml.SequenceNode):
        return tuple(_plain(each) for each in node.value)
    return _text(node)


def _mapping(node: yaml.Node) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _ShapeError(f"line {node.start_mark.line + 1} should hold keys")
    return {_text(key): value for key, value in node.value}


def _items(node: yaml.Node) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise _ShapeError(f"line {node.start_mark.line + 1} should hold a list")
    return list(node.value)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _ShapeError(f"line {node.start_mark.line + 1} should hold a text")
    return str(node.value)


def _first_line(cause: Exception) -> str:
    if isinstance(cause, KeyError):
        return f"it lacks {cause}"
    return str(cause).partition("\n")[0]
