"""Rows of telemetry as documents of a search node, and sources that read them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from app.forwarding.documents import document
from collectors.elastic.client import Cluster
from collectors.elastic.flavors import Flavor
from collectors.elastic.mappings import common, of_many, of_signal
from collectors.readers.elasticsearch import ElasticsearchTelemetry
from collectors.signals import Signal
from slo.units import Duration
from slo.workspace import ElasticsearchSource
from tests.servers.elastic import Opensearch, SearchNode
from tests.stored_rows import Row, rows_of

# What the published core of Elasticsearch lacks; a text is searched the same.
_SUBSTITUTES = {"match_only_text": "text", "constant_keyword": "keyword"}
_KINDS: Mapping[Signal, str] = {Signal.LOGS: "logs", Signal.SPANS: "traces"}
_NUMBERS = count()
_AT_ONCE = 5_000


def source_of(node: SearchNode, **more: Any) -> ElasticsearchSource:
    """A source for a node."""
    given: dict[str, Any] = {"timeout": Duration.parse("60s"), **more}
    return ElasticsearchSource(name="here", url=node.url, flavor=str(flavor_of(node)), **given)


def flavor_of(node: SearchNode) -> Flavor:
    """Whose API a node speaks."""
    return Flavor.OPENSEARCH if isinstance(node, Opensearch) else Flavor.ELASTICSEARCH


def unused(what: str) -> str:
    """A prefix of indices that no other test has."""
    return f"{what}-{next(_NUMBERS)}"


def telemetry_of(node: SearchNode, **signals: Iterable[Row]) -> ElasticsearchTelemetry:
    """A reader of a node that holds these rows alone: ``logs=…, spans=…``."""
    return ElasticsearchTelemetry(cluster_of(node, **signals))


def cluster_of(node: SearchNode, **signals: Iterable[Row]) -> Cluster:
    """A cluster whose source reads indices of these rows alone, as our forwarder writes them."""
    prefix = unused("records")
    for name, rows in signals.items():
        signal = Signal(name)
        documents = [document(signal, row) for row in rows_of(signal, list(rows)).to_pylist()]
        write(node, f"{prefix}-{_KINDS[signal]}", documents, mapping(signal, flavor_of(node)))
    return Cluster(
        source_of(node, logs_indices=(f"{prefix}-logs*",), traces_indices=(f"{prefix}-traces*",))
    )


def mapping(signal: Signal, flavor: Flavor) -> dict[str, Any]:
    """The mapping of our own streams, of many apps in one index."""
    found: dict[str, Any] = {}
    for part in (common(flavor), of_signal(_KINDS[signal], flavor), of_many()):
        found = _merged(found, part)
    return _substituted(found) if flavor is Flavor.ELASTICSEARCH else found


def write(
    node: SearchNode,
    index: str,
    documents: Sequence[Mapping[str, Any]],
    mappings: Mapping[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Create an index and put documents into it."""
    body: dict[str, Any] = {"settings": {"number_of_replicas": 0, **settings}}
    if mappings is not None:
        body["mappings"] = mappings
    node.call("PUT", f"/{index}", body)
    for first in range(0, len(documents), _AT_ONCE):
        fates = node.bulk(index, documents[first : first + _AT_ONCE])
        refused = [fate for fate in fates if fate["status"] != 201]
        assert not refused, refused[0]


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, Mapping):
            found[key] = _merged(before, value)
        else:
            found[key] = value
    return found


def _substituted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _substituted(each) for key, each in value.items()}
    return _SUBSTITUTES.get(value, value) if isinstance(value, str) else value
