"""What blackbox exporters probe: the addresses that objectives of kind ``probe`` select."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collectors.tagging.model import Plan
from slo.model import App, Environment, Slo
from slo.model import Probe as ProbeMeasure
from slo.printable import printable
from slo.promql import Selector
from slo.records import dataclass

EXPORTER = "127.0.0.1:9115"
"""Where a blackbox exporter usually answers on its own host."""

JOB = "blackbox"
_METRIC = "probe_success"
_ADDRESS = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<rest>.+)", re.IGNORECASE)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HAS_PORT = re.compile(r"(?:\[[^\]]*\]|[^:/]+):[0-9]+/?")
_SCHEMES = {
    "http": "http_2xx",
    "https": "http_2xx",
    "tcp": "tcp_connect",
    "grpc": "grpc",
    "icmp": "icmp",
}
MODULES: Mapping[str, Mapping[str, object]] = {
    "http_2xx": {
        "prober": "http",
        "timeout": "5s",
        "http": {"preferred_ip_protocol": "ip4", "follow_redirects": True},
    },
    "http_post_2xx": {
        "prober": "http",
        "timeout": "5s",
        "http": {"preferred_ip_protocol": "ip4", "method": "POST"},
    },
    "tcp_connect": {"prober": "tcp", "timeout": "5s", "tcp": {"preferred_ip_protocol": "ip4"}},
    "grpc": {"prober": "grpc", "timeout": "5s", "grpc": {"preferred_ip_protocol": "ip4"}},
    "icmp": {"prober": "icmp", "timeout": "5s", "icmp": {"preferred_ip_protocol": "ip4"}},
}
"""Modules of the exporter, by the names that its own examples give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """One address that is probed; ``labels`` are all that its series carry besides.

    ``slos`` are the names of the objectives that read it; ``interval`` is how often it is probed.
    """

    app: str
    slos: tuple[str, ...]
    target: str
    module: str
    interval: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    target: str
    module: str
    interval: str
    labels: tuple[tuple[str, str], ...]


def probes(plan: Plan) -> tuple[tuple[Probed, ...], tuple[str, ...]]:
    """Every address once, and what cannot be probed with the reason.

    An address that two objectives read with the same labels is probed once: two series of it
    would count twice. It then carries no ``slo``.
    """
    found: list[Probed] = []
    left_out: list[str] = []
    environments = plan.environments()
    for app in plan.apps:
        environment = environments[app.name]
        wanted: dict[_Wanted, list[str]] = {}
        for slo in environment.slos:
            read = _wanted(environment, slo)
            if isinstance(read, _Wanted):
                wanted.setdefault(read, []).append(slo.name)
            elif read is not None:
                left_out.append(printable(f"{app.name}/{slo.name}: {read}"))
        found.extend(_probed(plan, app, one, names) for one, names in wanted.items())
    return tuple(found), tuple(left_out)


def _probed(plan: Plan, app: App, wanted: _Wanted, slos: list[str]) -> Probed:
    labels = {"job": JOB, **dict(wanted.labels), "app": app.name, "env": plan.env, "team": app.team}
    if "tier" in app.labels:
        labels["tier"] = app.labels["tier"]
    labels.pop("slo", None)
    if len(slos) == 1:
        labels["slo"] = slos[0]
    return Probed(
        app=app.name,
        slos=tuple(slos),
        target=wanted.target,
        module=wanted.module,
        interval=wanted.interval,
        labels=labels,
    )


def _wanted(environment: Environment, slo: Slo) -> _Wanted | str | None:
    measure = slo.indicator.measure
    if not isinstance(measure, ProbeMeasure):
        return None
    selector = measure.selector.plain
    if selector is None or selector.metric != _METRIC:
        return f"its probe is not {_METRIC}"
    labels = dict(_labels(environment, selector))
    address = labels.get("instance")
    if not address:
        return "its selector names no instance, the address to probe"
    module = labels.get("module") or _module(address)
    if module is None:
        return f"no module of the exporter probes {address}"
    target = address
    if module not in {"http_2xx", "http_post_2xx"} and (match := _ADDRESS.fullmatch(address)):
        target = match["rest"].rstrip("/")
    return _Wanted(
        target=target,
        module=module,
        interval=str(slo.indicator.scrape_interval),
        labels=tuple(sorted(labels.items())),
    )


def _labels(environment: Environment, selector: Selector) -> Iterator[tuple[str, str]]:
    if len(environment.clusters) == 1:
        yield from environment.clusters[0].match.items()
    for matcher in selector.matchers:
        if matcher.op == "=" and matcher.value and _LABEL.fullmatch(matcher.name):
            yield matcher.name, matcher.value


def _module(address: str) -> str | None:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    if match["scheme"] is not None:
        return _SCHEMES.get(match["scheme"].lower())
    return "tcp_connect" if _HAS_PORT.fullmatch(address) else "icmp"
