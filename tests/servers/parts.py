"""Parts that most tests do without, each skipped by name where it is missing.

The fixtures of executables cost nothing; ``elasticsearch`` and ``opensearch`` are running nodes,
and ``search_node`` is each of them in turn.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.elastic import Elasticsearch, Opensearch, SearchNode

__all__ = [
    "alloy_syntax_bin",
    "chromium",
    "elasticsearch",
    "filebeat_bin",
    "opensearch",
    "otelcol",
    "prometheus_operator_crds",
    "rsyslog_bin",
    "search_node",
    "syslog_ng_bin",
    "thanos_bin",
    "victoria_metrics_bin",
    "vrl_bin",
]

OTELCOL_PART = "otelcol-0.159"
CHROMIUM_PART = "chromium"

Part = Callable[[str], Path]


@pytest.fixture(scope="session")
def otelcol(part: Part) -> Path:
    """The OpenTelemetry Collector with the components that Headroom configures."""
    return part(OTELCOL_PART) / "otelcol"


@pytest.fixture(scope="session")
def chromium(part: Part) -> Path:
    """A browser for Playwright's ``executable_path``; it runs headless and without a sandbox."""
    return part(CHROMIUM_PART) / "chromium"


@pytest.fixture(scope="session")
def rsyslog_bin(part: Part) -> Path:
    """The folder of rsyslogd, which finds its modules by itself."""
    return part("rsyslog-8.2302")


@pytest.fixture(scope="session")
def syslog_ng_bin(part: Part) -> Path:
    """The folder of syslog-ng and syslog-ng-ctl, which find their modules by themselves."""
    return part("syslog-ng-3.38")


@pytest.fixture(scope="session")
def victoria_metrics_bin(part: Part) -> Path:
    """The folder of victoria-metrics, vmagent and vmalert."""
    return part("victoria-metrics-1.79")


@pytest.fixture(scope="session")
def thanos_bin(part: Part) -> Path:
    """The folder of thanos, which is sidecar, querier and ruler."""
    return part("thanos-0.36")


@pytest.fixture(scope="session")
def alloy_syntax_bin(part: Part) -> Path:
    """The folder of alloy-syntax, which parses configurations of Grafana Alloy."""
    return part("alloy-syntax-0.1")


@pytest.fixture(scope="session")
def vrl_bin(part: Part) -> Path:
    """The folder of vrl, which compiles and runs programs of Vector's language."""
    return part("vrl-0.38")


@pytest.fixture(scope="session")
def filebeat_bin(part: Part) -> Path:
    """The folder of filebeat."""
    return part("filebeat-7.17")


@pytest.fixture(scope="session")
def prometheus_operator_crds(part: Part) -> Path:
    """A folder of the operator's definitions, one YAML file for each kind."""
    return part("prometheus-operator-crds-0.78") / "crds"


@pytest.fixture(scope="session")
def elasticsearch(part: Part) -> Iterator[Elasticsearch]:
    """A running node that all tests of a session share: choose names that no other test has."""
    with Elasticsearch(part("elasticsearch-8.15")) as node:
        yield node


@pytest.fixture(scope="session")
def opensearch(part: Part) -> Iterator[Opensearch]:
    """A running node that all tests of a session share: choose names that no other test has."""
    with Opensearch(part("opensearch-2.19")) as node:
        yield node


@pytest.fixture(params=["elasticsearch", "opensearch"])
def search_node(request: pytest.FixtureRequest) -> SearchNode:
    """Each of the running nodes; a session without this test starts neither."""
    node: SearchNode = request.getfixturevalue(request.param)
    return node
