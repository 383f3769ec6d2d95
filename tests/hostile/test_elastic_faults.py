"""A cluster that leads astray, and redirects of it: nobody else is asked, and nothing is lost."""

import json
from datetime import UTC, datetime

import pytest

from app.forwarding.documents import Document
from app.forwarding.sending import send
from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch import ElasticsearchCounts, ElasticsearchTelemetry
from collectors.readers.telemetry import LogQuery
from slo.errors import SourceError, SourceUnavailable
from slo.model import Logs
from slo.ports import NoData, NoDataReason
from slo.units import Duration
from slo.workspace import ElasticsearchSource
from tests.contract.levels import level
from tests.servers.loopback import Loopback, Reply
from tests.stored_rows import NOON, SECOND, asking

AT = datetime.fromtimestamp(NOON // SECOND + 3600, UTC)
DOCUMENTS = [Document(index="logs-a-prod", id=str(n), text=json.dumps({"n": n})) for n in range(3)]
ASTRAY = (
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:9200/_x",
    "//127.0.0.1:1/elsewhere",
    "/_security/_authenticate",
)


def cluster(url: str) -> Cluster:
    """A cluster at an address."""
    source = ElasticsearchSource(
        name="here", url=url, timeout=Duration.parse("5s"), layout="headroom"
    )
    return Cluster(source, environ={})


def leading(place: str, status: int = 302) -> Reply:
    """An answer that leads somewhere else."""
    return Reply(status=status, headers={"Location": place, "X-Elastic-Product": "Elasticsearch"})


@pytest.mark.parametrize("place", ASTRAY)
def test_no_redirect_of_a_cluster_is_followed(place: str) -> None:
    """Neither by readers nor by what is sent: credentials and records stay where they belong."""
    asked = level("x", window="1d", measure=Logs(query="x", bad="y"))
    with Loopback([leading(place)]) as server:
        here = cluster(server.url)
        with pytest.raises(SourceUnavailable, match="redirects"):
            ElasticsearchTelemetry(here).logs(LogQuery(where=asking()))
        period = ElasticsearchCounts(here).read([asked], (), AT)[asked.key].period
        fates = send(here, DOCUMENTS)

    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED is period.reason
    assert (0, (), 3) == (fates.taken, fates.refused, len(fates.again))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_another_host_never_hears_of_a_redirect(status: int) -> None:
    """The target is a live server that must stay unasked, and its address is not repeated."""
    with Loopback([Reply(body=b"{}")]) as other:
        place = f"{other.url}/login?state=secret"
        with Loopback([leading(place, status)]) as server:
            here = cluster(server.url)
            with pytest.raises(SourceError) as caught:
                here.search("logs-*", {})
            fates = send(here, DOCUMENTS)
        assert [] == other.asked

    assert "secret" not in f"{caught.value} {caught.value.hint} {fates.trouble}"
    assert 3 == len(fates.again)
