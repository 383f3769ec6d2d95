"""Opening a workspace: flags over environment variables over the file over defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.project.absolute import with_absolute_paths
from app.project.files import WORKSPACE_FILE, Inputs, find_workspace, scan, shown
from app.project.lost_paths import without_lost_paths
from slo import nodes
from slo.errors import SpecError, UsageError
from slo.gate.loader import policies_of
from slo.gate.policy import GatePolicy
from slo.loader import Templates, built_in_defaults, load_windows, load_workspace
from slo.loader.catalog import catalog_of
from slo.loader.documents import headroom_documents
from slo.model import Catalog, ServiceLevel
from slo.problems import Problem, Span, has_errors, in_order
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import Duration
from slo.workspace import PrometheusSource, Workspace

FLAG_SOURCE = "flag"
"""The name of the source that ``--prometheus URL`` makes."""

_PROMETHEUS = "HEADROOM_PROMETHEUS"
_WORKSPACE = "HEADROOM_WORKSPACE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything a command works on: the workspace, its applications and its policies.

    ``root`` is the folder that the workspace's relative paths start from. ``problems`` holds what
    is worth knowing besides; an error would have kept the project from opening. ``one_source``
    says that one server was named in the place of all sources.
    """

    workspace: Workspace
    root: Path
    file: Path | None
    catalog: Catalog
    policies: tuple[GatePolicy, ...]
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    one_source: bool = False

    def path(self, relative: str) -> Path:
        """A path of the workspace file, made absolute."""
        return self.root / relative

    def levels(self, app: str | None, env: str | None) -> tuple[ServiceLevel, ...]:
        """The service levels that were asked for; raises ``UsageError`` for an unknown name."""
        apps = [one.name for one in self.catalog.apps]
        if not apps:
            raise UsageError("no app file was found", hint="headroom init writes a first one")
        if app is not None and app not in apps:
            hint = f"known apps: {', '.join(apps)}"
            raise UsageError(f'there is no app "{app}"{did_you_mean(app, apps)}', hint=hint)
        chosen = self.catalog.apps if app is None else (self.catalog.app(app),)
        envs = sorted({env.name for one in chosen if one for env in one.environments})
        if env is not None and env not in envs:
            whose = f'app "{app}"' if app else "any app"
            raise UsageError(
                f'{whose} has no environment "{env}"{did_you_mean(env, envs)}',
                hint=f"known environments: {', '.join(envs)}" if envs else None,
            )
        return self.catalog.levels(None if app is None else [app], env)


def open_project(
    paths: Sequence[str],
    *,
    environment: Mapping[str, str],
    workspace: str | None = None,
    prometheus: str | None = None,
    store: str | None = None,
    strict: bool = True,
) -> Project:
    """Open the workspace that the paths, the flags and the working directory mean.

    ``prometheus`` or ``store`` stand in the place of all sources.
    Raises ``SpecError`` with all problems when one is an error and ``strict``; without it, the
    applications that are sound are there and ``problems`` tells the rest.
    """
    file = _workspace_file(paths, workspace or environment.get(_WORKSPACE))
    inputs = Inputs()
    space, problems = _read_workspace(file, inputs)
    root = Path.cwd() if file is None else file.parent
    if inputs.files:
        whole = _is_whole(paths, file)
        space, lost = without_lost_paths(space, root, inputs.files[0], apps=whole)
        problems += lost
    space = _with_windows(space, root, inputs, problems)
    apps = _inputs(paths, file, space, root)
    inputs.files += apps.files
    problems += inputs.problems + apps.problems
    library, unsound = _templates(space, root)
    problems += unsound
    documents = headroom_documents(apps.files, problems)
    loaded = catalog_of(
        documents,
        space.defaults,
        templates=library,
        sources=space.sources,
        default_sources=space.default_external,
    )
    policies, unread = policies_of(documents)
    problems += [*loaded.problems, *unread]
    ordered = in_order(problems)
    if strict and has_errors(ordered):
        raise SpecError(ordered)
    if prometheus is not None and store is not None:
        raise UsageError("--prometheus and --store exclude each other")
    server = prometheus or (None if store else environment.get(_PROMETHEUS)) or None
    space = with_absolute_paths(space, root)
    if store is not None:
        space = _on_store(space, store)
    elif server is not None:
        space = _on(space, server)
    return Project(
        workspace=space,
        root=root,
        file=file,
        catalog=loaded.catalog,
        policies=tuple(policies),
        problems=ordered,
        texts=inputs.texts,
        one_source=server is not None or store is not None,
    )


def open_workspace(
    *, environment: Mapping[str, str], workspace: str | None = None
) -> tuple[Workspace, Path]:
    """The workspace around the working directory and its folder, without its applications.

    Raises ``SpecError`` for a workspace file with an error.
    """
    file = _workspace_file((), workspace or environment.get(_WORKSPACE))
    inputs = Inputs()
    space, problems = _read_workspace(file, inputs)
    problems += inputs.problems
    if has_errors(problems):
        raise SpecError(in_order(problems))
    root = Path.cwd() if file is None else file.parent
    return with_absolute_paths(space, root), root


def _workspace_file(paths: Sequence[str], named: str | None) -> Path | None:
    if named is not None:
        path = Path(named)
        path = path / WORKSPACE_FILE if path.is_dir() else path
        if not path.is_file():
            raise UsageError(f"there is no workspace file {shown(path)}")
        return path.resolve()
    for text in paths:
        candidate = Path(text) / WORKSPACE_FILE
        if candidate.is_file():
            return candidate.resolve()
    above = find_workspace(Path.cwd())
    if above is None and paths:
        above = find_workspace(Path(paths[0]).resolve().parent)
    return above


def _read_workspace(file: Path | None, inputs: Inputs) -> tuple[Workspace, list[Problem]]:
    if file is None:
        return _default_workspace(), []
    inputs.add(file, shown=shown(file), explicit=True)
    if not inputs.files:
        return _default_workspace(), []
    space, problems = load_workspace(inputs.files[0])
    return space or _default_workspace(), list(problems)


def _with_windows(
    space: Workspace, root: Path, inputs: Inputs, problems: list[Problem]
) -> Workspace:
    if space.windows is None:
        return space
    path = root / space.windows
    before = len(inputs.files)
    inputs.add(path, shown=shown(path), explicit=True)
    if len(inputs.files) == before:
        return space
    catalogue, more = load_windows(inputs.files[-1])
    problems += more
    if catalogue is None:
        return space
    return replace(space, defaults=replace(space.defaults, catalogue=catalogue))


def _inputs(paths: Sequence[str], file: Path | None, space: Workspace, root: Path) -> Inputs:
    """Read what the paths name; a folder with a workspace file stands for that workspace."""
    skip = [root / space.output, *(root / folder for folder in space.templates)]
    chosen = [Path(text) for text in paths]
    if _is_whole(paths, file):
        folders = (*space.apps, *space.policies) if file is not None else (".",)
        inputs = scan([Path(folder) for folder in folders], root=root, skip=skip)
    else:
        own = map(Path, space.policies if file is not None else ())
        inputs = scan([*(path.absolute() for path in chosen), *own], root=root, skip=skip)
    if file is not None:
        inputs.files = [each for each in inputs.files if each.name != str(shown(file))]
    return inputs


def _is_whole(paths: Sequence[str], file: Path | None) -> bool:
    """Whether the workspace's own folders are meant, and no paths in their place."""
    return not paths or (
        file is not None and all(_is_workspace(Path(text), file) for text in paths)
    )


def _is_workspace(path: Path, file: Path) -> bool:
    resolved = path.resolve()
    return resolved in {file, file.parent}


class _BuiltIn:
    """The templates that come with the program, read when an application uses one."""

    def expand(
        self, name: str, with_node: nodes.Node | None, problems: list[Problem], span: Span
    ) -> nodes.Mapping | None:
        from slo.templates import TemplateLibrary  # noqa: PLC0415 - most files use no template

        return TemplateLibrary.built_in().expand(name, with_node, problems, span)


def _templates(space: Workspace, root: Path) -> tuple[Templates, list[Problem]]:
    if not space.templates:
        return _BuiltIn(), []
    from slo.templates import TemplateLibrary  # noqa: PLC0415 - as above

    library = TemplateLibrary.built_in()
    own = scan([Path(folder) for folder in space.templates], root=root)
    library, problems = library.load(own.texts)
    return library, [*own.problems, *problems]


def _on(space: Workspace, url: str) -> Workspace:
    """One server in the place of all sources, as ``--prometheus URL`` wants it."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f'"{url}" is no address of a server', hint="write it as http://HOST:9090")
    source = PrometheusSource(name=FLAG_SOURCE, url=url, timeout=Duration.parse("10s"))
    return replace(
        space, prometheus={FLAG_SOURCE: source}, default_prometheus=FLAG_SOURCE, metrics=None
    )


def _on_store(space: Workspace, folder: str) -> Workspace:
    """An embedded store in the place of all sources, as ``--store DIR`` wants it."""
    return replace(
        space,
        prometheus={},
        default_prometheus=None,
        elasticsearch={},
        default_elasticsearch=None,
        external={},
        default_external={},
        metrics=None,
        store=str(Path(folder).absolute()),
    )


def _default_workspace() -> Workspace:
    return Workspace(defaults=built_in_defaults())
