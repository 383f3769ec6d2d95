"""The validators that doctor knows, which files each checks, and how it is asked.

Each is asked for its check alone, in the form that connects to nothing: no dry run that talks to
a cluster, no test of an output, no health check of a destination.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path

from slo.records import dataclass

Words = tuple[str | Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a program: its arguments, and the files that it checks.

    ``variables`` are besides those that the folder's own file of variables gives. ``otherwise``
    are the arguments for a version that does not know the command.
    """

    files: tuple[Path, ...]
    arguments: Words
    variables: Mapping[str, str] = field(default_factory=dict)
    otherwise: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A validator: its names on PATH, the files that it is for, and its runs.

    ``files`` are patterns of paths below ``collectors``; ``runs`` makes those for one of them,
    with a scratch folder.
    """

    name: str
    programs: tuple[str, ...]
    files: tuple[str, ...]
    runs: Callable[[Path, Path], Iterator[Run]]


def _plain(*arguments: str) -> Callable[[Path, Path], Iterator[Run]]:
    """Runs with the file and the scratch folder in the places of ``FILE`` and ``SCRATCH``."""

    def runs(file: Path, scratch: Path) -> Iterator[Run]:
        places = {"FILE": str(file), "SCRATCH": str(scratch), "FOLDER": str(file.parent)}
        words = []
        for word in arguments:
            for name, place in places.items():
                word = word.replace(name, place)  # noqa: PLW2901 - one place after the other
            words.append(word)
        yield Run(files=(file,), arguments=tuple(words))

    return runs


def _by_host(*arguments: str) -> Callable[[Path, Path], Iterator[Run]]:
    """The main file as any host reads it, then with the file of each host that has one."""
    plain = _plain(*arguments)

    def runs(file: Path, scratch: Path) -> Iterator[Run]:
        for run in plain(file, scratch):
            yield Run(
                files=run.files,
                arguments=run.arguments,
                variables={"HEADROOM_HOST": "a-host-without-a-file"},
            )
            for host in sorted((file.parent / "hosts").rglob("*.conf")):
                # A file of a host has its name, or lies in a folder that has it.
                alone = host.parent.name == "hosts"
                yield Run(
                    files=(host,),
                    arguments=run.arguments,
                    variables={"HEADROOM_HOST": host.stem if alone else host.parent.name},
                )

    return runs


def _alloy(file: Path, scratch: Path) -> Iterator[Run]:
    del scratch
    yield Run(
        files=(file,),
        arguments=("validate", file),
        otherwise=("fmt", file),
    )


def _overlay(*arguments: str) -> Callable[[Path, Path], Iterator[Run]]:
    """Components of kustomize are built in an overlay of their own, of nothing but them."""

    def runs(file: Path, scratch: Path) -> Iterator[Run]:
        folder = scratch / "overlay"
        component = folder / "component"
        component.mkdir(parents=True, exist_ok=True)
        (component / file.name).write_bytes(file.read_bytes())
        overlay = {"components": ["component"]}
        (folder / "kustomization.yaml").write_text(json.dumps(overlay), encoding="utf-8")
        yield Run(files=(file,), arguments=(*arguments, folder))

    return runs


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="otelcol",
        programs=("otelcol-contrib", "otelcol", "otelcol-k8s"),
        files=("otelcol/*/agent.yaml", "otelcol/*/agent-kubernetes.yaml", "otelcol/*/gateway.yaml"),
        runs=_plain("validate", "--config=file:FILE"),
    ),
    Tool(
        name="otelcol-sumo",
        programs=("otelcol-sumo",),
        files=("sumo/*/agent*.yaml",),
        runs=_plain("validate", "--config=file:FILE"),
    ),
    Tool(
        name="rsyslogd",
        programs=("rsyslogd",),
        files=("rsyslog/*/rsyslog.conf",),
        runs=_by_host("-N1", "-f", "FILE"),
    ),
    Tool(
        name="syslog-ng",
        programs=("syslog-ng",),
        files=("syslog-ng/*/syslog-ng.conf",),
        runs=_by_host("--syntax-only", "--no-caps", "--cfgfile=FILE"),
    ),
    Tool(
        name="vector",
        programs=("vector",),
        files=("vector/*/vector.yaml", "vector/*/vector-kubernetes.yaml"),
        runs=_plain("validate", "--no-environment", "FILE"),
    ),
    Tool(
        name="fluent-bit",
        programs=("fluent-bit", "td-agent-bit"),
        files=("fluent-bit/*/fluent-bit.yaml", "fluent-bit/*/fluent-bit-kubernetes.yaml"),
        runs=_plain("--dry-run", "-c", "FILE"),
    ),
    Tool(
        name="fluentd",
        programs=("fluentd", "td-agent"),
        files=("fluentd/*/fluent.conf",),
        runs=_plain("--dry-run", "-c", "FILE", "-p", "FOLDER/plugin"),
    ),
    Tool(
        name="filebeat",
        programs=("filebeat",),
        files=("filebeat/*/filebeat.yml", "filebeat/*/filebeat-kubernetes.yml"),
        # Files belong to whoever generated them here, to root where they are installed.
        runs=_plain(
            *("test", "config", "--strict.perms=false", "-c", "FILE", "--path.home", "SCRATCH")
        ),
    ),
    Tool(
        name="logstash",
        programs=("logstash",),
        files=("logstash/*/headroom-*.conf",),
        runs=_plain(
            *("--config.test_and_exit", "-f", "FILE", "--path.data", "SCRATCH"),
            *("--path.logs", "SCRATCH"),
        ),
    ),
    Tool(
        name="alloy",
        programs=("alloy",),
        files=("alloy/*/config*.alloy",),
        runs=_alloy,
    ),
    Tool(
        name="promtool",
        programs=("promtool",),
        files=("prometheus/*/*.yaml", "blackbox/*/scrape.yaml", "yace/*/scrape.yaml"),
        # The files of tokens and certificates are in the cluster, not here.
        runs=_plain("check", "config", "--syntax-only", "FILE"),
    ),
    Tool(
        name="blackbox_exporter",
        programs=("blackbox_exporter",),
        files=("blackbox/*/blackbox.yml",),
        runs=_plain("--config.check", "--config.file=FILE"),
    ),
    Tool(
        name="yace",
        programs=("yace",),
        files=("yace/*/config.yaml",),
        runs=_plain("verify-config", "--config.file", "FILE"),
    ),
    Tool(
        name="kustomize",
        programs=("kustomize",),
        files=("kustomize/*/*/kustomization.yaml", "datadog-agent/*/kubernetes/*/*.yaml"),
        runs=_overlay("build"),
    ),
    Tool(
        name="kubectl",
        programs=("kubectl",),
        files=("kustomize/*/*/kustomization.yaml", "datadog-agent/*/kubernetes/*/*.yaml"),
        # Its dry runs, the client's too, ask a cluster for its kinds.
        runs=_overlay("kustomize"),
    ),
    Tool(
        name="ansible-playbook",
        programs=("ansible-playbook",),
        files=("*/*/play.yaml",),
        runs=_plain("--syntax-check", "-i", "localhost,", "FILE"),
    ),
    Tool(
        name="ruby",
        programs=("ruby",),
        files=("fluentd/*/plugin/*.rb", "logstash/*/*.rb"),
        runs=_plain("-c", "FILE"),
    ),
    Tool(
        name="luac",
        programs=("luac", "luac5.4", "luac5.1"),
        files=("fluent-bit/*/*.lua",),
        runs=_plain("-p", "FILE"),
    ),
)
"""Every validator by the name that ``--tool`` takes; the first that is there checks a file."""
