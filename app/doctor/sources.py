"""Whether a Prometheus can be reached, lets us in, has the right time, and runs our rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.prometheus.groups import RuleSettings
from app.doctor.model import Check, fail, ok, skipped, warn
from app.doctor.recorded import recorded_check
from app.doctor.rules import rules_checks
from collectors.readers.prometheus import Clock, PrometheusClient
from collectors.readers.prometheus.metadata import PrometheusMetadata
from slo.errors import AuthenticationFailed, SourceError
from slo.model import ServiceLevel
from slo.workspace import PrometheusSource

SKEW_WARN = timedelta(seconds=30)
SKEW_FAIL = timedelta(minutes=5)
_PARTS = ("reachable", "authentication", "clock", "rules", "recorded series")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One source, the service levels that are read from it, and how to ask it."""

    source: PrometheusSource
    levels: Sequence[ServiceLevel]
    settings: RuleSettings
    now: Callable[[], datetime]
    clock: Clock | None = None
    environ: Mapping[str, str] | None = None


def source_checks(visit: Visit) -> list[Check]:
    """Look at one source; what cannot be looked at because of another check is skipped."""
    reference = visit.source.reference
    client = PrometheusClient(visit.source, clock=visit.clock, environ=visit.environ)
    metadata = PrometheusMetadata(visit.source, clock=visit.clock, environ=visit.environ)
    try:
        client.get("query", client.deadline(None), {"query": "vector(1)"})
    except AuthenticationFailed as refusal:
        return [
            ok(f"{reference} reachable", f"{visit.source.url} answers"),
            fail(f"{reference} authentication", str(refusal), _advice(refusal)),
            *_skipped(reference, _PARTS[2:], "the server does not let us in"),
        ]
    except SourceError as cause:
        return [
            fail(f"{reference} reachable", f"{visit.source.url}: {cause}", _advice(cause)),
            *_skipped(reference, _PARTS[1:], "the server cannot be reached"),
        ]
    skew, clock = _clock(visit, metadata)
    at = visit.now() + skew
    return [
        ok(f"{reference} reachable", f"{visit.source.url} answers{_version(metadata)}"),
        ok(f"{reference} authentication", _credentials(visit.source)),
        clock,
        *_guarded(
            f"{reference} rules",
            lambda name: rules_checks(name, metadata, visit.levels, visit.settings, at),
        ),
        *_guarded(
            f"{reference} recorded series",
            lambda name: [recorded_check(name, client, visit.levels, at)],
        ),
    ]


def skew_check(name: str, skew: timedelta) -> Check:
    """Judge how far the server's clock is ahead of ours; negative is behind."""
    seconds = abs(skew).total_seconds()
    where = "ahead of" if skew > timedelta(0) else "behind"
    message = f"the server's clock is {seconds:.0f} s {where} ours"
    advice = "let both machines keep their time by NTP; budgets are asked for as of our clock"
    if abs(skew) > SKEW_FAIL:
        return fail(name, message, advice)
    if abs(skew) > SKEW_WARN:
        return warn(name, message, advice)
    return ok(name, "the clocks agree within 30 s")


def _clock(visit: Visit, metadata: PrometheusMetadata) -> tuple[timedelta, Check]:
    name = f"{visit.source.reference} clock"
    before = visit.now()
    try:
        theirs = metadata.server_time()
    except SourceError as cause:
        advice = "compare the clocks by hand; a proxy may hide the server's"
        return timedelta(0), warn(name, str(cause), advice)
    after = visit.now()
    skew = theirs - (before + (after - before) / 2)
    check = skew_check(name, skew)
    # A header knows whole seconds only; less than that is no skew.
    return skew if abs(skew) > timedelta(seconds=2) else timedelta(0), check


def _version(metadata: PrometheusMetadata) -> str:
    try:
        version = metadata.build_info().get("version")
    except SourceError:  # some compatible servers do not tell
        version = None
    return f", version {version}" if version else ""


def _credentials(source: PrometheusSource) -> str:
    ways = {
        "a bearer token": source.bearer_token_file,
        "a user and password": source.basic_auth,
        "OAuth 2": source.oauth2,
        "AWS request signing": source.sigv4,
        "a token command": source.token_command,
        "a client certificate": source.tls.cert_file,
    }
    used = [name for name, setting in ways.items() if setting]
    return f"accepted {' and '.join(used)}" if used else "none configured, and none asked for"


def _guarded(name: str, look: Callable[[str], list[Check]]) -> list[Check]:
    try:
        return look(name)
    except SourceError as cause:
        return [fail(name, str(cause), _advice(cause))]


def _skipped(reference: str, parts: Sequence[str], why: str) -> list[Check]:
    return [skipped(f"{reference} {part}", why) for part in parts]


def _advice(cause: SourceError) -> str:
    return cause.hint or "check the source's url and settings in headroom.yaml"
