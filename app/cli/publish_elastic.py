"""`headroom publish elastic`: templates, pipelines, retention and roles put into clusters."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import exits
from app.cli.output import count
from app.cli.terminal import Terminal
from slo.errors import UsageError
from slo.printable import printable
from slo.suggest import did_you_mean
from slo.workspace import ElasticsearchSource, Workspace

if TYPE_CHECKING:
    from app.publishing.elastic import ElasticPlan, ElasticReport


def publish(args: argparse.Namespace, space: Workspace, out: Path, terminal: Terminal) -> int:
    """Show what differs in each cluster, put it, and say what could not be put."""
    codes = [_one(args, source, out, terminal) for source in _sources(args.source, space)]
    return max(codes)


def _sources(wanted: str | None, space: Workspace) -> Sequence[ElasticsearchSource]:
    known = space.elasticsearch
    if not known:
        raise UsageError(
            "the workspace names no Elasticsearch and no OpenSearch",
            hint="set sources.elasticsearch in headroom.yaml",
        )
    if wanted is None:
        return tuple(known.values())
    name = wanted.removeprefix("elasticsearch/")
    if name not in known:
        raise UsageError(
            f'there is no source "{wanted}"{did_you_mean(name, known)}',
            hint=f"known sources: {', '.join(known)}",
        )
    return (known[name],)


def _one(
    args: argparse.Namespace, source: ElasticsearchSource, out: Path, terminal: Terminal
) -> int:
    from app.publishing.elastic import (  # noqa: PLC0415 - it needs the extra elastic
        ElasticRefusedError,
        carry_out,
        plan,
        read_elastic,
    )
    from collectors.elastic.client import Cluster  # noqa: PLC0415

    wanted = read_elastic(out, source.name)
    cluster = Cluster(source, environ=terminal.environment, timeout=args.timeout)
    try:
        planned = plan(cluster, wanted)
        _show(planned, terminal)
        if args.dry_run:
            return _tell(planned.preview(), source, args, terminal)
        with terminal.progress(len(planned.changes), "resources") as bar:

            def seen(done: int, total: int) -> None:
                bar.total, bar.done = total, done
                bar.advance(0)

            report = carry_out(cluster, planned, seen)
    except ElasticRefusedError as error:
        for title in error.done:
            terminal.line(f"published: {printable(title)}")
        for title in error.left:
            terminal.line(f"not published: {printable(title)}")
        raise
    finally:
        cluster.close()
    return _tell(report, source, args, terminal)


def _show(planned: ElasticPlan, terminal: Terminal) -> None:
    for change in planned.changes:
        for line in change.diff.splitlines():
            terminal.line(printable(line))


def _tell(
    report: ElasticReport, source: ElasticsearchSource, args: argparse.Namespace, terminal: Terminal
) -> int:
    would = "would be " if args.dry_run else ""
    for title in report.done:
        terminal.line(f"{would}published: {printable(title)}")
    for title, reason in report.skipped.items():
        terminal.line(f"skipped: {printable(title)}: {printable(reason)}")
    for note in report.notes:
        terminal.note(f"note: {printable(note)}")
    if not report.done and not report.skipped:
        terminal.note(f"{source.reference} is up to date: {count(len(report.unchanged), 'item')}")
    else:
        counts = (
            (f"{would}published", len(report.done)),
            ("unchanged", len(report.unchanged)),
            ("skipped", len(report.skipped)),
        )
        told = (f"{number} {verb}" for verb, number in counts if number)
        terminal.note(f"{source.reference}: {', '.join(told)}")
    if report.skipped and not args.skip_unsupported:
        terminal.note(
            f"{source.reference} lacks what {count(len(report.skipped), 'item')} need; "
            "--skip-unsupported takes that for right"
        )
        return exits.PROBLEMS
    return exits.OK
