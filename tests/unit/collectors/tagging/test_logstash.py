"""Files for Logstash carry every tag of every source that it reads to the output."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import yaml
from hypothesis import given, settings

from collectors.tagging import logstash
from collectors.tagging.model import FileSource, SyslogSource
from collectors.tagging.ruby_record import expression
from collectors.tagging.shipping import readings
from slo.collecting import Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.logstash import parsed, paths
from tests.unit.collectors.tagging.graphs.programs import constants
from tests.unit.collectors.tagging.shipped import HOSTILE, hostile

Golden = Callable[[str, str], None]
READ = (FileSource, SyslogSource)


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return logstash.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


def test_files_read_as_reviewed(golden: Golden) -> None:
    """The golden files are what users deploy."""
    files = made()
    assert {
        *("headroom-intake.conf", "headroom-delivery.conf", "headroom-rejected.conf"),
        *("headroom.rb", "pipelines.yml", "logstash.yml", "headroom.conf", "headroom.env"),
    } == set(files)
    for name, text in files.items():
        golden(f"collectors/logstash/{name}", text)


def test_an_output_to_elasticsearch_reads_as_reviewed(golden: Golden) -> None:
    """Its own endpoint and key."""
    text = made(destination=Destination.ELASTICSEARCH)["headroom-delivery.conf"]
    golden("collectors/logstash/headroom-delivery-elasticsearch.conf", text)


def test_every_tag_reaches_the_output_from_every_source() -> None:
    """Through the pipeline that reads and the one that sends."""
    plan = airline()
    ways = paths(logstash.files(plan))
    expected = [
        (reading.name, str(reading.tags))
        for reading in readings(plan)
        if isinstance(reading.source, READ)
    ]

    assert sorted(expected) == sorted((way.source.split()[1], str(way.tags)) for way in ways)
    for way in ways:
        assert {"trace", "span", "version"} == way.lifted
        assert "elasticsearch" == way.output


def test_secrets_are_out_before_any_queue_on_disk() -> None:
    """The pipeline with the program keeps its queue in memory; the next keeps it on disk."""
    plan = airline()
    files = logstash.files(plan)
    pipelines = {each["pipeline.id"]: each for each in yaml.safe_load(files["pipelines.yml"])}

    expected = [expression(secret.pattern) for secret in plan.secrets]
    assert expected == constants(files["headroom.rb"], lua=False)["SECRETS"]
    assert "memory" == pipelines["headroom-intake"]["queue.type"]
    assert "persisted" == pipelines["headroom-delivery"]["queue.type"]
    assert "1gb" == pipelines["headroom-delivery"]["queue.max_bytes"]


def test_dead_letters_end_in_a_file() -> None:
    """The queue of dead letters is on, and a pipeline reads the delivery's."""
    files = made()
    (letters,) = parsed(files["headroom-rejected.conf"])["input"]

    assert yaml.safe_load(files["logstash.yml"])["dead_letter_queue.enable"] is True
    assert "headroom-delivery" == letters.settings["pipeline_id"]


def test_what_is_not_collected_is_said() -> None:
    """Pods, the journal and OTLP have better readers."""
    text = made()["headroom-intake.conf"]

    assert "ticketing/cron by journald" in text
    assert "ticketing/api by pods" in text
    assert {} == logstash.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """With `config.support_escapes` and without; what a path cannot hold, any character matches."""
    plan = hostile(text, host)
    files = logstash.files(plan)
    intake = parsed(files["headroom-intake.conf"])
    sources = constants(files["headroom.rb"], lua=False)["SOURCES"]

    read = [each for each in readings(plan) if isinstance(each.source, READ)]
    assert {each.name: each.tags for each in read} == {
        name: each["tags"] for name, each in sources.items()
    }
    assert text in [each.get("program") for each in sources.values()]
    found = [each.settings["path"][0] for each in intake["input"] if each.name == "file"]
    for path, source in zip(found, plan.streams[0].of(FileSource), strict=True):
        assert len(source.path) == len(path)
        assert all(one in (other, "?") for one, other in zip(path, source.path, strict=True))
