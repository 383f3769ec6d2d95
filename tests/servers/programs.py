"""The programs that collectors run on every record, run by the engines that collectors have.

Vector's language by its own crate, the Ruby of Fluentd and Logstash by Ruby, the Lua of Fluent
Bit by LuaJIT. The collectors themselves are not here.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from collectors.tagging import fluent_bit, fluentd, logstash, vector
from collectors.tagging.fluent_bit_script import quoted as lua_text
from collectors.tagging.model import Plan
from collectors.tagging.ruby_record import quoted as ruby_text
from slo.collecting import Destination
from tests.servers.grammars import run_vrl
from tests.servers.parts import Part
from tests.unit.collectors.tagging.graphs.vector import configuration

ELASTIC = {"destination": Destination.ELASTICSEARCH}
"""What plans of these tests are made with."""

READ = "2026-01-01T00:00:00Z"
"""When a line was read."""

_LUA_JSON = r"""
local shown
function shown(value)
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\]', function(sign)
      return string.format("\\u%04x", sign:byte())
    end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for _, each in ipairs(value) do parts[#parts + 1] = shown(each) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, each in pairs(value) do parts[#parts + 1] = shown(key) .. ":" .. shown(each) end
  return "{" .. table.concat(parts, ",") .. "}"
end
"""

Document = dict[str, Any]


class Collector(Protocol):
    """A collector's program: a record of a source in, a document out, or none."""

    def __call__(self, plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        """Run the program on one record of the source of that name."""


def ran(command: Sequence[str | Path], given: str = "") -> str:
    """What a command prints; it may not complain."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    assert "" == done.stderr
    return done.stdout


def program_of(name: str, part: Part, folder: Path) -> Collector:
    """A collector's program by the collector's name."""
    return _PROGRAMS[name](part, folder)


def _vector(part: Part, folder: Path) -> Collector:
    """Vector: the program of the source, then the one for all, as one.

    So the second is compiled with all types that the first leaves, as Vector itself does.
    """
    binaries = part("vrl-0.38")

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document:
        files = vector.files(plan)
        kind = "-kubernetes" if "_pods_" in name else ""
        steps = configuration(files[f"vector{kind}.yaml"])["transforms"]
        program = folder / "program.vrl"
        program.write_text(steps[f"{name}_tags"]["source"] + steps["records"]["source"] + shown)
        done = run_vrl(binaries, program, [record])
        assert 0 == done.returncode, done.stderr
        found: Document = json.loads(done.stdout, strict=False)
        return found

    shown = '."@timestamp" = format_timestamp!(."@timestamp", "%Y-%m-%dT%H:%M:%S%.3fZ")\n'
    return run


def _fluentd(part: Part, folder: Path) -> Collector:
    """Fluentd: the function that the filter calls, with the tag of the source."""

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        kind = next(word for word in ("file", "pods", "journal", "syslog") if f"_{word}_" in name)
        tag = "headroom.syslog.user.info" if kind == "syslog" else f"headroom.{kind}.{name}"
        text = fluentd.files(plan)["plugin/headroom_record.rb"]
        return _in_ruby(part, folder, text, f"Headroom.of_fluentd({ruby_text(tag)}, 1, ", record)

    return run


def _logstash(part: Part, folder: Path) -> Collector:
    """Logstash: the function that its filter calls, with the fields of an event."""

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        source = "syslog" if "_syslog_" in name else name
        text = logstash.files(plan)["headroom.rb"]
        return _in_ruby(part, folder, text, f"Headroom.of_logstash({ruby_text(source)}, ", record)

    return run


def _in_ruby(
    part: Part, folder: Path, text: str, call: str, record: Mapping[str, Any]
) -> Document | None:
    program = folder / "program.rb"
    program.write_text(f"{text}puts JSON.generate({call}JSON.parse($stdin.read)))\n")
    ruby = part("ruby-3.1") / "ruby"
    printed = ran([ruby, "--disable-gems", "-w", program], json.dumps(record))
    found: Document | None = json.loads(printed)
    return found


def _fluent_bit(part: Part, folder: Path) -> Collector:
    """Fluent Bit: the function that the filter calls; the time that it gives as `@timestamp`."""
    luajit = part("luajit-2.1") / "luajit"

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        tag = "headroom.syslog" if "_syslog_" in name else f"headroom.{name}"
        program = folder / "program.lua"
        given = ", ".join(f"[{lua_text(key)}] = {_lua(value)}" for key, value in record.items())
        program.write_text(
            fluent_bit.files(plan)["headroom.lua"]
            + _LUA_JSON
            + f"local code, at, found = headroom({lua_text(tag)}, 1, {{{given}}})\n"
            "if code ~= -1 then found['@timestamp'] = at io.write(shown(found)) end\n"
        )
        text = ran([luajit, program])
        return _timed(json.loads(text)) if text else None

    return run


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"[{lua_text(key)}] = {_lua(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return lua_text(str(value))


def _timed(document: Document) -> Document:
    seconds = datetime.fromtimestamp(document["@timestamp"], tz=UTC)
    return {**document, "@timestamp": seconds.isoformat(timespec="milliseconds")[:23] + "Z"}


_PROGRAMS: Mapping[str, Callable[[Part, Path], Collector]] = {
    "vector": _vector,
    "fluentd": _fluentd,
    "logstash": _logstash,
    "fluent_bit": _fluent_bit,
}

RECORDS: Mapping[str, Callable[[str, str], Document]] = {
    "vector": lambda line, path: {"message": line, "file": path, "timestamp": READ},
    "fluentd": lambda line, path: {"message": line, "log.file.path": path},
    "logstash": lambda line, path: {
        "message": line,
        "log": {"file": {"path": path}},
        "@timestamp": READ,
    },
    "fluent_bit": lambda line, path: {"log": line, "log.file.path": path},
}
"""A line of a file as each collector's reader gives it."""
