"""`headroom publish`: generated rules, routes and templates put where they run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from app.cli import exits, publish_elastic
from app.cli.options import reading
from app.cli.output import count
from app.cli.terminal import Terminal
from app.project import open_workspace
from app.publishing import (
    OutputFile,
    PublishRefusedError,
    PublishReport,
    Wait,
    publisher,
    read_alertmanager,
    read_rules,
)
from slo.errors import UsageError
from slo.printable import printable
from slo.publishing import (
    NAMESPACE_PREFIX,
    AlertmanagerFile,
    MimirRuler,
    PrometheusFolder,
    PublishTarget,
    RulerFlavor,
)
from slo.suggest import did_you_mean
from slo.units import Duration
from slo.workspace import PrometheusSource, RulesDestination, Tls, Workspace

_REQUEST_TIMEOUT = Duration.of(seconds=10)

_EXAMPLES = """\
examples:
  headroom publish rules    (where headroom.yaml says)
  headroom publish rules --folder /etc/prometheus/rules --prometheus http://localhost:9090
  headroom publish rules --mimir https://mimir.example.com --tenant shop --dry-run
  headroom publish alertmanager --file /etc/alertmanager/alertmanager.yaml \\
      --alertmanager http://localhost:9093
  headroom publish elastic --source logs --dry-run    (shows what differs)

No rules and no routes are left half-done: what a server refuses is taken back. Exit code 1
means that the server does not run what was generated. It is safe to run this again at any
time.
"""

_RULES = ("folder", "prometheus", "mimir", "cortex", "prefix", "layout", "allow_empty")
_ROUTES = ("file", "alertmanager")
_ELASTIC = ("source", "skip_unsupported")
_ACCESS = ("tenant", "bearer_token_file", "ca_file")
_NOT_FOR = {
    "rules": (*_ROUTES, *_ELASTIC),
    "alertmanager": (*_RULES, *_ELASTIC),
    "elastic": (*_RULES, *_ROUTES, *_ACCESS),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("what", choices=list(_NOT_FOR), help="what to publish")
    parser.add_argument("--workspace", metavar="FILE", help="the workspace file")
    parser.add_argument(
        "--out", metavar="DIR", help="where generate wrote it (the workspace's output)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument(
        "--timeout",
        metavar="TIME",
        type=reading(Duration.parse),
        default="60s",
        help="how long to wait for the server (%(default)s)",
    )
    rules = parser.add_argument_group("rules, to a folder or to a ruler")
    rules.add_argument("--folder", metavar="DIR", help="the folder that rule_files names")
    rules.add_argument("--prometheus", metavar="URL", help="the server to reload")
    rules.add_argument("--mimir", metavar="URL", help="the ruler of a Mimir")
    rules.add_argument("--cortex", metavar="URL", help="the ruler of a Cortex")
    rules.add_argument(
        "--prefix",
        metavar="TEXT",
        help=f"what the ruler's namespaces of ours begin with ({NAMESPACE_PREFIX})",
    )
    rules.add_argument(
        "--layout",
        metavar="NAME",
        help="the folder of --out to take (prometheus; mimir for a ruler if it is there)",
    )
    rules.add_argument("--allow-empty", action="store_true", help="remove all published rules")
    routes = parser.add_argument_group("alertmanager")
    routes.add_argument("--file", metavar="PATH", help="the server's configuration file")
    routes.add_argument("--alertmanager", metavar="URL", help="the server to reload")
    elastic = parser.add_argument_group("elastic, to the workspace's clusters")
    elastic.add_argument("--source", metavar="NAME", help="this one alone")
    elastic.add_argument(
        "--skip-unsupported", action="store_true", help="exit 0 although a cluster lacks a feature"
    )
    access = parser.add_argument_group("access to the server of rules or routes")
    access.add_argument("--tenant", metavar="NAME", help="sent as X-Scope-OrgID")
    access.add_argument("--bearer-token-file", metavar="PATH", help="a file that holds a token")
    access.add_argument("--ca-file", metavar="PATH", help="the authority that signed for it")
    parser.epilog = _EXAMPLES


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Publish, and say what was done."""
    _check(args)
    space, root = open_workspace(environment=terminal.environment, workspace=args.workspace)
    out = Path(args.out) if args.out else root / space.output
    if args.what == "elastic":
        return publish_elastic.publish(args, space, out, terminal)
    for target in _targets(args, space, root):
        _publish(target, args, out, terminal)
    return exits.OK


def _publish(
    target: PublishTarget, args: argparse.Namespace, out: Path, terminal: Terminal
) -> None:
    if args.what == "alertmanager":
        files: tuple[OutputFile, ...] = (read_alertmanager(out),)
    else:
        files = read_rules(out, below=_layout(args, target, out), allow_empty=args.allow_empty)
    with terminal.progress(0, "healthy groups") as bar:

        def seen(done: int, total: int) -> None:
            bar.total, bar.done = total, done
            bar.advance(0)

        def told(message: str) -> None:
            bar.finish()
            terminal.note(printable(message))

        wait = Wait(timeout=args.timeout, seen=seen, told=told)
        try:
            report = publisher(target).publish(files, dry_run=args.dry_run, wait=wait)
        except PublishRefusedError as error:
            for name in error.report.rolled_back:
                terminal.note(f"taken back: {printable(name)}")
            raise
    _tell(terminal, report, dry_run=args.dry_run)


def _check(args: argparse.Namespace) -> None:
    hint = "see headroom publish --help"
    for name in _NOT_FOR[args.what]:
        if getattr(args, name):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is not for {args.what}", hint=hint)
    if args.alertmanager and not args.file:
        raise UsageError("name the server's configuration file with --file", hint=hint)
    places = [name for name in ("folder", "mimir", "cortex") if getattr(args, name)]
    if len(places) > 1:
        raise UsageError("--folder, --mimir and --cortex exclude each other", hint=hint)
    if args.prometheus and not args.folder:
        raise UsageError("--prometheus goes with --folder", hint=hint)
    if args.prefix is not None and not (args.prefix and (args.mimir or args.cortex)):
        raise UsageError("--prefix is a text, and goes with --mimir or --cortex", hint=hint)


def _targets(args: argparse.Namespace, space: Workspace, root: Path) -> Sequence[PublishTarget]:
    """Return where the flags say to publish, else where the workspace says."""
    if args.file or args.folder or args.mimir or args.cortex:
        return (_target(args),)
    if args.what == "alertmanager":
        file = space.publishing.alertmanager_file
        if file is None:
            raise UsageError(
                "nothing says where Alertmanager's configuration is",
                hint="give --file, or set publish.alertmanager in headroom.yaml",
            )
        server = _optional(args, space.alertmanager_url)
        return (AlertmanagerFile(path=str(root / file), server=server),)
    if not space.publishing.rules:
        raise UsageError(
            "nothing says where rules are published",
            hint="give --folder, --mimir or --cortex, or set publish.rules in headroom.yaml",
        )
    return tuple(_destination(each, space, root) for each in space.publishing.rules)


def _destination(each: RulesDestination, space: Workspace, root: Path) -> PublishTarget:
    """Return the target that a line of the workspace names."""
    known = {source.reference: source for source in space.prometheus.values()}
    if each.source is not None and each.source not in known:
        raise UsageError(
            f'there is no source "{each.source}"{did_you_mean(each.source, known)}',
            hint=f"known sources: {', '.join(known)}" if known else None,
        )
    server = None if each.source is None else known[each.source]
    if each.folder is not None:
        return PrometheusFolder(folder=str(root / each.folder), server=server)
    assert server is not None, "the loader asks for a source beside a ruler"
    address = replace(server, url=server.ruler_url or server.url.removesuffix("/prometheus"))
    return MimirRuler(
        server=address,
        flavor=RulerFlavor(each.ruler or RulerFlavor.MIMIR),
        prefix=each.prefix or NAMESPACE_PREFIX,
    )


def _target(args: argparse.Namespace) -> PublishTarget:
    if args.what == "alertmanager":
        return AlertmanagerFile(path=args.file, server=_optional(args, args.alertmanager))
    if args.folder:
        return PrometheusFolder(folder=args.folder, server=_optional(args, args.prometheus))
    return MimirRuler(
        server=_server(args, args.mimir or args.cortex),
        flavor=RulerFlavor.MIMIR if args.mimir else RulerFlavor.CORTEX,
        prefix=args.prefix or NAMESPACE_PREFIX,
    )


def _optional(args: argparse.Namespace, url: str | None) -> PrometheusSource | None:
    return _server(args, url) if url else None


def _server(args: argparse.Namespace, url: str) -> PrometheusSource:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f'"{url}" is not an http or https address')
    if parts.username or parts.password:
        raise UsageError("an address must not hold a password", hint="use --bearer-token-file")
    return PrometheusSource(
        name=parts.netloc,
        url=url,
        timeout=min(args.timeout, _REQUEST_TIMEOUT),
        tenant=args.tenant,
        bearer_token_file=args.bearer_token_file,
        tls=Tls(ca_file=args.ca_file),
    )


def _layout(args: argparse.Namespace, target: PublishTarget, out: Path) -> str:
    if args.layout:
        return str(args.layout).strip("/")
    if isinstance(target, MimirRuler) and (out / "mimir").is_dir():
        return "mimir"
    return "prometheus"


def _tell(terminal: Terminal, report: PublishReport, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for verb, names in (("published", report.done), ("removed", report.removed)):
        for name in names:
            terminal.line(f"{would}{verb}: {printable(name)}")
    for message in report.messages:
        terminal.note(printable(message))
    if report.is_current:
        terminal.note(f"up to date: {count(len(report.unchanged), 'item')}")
    else:
        counts = (
            f"{len(names)} {verb}"
            for verb, names in (
                (f"{would}published", report.done),
                (f"{would}removed", report.removed),
                ("unchanged", report.unchanged),
            )
            if names
        )
        terminal.note(", ".join(counts))
