"""The workspace's sources that count by queries of their own, out of its file."""

from slo.fields import Fields
from slo.loader.shapes_external import COMMON
from slo.loader.shapes_sources import NamedSources
from slo.loader.sources import build_tls, default_source
from slo.problems import Problem
from slo.units import Duration
from slo.workspace import EXTERNAL_KINDS, ExternalSource


def build_external(sources: Fields | None) -> dict[str, ExternalSource]:
    """Return these sources by reference; those that could not be read are left out."""
    found = (
        _source(kind, pair.key.value, pair.value.value)
        for kind, named in _named(sources).items()
        for pair in named.sources
    )
    return {source.reference: source for source in found if source is not None}


def default_external(sources: Fields | None, problems: list[Problem]) -> dict[str, str]:
    """Return for each kind the reference of its default source: the one named so, or the only."""
    chosen = {kind: default_source(named, problems) for kind, named in _named(sources).items()}
    return {kind: f"{kind}/{name}" for kind, name in chosen.items() if name is not None}


def _named(sources: Fields | None) -> dict[str, NamedSources]:
    if sources is None:
        return {}
    found = {kind: sources.get(kind, NamedSources) for kind in EXTERNAL_KINDS}
    return {kind: named for kind, named in found.items() if named is not None}


def _source(kind: str, name: str, fields: Fields) -> ExternalSource | None:
    timeout, lag = fields.get("timeout", Duration), fields.get("lag", Duration)
    if timeout is None or lag is None or not fields.complete:
        return None
    own = [key for key in fields if key not in COMMON]
    return ExternalSource(
        kind=kind,
        name=name,
        timeout=timeout,
        lag=lag,
        url=fields.get("url", str),
        retries=fields.need("retries", int),
        tls=build_tls(fields),
        settings={key: fields.need(key, str) for key in own},
    )
