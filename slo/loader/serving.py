"""The server's part of the workspace out of its file."""

from collections.abc import Collection
from decimal import Decimal

from slo.fields import Fields
from slo.loader.sources import build_basic_auth, build_headers, build_tls
from slo.printable import quote
from slo.problems import Problem, error
from slo.serving import (
    Counting,
    Forward,
    IngestToken,
    Price,
    PriceTable,
    RemoteWrite,
    Retention,
    Serving,
    TrustedProxy,
)
from slo.suggest import did_you_mean
from slo.units import Duration

_UNITS = {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def build_retention(store: Fields | None) -> dict[str, Retention]:
    """Return how long each signal is kept."""
    if store is None:
        return {}
    return {
        signal: Retention(age=fields.get("age", Duration), size=_bytes(fields.get("size", str)))
        for signal, fields in store.mapping("retention", Fields).items()
    }


def build_serving(fields: Fields | None, problems: list[Problem]) -> Serving:
    """Return who may send and who may look."""
    if fields is None:
        return Serving()
    return Serving(
        ingest_tokens=tuple(
            IngestToken(file=each.need("file", str), app=each.get("app", str))
            for each in fields.each("ingestTokens", Fields)
            if each.get("file", str) is not None
        ),
        trusted_proxy=_proxy(fields.get("trustedProxy", Fields)),
        roles=fields.get("roles", str),
        forward=_forward(fields.get("forward", Fields)),
        counting=_counting(fields.get("counters", Fields)),
        remote_write=_remote_write(fields.get("remoteWrite", Fields), problems),
    )


def build_costs(fields: Fields | None) -> PriceTable | None:
    """Return the price table, if there is a whole one."""
    currency = None if fields is None else fields.get("currency", str)
    if fields is None or currency is None:
        return None
    return PriceTable(
        currency=currency,
        prices={
            signal: Price(
                per_gibibyte=each.get("perGibibyte", Decimal) or Decimal(0),
                per_million_records=each.get("perMillionRecords", Decimal) or Decimal(0),
                per_thousand_series=each.get("perThousandSeries", Decimal) or Decimal(0),
            )
            for signal, each in fields.mapping("prices", Fields).items()
        },
    )


def check_forward(fields: Fields | None, names: Collection[str], problems: list[Problem]) -> None:
    """Report a place to forward to that is none of the Elasticsearch sources."""
    found = None if fields is None else fields.get("forward", Fields)
    name = None if found is None else found.get("elasticsearch", str)
    if found is None or name is None or name in names:
        return
    message = f"there is no Elasticsearch source {quote(name)}{did_you_mean(name, names)}"
    hint = "define it under sources.elasticsearch"
    span = found.span("elasticsearch")
    problems.append(error("spec/unknown-source", message, span, hint=hint))


def _forward(fields: Fields | None) -> Forward | None:
    name = None if fields is None else fields.get("elasticsearch", str)
    if fields is None or name is None:
        return None
    signals = fields.each("signals", str)
    return Forward(elasticsearch=name, signals=signals) if signals else Forward(elasticsearch=name)


def _counting(fields: Fields | None) -> Counting:
    interval = None if fields is None else fields.get("interval", Duration)
    if fields is None or interval is None:
        return Counting()
    return Counting(interval=interval, lag=fields.get("lag", Duration))


def _remote_write(fields: Fields | None, problems: list[Problem]) -> RemoteWrite | None:
    if fields is None:
        return None
    headers = build_headers(fields, problems)
    if not fields.complete:
        return None
    return RemoteWrite(
        url=fields.need("url", str),
        interval=fields.need("interval", Duration),
        timeout=fields.need("timeout", Duration),
        headers=headers,
        bearer_token_file=fields.get("bearerTokenFile", str),
        basic_auth=build_basic_auth(fields),
        tls=build_tls(fields),
    )


def _proxy(fields: Fields | None) -> TrustedProxy | None:
    header = None if fields is None else fields.get("userHeader", str)
    if fields is None or header is None:
        return None
    groups, addresses = fields.get("groupsHeader", str), fields.each("addresses", str)
    if addresses:
        return TrustedProxy(user_header=header, groups_header=groups, addresses=addresses)
    return TrustedProxy(user_header=header, groups_header=groups)


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text[:-3]) * _UNITS[text[-3:]]
