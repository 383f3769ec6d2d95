"""Files for Sumo Logic's distribution: the Collector's, with its category and its exporter."""

from collections.abc import Callable

import pytest

from collectors.tagging import sumo
from collectors.tagging.model import Convention, FileSource
from slo.collecting import Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.otelcol import paths

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("name", ["agent.yaml", "agent-kubernetes.yaml"])
def test_files_read_as_reviewed(golden: Golden, name: str) -> None:
    """The golden files are what users deploy."""
    golden(f"collectors/sumo/0.154/{name}", sumo.files(airline())[name])


def test_every_tag_and_the_category_reach_sumo_logic() -> None:
    """From every file; other sources go the same way as in the Collector's own files."""
    plan = airline()
    ways = paths(sumo.files(plan)["agent.yaml"])
    found = {(path.source, path.tags.get("_sourceCategory"), path.output): path for path in ways}
    for stream, source in plan.of(FileSource):
        category = f"prod/{stream.app}/{stream.component.name}"
        way = found[f"file_log {source.path}", category, "sumologic"]
        assert stream.tags(Convention.OTEL).items() <= way.tags.items()


def test_another_destination_is_said_not_to_be_served() -> None:
    """The distribution sends to one place."""
    text = sumo.files(airline(Collecting(destination=Destination.LOKI)))["agent.yaml"]

    assert "# This distribution sends to Sumo Logic, whatever `destination: loki` says." in text
