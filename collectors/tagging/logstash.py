"""Logstash: three pipelines, and a program in Ruby that the first runs on every event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from collectors.tagging.expressions import written
from collectors.tagging.header import header
from collectors.tagging.machines import drop_in, environment
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    SyslogSource,
)
from collectors.tagging.ruby_program import OF_LOGSTASH
from collectors.tagging.ruby_record import module
from collectors.tagging.shipping import (
    HOST,
    PACKED,
    Reading,
    destination_notes,
    endpoint,
    is_elastic,
    left_out,
    of_kind,
    path_of_intake,
    readings,
)
from collectors.tagging.texts import comment, yaml_text
from slo.records import dataclass

NAME = "Logstash"
SCRIPT = "headroom.rb"

_FOLDER = "/etc/logstash/headroom"
_STATE = "/var/lib/logstash/headroom"
_PIPE = "headroom-delivery"
_WIDE = frozenset("[]{}\\\"'?$%")
_AT_ONCE = 5000
_NOTES = (
    "Secrets are out before anything is queued on disk: headroom-intake keeps its queue in memory.",
    "Pods, the journal and OTLP have better readers: see docs/collectors/logstash.md.",
)

Value = str | int | bool | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin with its settings, or a condition around others when it has ``within``."""

    name: str
    settings: Mapping[str, Value]
    within: tuple[Plugin, ...] = ()

    def lines(self, depth: int) -> Iterator[str]:
        """The plugin as lines of a pipeline."""
        start = "  " * depth
        yield f"{start}{self.name} {{"
        for name, value in self.settings.items():
            yield f"{start}  {name} => {literal(value)}"
        for each in self.within:
            yield from each.lines(depth + 1)
        yield f"{start}}}"


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/logstash.md for what each is for."""
    found = tuple(
        each for each in readings(plan) if isinstance(each.source, FileSource | SyslogSource)
    )
    if not found:
        return {}
    kinds = {PodSource: "pods", JournalSource: "journald", OtlpSource: "OTLP"}
    about = header(plan, NAME, *_NOTES, *destination_notes(plan, NAME), *left_out(plan, kinds))
    name, default = endpoint(plan)
    return {
        "headroom-intake.conf": comment(about) + _intake(found),
        "headroom-delivery.conf": comment(about) + _delivery(plan),
        "headroom-rejected.conf": comment(header(plan, NAME)) + _rejected(),
        SCRIPT: comment(header(plan, NAME)) + module(plan, found, OF_LOGSTASH) + _FILTER,
        "pipelines.yml": yaml_text(_pipelines(), header(plan, NAME, "For /etc/logstash/.")),
        "logstash.yml": yaml_text(
            {
                "dead_letter_queue.enable": True,
                "dead_letter_queue.max_bytes": "256mb",
                "dead_letter_queue.storage_policy": "drop_older",
            },
            header(plan, NAME, "Add these to /etc/logstash/logstash.yml."),
        ),
        "headroom.conf": drop_in(
            header(plan, NAME, "For /etc/systemd/system/logstash.service.d/."),
            f"{_FOLDER}/headroom.env",
            [f"Environment={HOST}=%H", "StateDirectory=logstash/headroom"],
        ),
        "headroom.env": environment(
            header(plan, NAME),
            {
                name: default,
                _credential(plan): "none",
                "HEADROOM_STATE": _STATE,
                "HEADROOM_SYSLOG_BIND": "127.0.0.1",
                "HEADROOM_SYSLOG_PORT": "5514",
            },
        ),
    }


def literal(value: Value) -> str:
    """A setting's value; texts hold neither quotes nor what Logstash would expand."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        pairs = " ".join(f'"{key}" => "{each}"' for key, each in value.items())
        return f"{{ {pairs} }}"
    return f"[{', '.join(literal(each) for each in value)}]"


def variable(name: str, default: str) -> str:
    """A place that Logstash fills from its environment."""
    return f"${{{name}:{default}}}"


def glob(path: str) -> str:
    """A path as a pattern that may be wider; the program compares the path itself.

    Whether a backslash is one depends on `config.support_escapes`, and quotes cannot be had with
    either, so that any character stands for each of these.
    """
    return "".join("?" if char in _WIDE else char for char in path)


def _credential(plan: Plan) -> str:
    return "ELASTICSEARCH_API_KEY" if is_elastic(plan) else "HEADROOM_TOKEN"


def _pipeline(**parts: Sequence[Plugin]) -> str:
    lines: list[str] = []
    for name, plugins in parts.items():
        lines.append(f"{name} {{")
        for plugin in plugins:
            lines.extend(plugin.lines(1))
        lines.append("}")
    return "\n".join(lines) + "\n"


def _intake(found: Sequence[Reading]) -> str:
    inputs = [_file(reading) for reading in of_kind(found, FileSource)]
    if of_kind(found, SyslogSource):
        inputs.append(_syslog())
    ruby = Plugin(
        name="ruby",
        settings={
            "id": "headroom_records",
            "path": f"{variable('HEADROOM_SCRIPTS', _FOLDER)}/{SCRIPT}",
            "tag_on_exception": "_headroom_unread",
        },
    )
    # What the program fails on still has its secrets, and goes nowhere.
    failed = Plugin(
        name='if "_headroom_unread" in [tags]',
        settings={},
        within=(Plugin(name="drop", settings={}),),
    )
    out = Plugin(name="pipeline", settings={"send_to": [_PIPE]})
    return _pipeline(input=inputs, filter=[ruby, failed], output=[out])


def _file(reading: Reading) -> Plugin:
    source = reading.source
    assert isinstance(source, FileSource)
    codec: tuple[Plugin, ...] = ()
    if source.multiline is not None:
        codec = (
            Plugin(
                name="codec => multiline",
                settings={
                    "pattern": written(source.multiline),
                    "negate": True,
                    "what": "previous",
                    "auto_flush_interval": 2,
                    "max_lines": 1000,
                },
            ),
        )
    return Plugin(
        name="file",
        settings={
            "id": reading.name,
            "path": [glob(source.path)],
            "exclude": [f"*.{ending}" for ending in PACKED],
            "start_position": "beginning",
            # By inode: a file's next name is not read again.
            "sincedb_path": f"{variable('HEADROOM_STATE', _STATE)}/{reading.name}.sincedb",
            "ecs_compatibility": "v8",
            "add_field": {"[@metadata][headroom]": reading.name},
        },
        within=codec,
    )


def _syslog() -> Plugin:
    return Plugin(
        name="syslog",
        settings={
            "id": "headroom_syslog",
            "host": variable("HEADROOM_SYSLOG_BIND", "127.0.0.1"),
            "port": variable("HEADROOM_SYSLOG_PORT", "5514"),
            "ecs_compatibility": "v8",
            "add_field": {"[@metadata][headroom]": "syslog"},
        },
    )


def _delivery(plan: Plan) -> str:
    name, default = endpoint(plan)
    word = "ApiKey" if is_elastic(plan) else "Bearer"
    credential = f"{word} {variable(_credential(plan), 'none')}"
    output = Plugin(
        name="elasticsearch",
        settings={
            "id": "headroom_documents",
            "hosts": [variable(name, default) + path_of_intake(plan)],
            "custom_headers": {"Authorization": credential},
            "data_stream": "true",
            "data_stream_type": "logs",
            "data_stream_auto_routing": True,
            "data_stream_sync_fields": True,
            "manage_template": False,
            "compression_level": 3,
            "retry_initial_interval": 1,
            "retry_max_interval": 60,
        },
    )
    return _pipeline(
        input=[Plugin(name="pipeline", settings={"address": _PIPE})], filter=[], output=[output]
    )


def _rejected() -> str:
    state = variable("HEADROOM_STATE", _STATE)
    letters = Plugin(
        name="dead_letter_queue",
        settings={
            "path": variable("LOGSTASH_DEAD_LETTERS", "/var/lib/logstash/dead_letter_queue"),
            "pipeline_id": _PIPE,
            "commit_offsets": True,
            "clean_consumed": True,
        },
    )
    reason = Plugin(
        name="mutate",
        settings={"copy": {"[@metadata][dead_letter_queue][reason]": "[headroom][reason]"}},
    )
    kept = Plugin(
        name="file",
        settings={"path": f"{state}/rejected-%{{+YYYY-MM-dd}}.ndjson"},
        within=(Plugin(name="codec => json_lines", settings={}),),
    )
    return _pipeline(input=[letters], filter=[reason], output=[kept])


def _pipelines() -> list[Mapping[str, object]]:
    def pipeline(name: str, **more: object) -> Mapping[str, object]:
        config = f"{_FOLDER}/{name}.conf"
        return {"pipeline.id": name, "path.config": config, "pipeline.ecs_compatibility": "v8"} | {
            key.replace("__", "."): value for key, value in more.items()
        }

    return [
        pipeline("headroom-intake", queue__type="memory", pipeline__batch__size=_AT_ONCE // 10),
        pipeline(_PIPE, queue__type="persisted", queue__max_bytes="1gb"),
        pipeline("headroom-rejected", queue__type="memory", dead_letter_queue__enable=False),
    ]


_FILTER = r"""
def register(_params); end

# Called with every event; what is returned takes its place.
def filter(event)
  document = Headroom.of_logstash(event.get('[@metadata][headroom]'), event.to_hash)
  document.nil? ? [] : [LogStash::Event.new(document)]
end
"""
