"""What is asked of the files for each daemon of syslog."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import strategies as st

from collectors.tagging.model import Convention, FileSource, Plan, Source, Stream
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.model import Path

Keys = Callable[[Stream, Source], Iterable[str]]
"""How the ways of a source begin."""

PRINTABLE = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs")), min_size=1
).filter(lambda text: text.isprintable() and bool(text.strip()))
"""Texts that a user may write anywhere."""


def check_every_source(plan: Plan, found: Iterable[Path], keys: Keys, output: str) -> list[Path]:
    """Check that each source's ways have its tags and end at an output; return the other ways.

    Version, trace and span are lifted wherever a record can have them.
    """
    ways = list(found)
    for stream in plan.streams:
        for source in stream.sources:
            for key in keys(stream, source):
                path = next(each for each in ways if _is_way(each, key, stream))
                ways.remove(path)
                assert stream.tags(Convention.ECS).items() <= path.tags.items()
                plain = source.format == "plain"
                assert {"trace", "span", *(() if plain else ("version",))} <= path.lifted
                assert output == path.output
    return ways


def _is_way(path: Path, key: str, stream: Stream) -> bool:
    return path.source.startswith(key) and stream.dataset == path.tags["data_stream.dataset"]


def of_each_host(source: FileSource, key: str) -> list[str]:
    """How the ways of a file begin: each host by its name and by the first part of it."""
    return [key] * (2 * len(source.hosts) or 1)


def worker_of(team: str, *sources: Source) -> Plan:
    """A plan of one stream of a team with these sources."""
    plan = airline()
    worker = next(stream for stream in plan.streams if stream.component.name == "worker")
    made = replace(worker, values={**worker.values, "team": team}, sources=sources)
    return replace(plan, streams=(made,))


def without_sources() -> Plan:
    """A plan whose streams have no lines to read."""
    plan = airline()
    return replace(plan, streams=tuple(replace(each, sources=()) for each in plan.streams))
