"""What `headroom serve` keeps, takes, shows and charges: its part of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import TYPE_CHECKING

from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    from slo.workspace import BasicAuth, Tls

SIGNALS = ("metrics", "logs", "spans", "deploys")
"""The signals that the embedded store holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long one signal is kept: by age, by bytes on disk, or by whichever comes first."""

    age: Duration | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestToken:
    """A file with a token; who sends it may store telemetry, of ``app`` alone if that is named."""

    file: str
    app: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProxy:
    """A proxy that signs people in, and the headers in which it names them and their groups.

    ``addresses`` are those it speaks from; the headers mean nothing from anywhere else.
    """

    user_header: str
    groups_header: str | None = None
    addresses: tuple[str, ...] = ("127.0.0.1", "::1")


FORWARDED = ("logs", "spans")
"""The signals that can be forwarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where what the store receives is sent on to: the name of an Elasticsearch source."""

    elasticsearch: str
    signals: tuple[str, ...] = FORWARDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How events become counters: how often they are counted, and how late they may be.

    Without ``lag`` it is five minutes for log records and spans, and what their source says for
    others.
    """

    interval: Duration = Duration.of(seconds=15)
    lag: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWrite:
    """A server that is sent counters by Prometheus remote write, and how to reach it."""

    url: str
    interval: Duration
    timeout: Duration
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer_token_file: str | None = None
    basic_auth: BasicAuth | None = None
    tls: Tls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Who may send to the server and who may look. ``roles`` is a file."""

    ingest_tokens: tuple[IngestToken, ...] = ()
    trusted_proxy: TrustedProxy | None = None
    roles: str | None = None
    forward: Forward | None = None
    counting: Counting = field(default_factory=Counting)
    remote_write: RemoteWrite | None = None

    @property
    def open(self) -> bool:
        """Whether nobody is asked who they are."""
        return self.trusted_proxy is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a month of one signal costs, by each of the amounts that are charged for."""

    per_gibibyte: Decimal = Decimal(0)
    per_million_records: Decimal = Decimal(0)
    per_thousand_series: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices by signal, in one currency."""

    currency: str
    prices: Mapping[str, Price] = field(default_factory=dict)
