"""What log and trace collectors are configured for: the `collectors` part of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from slo.records import dataclass

COLLECTORS = (
    *("alloy", "blackbox", "cloudwatch-agent", "datadog-agent", "filebeat", "fluent-bit"),
    *("fluentd", "kustomize", "logstash", "otelcol", "prometheus", "prometheus-operator"),
    *("rsyslog", "splunk-forwarder", "sumo", "syslog-ng", "vector", "yace"),
)
"""Every collector that configuration is made for."""


class Destination(StrEnum):
    """Where collectors send what they have tagged.

    A collector that cannot speak to a destination is configured for the nearest that it can; its
    generator says so in the file's header.
    """

    OTLP = "otlp"
    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"
    LOKI = "loki"
    NEW_RELIC = "newrelic"
    WAVEFRONT = "wavefront"
    SPLUNK_OBSERVABILITY = "splunk-observability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    r"""A pattern of text that must not leave a host.

    ``pattern`` is a regular expression in what RE2, PCRE, Oniguruma, Rust and POSIX have in
    common (`slo.portable_regex`): no ``\b``, no look-around and no flags.
    """

    name: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How collectors are configured.

    ``endpoint`` is the default of the variable that generated files read; ``None`` means the
    destination's usual one. ``versions`` are those of collectors whose names changed.
    ``redact`` are patterns besides the built-in ones, which ``redact_builtin`` turns off.
    ``use`` names the collectors that this installation runs.
    """

    use: tuple[str, ...] = ()
    destination: Destination = Destination.OTLP
    endpoint: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    redact: tuple[Secret, ...] = ()
    redact_builtin: bool = True


HIDDEN_FIELDS = "password|passwd|secret|api_key|apikey|access_token"
"""How the names of fields end that hold secrets, as alternatives of a regular expression."""

SECRETS = (
    Secret(name="bearer-token", pattern="[Bb]earer +[A-Za-z0-9._~+/=-]+"),
    Secret(name="basic-auth", pattern="[Bb]asic +[A-Za-z0-9+/=]{8,}"),
    Secret(
        name="json-web-token",
        pattern="eyJ[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+",
    ),
    Secret(name="aws-access-key", pattern="(AKIA|ASIA)[0-9A-Z]{16}"),
    Secret(
        name="password",
        pattern=rf"""({HIDDEN_FIELDS})["']? *[:=] *["']?[^"'\s,;&}}]+""",
    ),
    Secret(name="url-password", pattern=r"://[^/\s:@]+:[^/\s@]+@"),
    Secret(
        name="payment-card",
        pattern="(4[0-9]{3}|5[1-5][0-9]{2}|3[47][0-9]{2}|6011)"
        "[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3,4}",
    ),
    Secret(name="private-key", pattern="-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)
"""What is taken out of records before they leave a host, unless the workspace says otherwise."""

MASK = "[redacted]"
"""What stands where a secret was."""
