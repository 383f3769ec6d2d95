"""Files for Fluentd carry every tag of every source to the output."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from hypothesis import given, settings

from collectors.tagging import fluentd
from collectors.tagging.fluentd_sections import glob
from collectors.tagging.model import FileSource, PodSource, SyslogSource
from collectors.tagging.ruby_record import expression
from collectors.tagging.shipping import Reading, readings
from slo.collecting import Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.fluentd import parsed, paths
from tests.unit.collectors.tagging.graphs.programs import constants
from tests.unit.collectors.tagging.shipped import HOSTILE, hostile

Golden = Callable[[str, str], None]
PROGRAM = "plugin/headroom_record.rb"


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return fluentd.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


def is_told(reading: Reading) -> bool:
    """Whether Fluentd can tell whose a source's records are: labels of pods it does not see."""
    return not (isinstance(reading.source, PodSource) and reading.source.pods is None)


def test_files_read_as_reviewed(golden: Golden) -> None:
    """The golden files are what users deploy."""
    files = made()
    assert {
        *("fluent.conf", PROGRAM, "plugin/filter_headroom.rb", "headroom.conf", "headroom.env")
    } == set(files)
    for name, text in files.items():
        golden(f"collectors/fluentd/{name}", text)


def test_an_output_to_elasticsearch_reads_as_reviewed(golden: Golden) -> None:
    """Its own endpoint and key."""
    text = made(destination=Destination.ELASTICSEARCH)["fluent.conf"]
    golden("collectors/fluentd/fluent-elasticsearch.conf", text)


def test_every_tag_reaches_the_output_from_every_source() -> None:
    """Syslog by both transports."""
    plan = airline()
    ways = paths(fluentd.files(plan))
    expected = [
        (reading.name, str(reading.tags))
        for reading in readings(plan)
        if is_told(reading)
        for _ in range(2 if isinstance(reading.source, SyslogSource) else 1)
    ]

    assert sorted(expected) == sorted((way.source.split()[2], str(way.tags)) for way in ways)
    for way in ways:
        assert {"trace", "span", "version"} == way.lifted
        assert "elasticsearch" == way.output


def test_secrets_are_out_before_the_buffer_and_the_rejected_file() -> None:
    """The filter stands before both."""
    plan = airline()
    files = fluentd.files(plan)
    root = parsed(files["fluent.conf"])

    expected = [expression(secret.pattern) for secret in plan.secrets]
    assert expected == constants(files[PROGRAM], lua=False)["SECRETS"]
    (errors,) = [each for each in root.all("label") if each.argument == "@ERROR"]
    assert ["filter", "match"] == [each.name for each in errors.elements]
    assert "true" == errors.elements[0].parameters["rejected"]


def test_the_buffer_is_bounded_and_has_a_place_for_what_cannot_be_sent() -> None:
    """On disk, with growing waits, and files for what is given up."""
    root = parsed(made()["fluent.conf"])
    (match,) = [
        each
        for label in root.all("label")
        for each in label.all("match")
        if each.parameters["@type"] == "elasticsearch"
    ]
    (buffer,), (secondary,) = match.all("buffer"), match.all("secondary")

    assert "file" == buffer.parameters["@type"]
    assert "1GB" == buffer.parameters["total_limit_size"]
    assert "exponential_backoff" == buffer.parameters["retry_type"]
    assert "secondary_file" == secondary.parameters["@type"]


def test_what_is_not_collected_is_said() -> None:
    """OTLP, and pods that labels alone tell apart."""
    text = made()["fluent.conf"]

    assert "# Not collected here: cargo/api by pods, which only labels tell apart." in text
    assert "ticketing/worker by OTLP" in text
    assert {} == fluentd.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through the configuration's literals, which embed no code of a user, and Ruby's."""
    plan = hostile(text, host)
    files = fluentd.files(plan)
    root = parsed(files["fluent.conf"])
    sources = constants(files[PROGRAM], lua=False)["SOURCES"]

    for reading in readings(plan):
        if reading.name in sources:
            assert reading.tags == sources[reading.name]["tags"]
            assert list(reading.hosts) == sources[reading.name]["hosts"]
    assert text in [each.get("program") for each in sources.values()]
    found = [each.parameters["path"] for each in root.all("source") if "path" in each.parameters]
    for source in plan.streams[0].of(FileSource):
        assert glob(source.path) in found


def test_a_path_with_a_comma_has_another_delimiter() -> None:
    """A comma would end it, and a per cent begin a part of the date."""
    plan = airline()
    source = FileSource(path="/var/a,b|c%Y*.log")
    plan = replace(plan, streams=(replace(plan.streams[0], sources=(source,)),))
    (tail,) = parsed(fluentd.files(plan)["fluent.conf"]).all("source")

    assert ";" == tail.parameters["path_delimiter"]
    assert "/var/a,b|c%%Y*.log" == tail.parameters["path"]
