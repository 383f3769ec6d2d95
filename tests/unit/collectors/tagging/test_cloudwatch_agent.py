"""Files for the CloudWatch agent put every record in its application's log group."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import given, settings

from collectors.tagging import cloudwatch_agent
from collectors.tagging.model import Convention, FileSource, JournalSource, OtlpSource
from slo.collecting import Collecting
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.cloudwatch_agent import paths
from tests.unit.collectors.tagging.hostile import HOSTILE, hostile

Golden = Callable[[str, str], None]


def made(**versions: str) -> Mapping[str, str]:
    """The files for both applications."""
    return cloudwatch_agent.files(airline(Collecting(versions=versions)))


def test_the_files_read_as_reviewed(golden: Golden) -> None:
    """The golden files are what users deploy."""
    for name, text in made().items():
        golden(f"collectors/cloudwatch-agent/1.300071/{name}", text)


def test_an_older_agent_gets_no_journal(golden: Golden) -> None:
    """It would refuse the whole file, and the README says what is missing."""
    files = made(**{"cloudwatch-agent": "1.300050"})
    name = "amazon-cloudwatch-agent.json"

    golden(f"collectors/cloudwatch-agent/1.300050/{name}", files[name])
    assert "logs" not in json.loads(files[name])
    assert "ticketing/cron by journald: this version has none" in files["README.md"]


def test_every_tag_reaches_cloudwatch_from_every_source() -> None:
    """By the tags of a log group, the dimensions of a host's metrics, or the service's own."""
    plan = airline()
    ways = {way.source: way for way in paths(cloudwatch_agent.files(plan))}
    for stream in plan.streams:
        labels = stream.tags(Convention.LABEL).items()
        for source in stream.of(FileSource):
            for host in source.hosts:
                assert labels <= ways[f"hosts/{host}.json files {source.path}"].tags.items()
        for unit in stream.of(JournalSource):
            name = f"amazon-cloudwatch-agent.json journald {unit.unit}"
            assert labels <= ways[name].tags.items()
        if stream.of(OtlpSource):
            tags = ways[f"services/{stream.identifier}.env"].tags
            assert stream.tags(Convention.OTEL) == tags
        for host in stream.component.hosts:
            assert labels <= ways[f"hosts/{host}.json metrics cpu"].tags.items()


def test_a_host_that_two_applications_share_is_tagged_for_neither() -> None:
    """Only what both have in common is said of its metrics."""
    plan = airline()
    streams = tuple(
        replace(stream, component=replace(stream.component, hosts=("shared",)))
        for stream in plan.streams
    )
    files = cloudwatch_agent.files(replace(plan, streams=streams))
    cpu = json.loads(files["hosts/shared.json"])["metrics"]["metrics_collected"]["cpu"]

    assert {"env": "prod"} == cpu["append_dimensions"]


def test_a_path_that_others_have_on_their_hosts_is_read_elsewhere() -> None:
    """Nowhere would a record be collected for two."""
    plan = airline()
    (first, *others) = plan.streams
    anywhere = replace(first, sources=(FileSource(path="/var/log/ticketing/worker.log"),))
    files = cloudwatch_agent.files(replace(plan, streams=(anywhere, *others)))

    (entry,) = json.loads(files["elsewhere.json"])["logs"]["logs_collected"]["files"][
        "collect_list"
    ]
    assert "/app/cargo/prod/cargo-api" == entry["log_group_name"]
    assert "every host but: cargo-1.example, tick-1.example" in files["README.md"]


def test_what_the_agent_cannot_do_is_said() -> None:
    """It masks nothing, and reads neither pods nor syslog."""
    text = made()["README.md"]

    assert "cannot take secrets out of records" in text
    assert "Not collected here: cargo/api by pods" in text
    assert "Not collected here: ticketing/gateway by syslog" in text


def test_without_sources_there_are_no_files() -> None:
    """An agent that collects nothing would only look as if it did."""
    assert {} == cloudwatch_agent.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """In tags and paths; where AWS has no place for it, the component's name stands."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = cloudwatch_agent.files(plan)
    ways = paths(files)

    assert 4 <= len(ways)
    for way in ways:
        convention = Convention.OTEL if way.source.endswith(".env") else Convention.LABEL
        assert stream.tags(convention).items() <= way.tags.items()
    assert all(name.count("/") <= 1 for name in files)
