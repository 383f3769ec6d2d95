"""The real OpenTelemetry Collector on a generated configuration.

The Collector of these tests lacks a few components (see docs/collectors/otelcol.md). ``trimmed``
takes what a program does not know out of a configuration, and says what that was.
"""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers.processes import wait_until

_KINDS = ("receivers", "processors", "exporters", "extensions")


def known_components(program: Path) -> set[str]:
    """The types of components that a Collector has, by the names that it prefers."""
    said = subprocess.run([program, "components"], capture_output=True, text=True, check=True)
    return set(re.findall(r"^ {4}- name: (\S+)$", said.stdout, re.MULTILINE))


def trimmed(text: str, known: Iterable[str]) -> tuple[dict[str, Any], set[str]]:
    """A configuration without components of unknown types, and those types.

    A pipeline without an exporter gets ``debug``.
    """
    have = set(known)
    config: dict[str, Any] = yaml.safe_load(text)
    left_out = set()
    for kind in _KINDS:
        for name in list(config.get(kind, {})):
            if name.partition("/")[0] not in have:
                left_out.add(name.partition("/")[0])
                del config[kind][name]
    service = config["service"]
    service["extensions"] = [name for name in service["extensions"] if name in config["extensions"]]
    for pipeline in service["pipelines"].values():
        for kind in _KINDS[:3]:
            pipeline[kind] = [name for name in pipeline[kind] if name in config[kind]]
        if not pipeline["exporters"]:
            config["exporters"]["debug"] = {}
            pipeline["exporters"] = ["debug"]
    return config, left_out


def validate(program: Path, config: Path, variables: Mapping[str, str]) -> str:
    """What ``otelcol validate`` says; nothing when it is content."""
    done = subprocess.run(
        [program, "validate", f"--config={config}"],
        env={**_clean(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}" or "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The loopback ports of one agent."""

    grpc: int
    http: int
    tcp: int
    udp: int
    health: int
    metrics: int


def free_ports() -> Ports:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(6)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return Ports(**dict(zip(Ports.__slots__, numbers, strict=True)))


def variables(ports: Ports, state: Path, endpoint: str, **more: str) -> dict[str, str]:
    """The variables that generated files read, all of them on loopback."""
    return {
        "HEADROOM_ENDPOINT": endpoint,
        "HEADROOM_STATE": str(state),
        "HEADROOM_OTLP_GRPC_LISTEN": f"127.0.0.1:{ports.grpc}",
        "HEADROOM_OTLP_HTTP_LISTEN": f"127.0.0.1:{ports.http}",
        "HEADROOM_SYSLOG_TCP_LISTEN": f"127.0.0.1:{ports.tcp}",
        "HEADROOM_SYSLOG_UDP_LISTEN": f"127.0.0.1:{ports.udp}",
        "HEADROOM_HEALTH_LISTEN": f"127.0.0.1:{ports.health}",
        "HEADROOM_METRICS_PORT": str(ports.metrics),
        **more,
    }


@contextmanager
def running(
    program: Path, text: str, folder: Path, known: Iterable[str], environment: Mapping[str, str]
) -> Iterator[Path]:
    """Run a generated configuration; gives the log. It is ready before and gone after."""
    config, _ = trimmed(text, known)
    (folder / "config.yaml").write_text(json.dumps(config))
    log = folder / "collector.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [program, f"--config={folder / 'config.yaml'}"],
            env={**_clean(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    before = log.read_text().count("Everything is ready")
    try:
        wait_until(
            lambda: (
                log.read_text().count("Everything is ready") > before or process.poll() is not None
            ),
            timeout=60,
            what="the Collector is ready",
        )
        assert process.poll() is None, log.read_text()[-4000:]
        yield log
    finally:
        process.terminate()
        process.wait(30)


def _clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("HEADROOM_")}
