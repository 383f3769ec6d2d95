"""The workspace's sources out of its file."""

from collections.abc import Callable
from typing import TypeVar

from slo.fields import Fields, Pair
from slo.loader.intake import Intake
from slo.loader.shapes_sources import NamedSources
from slo.printable import quote
from slo.suggest import did_you_mean
from slo.units import Duration
from slo.workspace import (
    BasicAuth,
    ElasticsearchSource,
    OAuth2,
    PrometheusSource,
    SigV4,
    Tls,
)

T = TypeVar("T")

_TIMEOUT = Duration.of(seconds=10)
_SECRET_HEADERS = {
    "authorization": "bearerTokenFile, basicAuth or another way to prove who asks",
    "cookie": "bearerTokenFile",
    "proxy-authorization": "bearerTokenFile",
}


def build_sources(
    named: NamedSources | None,
    build: Callable[[Pair[Fields], list[str]], T | None],
    problems: Intake,
) -> tuple[dict[str, T], str | None]:
    """Return sources."""
    raise NotImplementedError
