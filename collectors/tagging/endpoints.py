"""Where metrics are served: addresses of components, read so that they load."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from urllib.parse import parse_qsl

from collectors.joining.index import Place, place
from collectors.tagging.engines import Engine, engine_of
from collectors.tagging.model import Stream
from slo.model import ComponentKind
from slo.records import dataclass

NODE_PORT = 9100

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)")
_TARGET = re.compile(rf"(?P<host>{_HOST.pattern})(?::(?P<port>[0-9]{{1,5}}))?")
_URL = re.compile(
    r"(?:(?P<scheme>[^:/?#]+)://)?(?P<target>[^/?#]*)(?P<path>[^?#]*)\??(?P<query>[^#]*)(?:#.*)?"
)
_PARAMETER = re.compile(r"[a-zA-Z0-9_]+")
_PORTS = {"http": 80, "https": 443}
_INFRASTRUCTURE = {
    ComponentKind.DATABASE,
    ComponentKind.QUEUE,
    ComponentKind.LOAD_BALANCER,
    ComponentKind.HOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a program serves metrics: ``address`` is a host and a port."""

    address: str
    path: str = "/metrics"
    scheme: str = "http"
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What makes two of them the same."""
        return self.address.lower(), self.path, tuple(sorted(self.parameters.items()))

    @property
    def hidden_labels(self) -> dict[str, str]:
        """The labels of a target that say how it is asked, where that is not the usual way."""
        found = {f"__param_{name}": value for name, value in self.parameters.items()}
        if self.path != "/metrics":
            found["__metrics_path__"] = self.path
        if self.scheme != "http":
            found["__scheme__"] = self.scheme
        return found


def read_endpoint(text: str, engine: Engine | None) -> Endpoint | None:
    """An endpoint as a component gives it, or ``None`` when no scraper would take it.

    Names and passwords within an address are refused: they would stand in a file and in labels.
    """
    match = _URL.fullmatch(text.strip())
    if match is None:
        return None
    scheme = (match["scheme"] or "http").lower()
    target = _TARGET.fullmatch(match["target"])
    if target is None or scheme not in _PORTS:
        return None
    usual = _PORTS[scheme] if match["scheme"] or engine is None else engine.port
    path = match["path"] or (engine.path if engine is not None else "/metrics")
    return Endpoint(
        address=f"{target['host']}:{target['port'] or usual}",
        path=path,
        scheme=scheme,
        parameters={
            name: value for name, value in parse_qsl(match["query"]) if _PARAMETER.fullmatch(name)
        },
    )


def endpoints_of(stream: Stream) -> Iterator[tuple[str, Endpoint | None]]:
    """The endpoints of a component, as it gives them and as they are read.

    Without any, those that its engine's exporter usually has on its hosts, or at its address.
    """
    component = stream.component
    engine = engine_of(component.engine)
    for text in component.metrics:
        yield text, read_endpoint(text, engine)
    if component.metrics or engine is None or engine.always or engine.name == "node":
        return
    if component.workload or component.pod_labels or component.cloudwatch_namespace:
        return
    address = None if component.address is None else place(component.address).host
    for host in component.hosts or ((address,) if address else ()):
        found = read_endpoint(bracketed(host), None)
        yield (
            host,
            None
            if found is None
            else Endpoint(address=f"{_host(found.address)}:{engine.port}", path=engine.path),
        )


def hosts_of(stream: Stream) -> Iterator[tuple[str, Endpoint | None]]:
    """The node exporters on a component's hosts, by the hosts' names."""
    component = stream.component
    if component.kind is ComponentKind.HOST and component.metrics:
        return
    hosts = component.hosts
    if not hosts and component.kind is ComponentKind.HOST and component.address is not None:
        hosts = (place(component.address).host,)
    for host in dict.fromkeys(hosts):
        found = read_endpoint(bracketed(host), None)
        yield (
            host,
            None if found is None else Endpoint(address=f"{_host(found.address)}:{NODE_PORT}"),
        )


def infrastructure_place(stream: Stream) -> Place | None:
    """Where a database, queue, load balancer or host answers, if its file says."""
    component = stream.component
    if component.kind not in _INFRASTRUCTURE or not component.address:
        return None
    return place(component.address)


def bracketed(host: str) -> str:
    """A host as it stands before a port: IPv6 addresses in brackets."""
    return f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host


def _host(address: str) -> str:
    return address.rpartition(":")[0]
