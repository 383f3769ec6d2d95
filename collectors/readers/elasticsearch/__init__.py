"""Reader of Elasticsearch and OpenSearch: logs, traces, and counts of them."""

from collectors.readers.elasticsearch.counts import ElasticsearchCounts
from collectors.readers.elasticsearch.telemetry import ElasticsearchTelemetry

__all__ = ["ElasticsearchCounts", "ElasticsearchTelemetry"]
