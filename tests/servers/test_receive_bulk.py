"""Collectors that speak to Elasticsearch send to Headroom instead, unchanged."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AuthenticationException, Elasticsearch, helpers

from collectors.signals import Signal
from tests.servers.filebeat import Filebeat
from tests.servers.processes import wait_until
from tests.servers.syslogs import Rsyslog, SyslogNg
from tests.unit.app.api.serving import WORKSPACE, Running, serving

TOKEN = "token-" + "t" * 26
TICKETING = {
    "labels": {"app": "ticketing"},
    "service": {"name": "ticketing-api", "environment": "prod"},
}
OWNER = {"app": "ticketing", "env": "prod", "component": "api"}
OWNED = "app, env, component, body"

RSYSLOG = """
global(workDirectory="{folder}")
module(load="imfile")
module(load="omelasticsearch")
template(name="tagged" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  constant(outname="labels.app" value="ticketing" format="jsonf")
  constant(outname="service.name" value="ticketing-api" format="jsonf")
  constant(outname="service.environment" value="prod" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
ruleset(name="ship") {{
  action(type="omelasticsearch" server="{url}/elastic" bulkmode="on" esVersion.major="8"
         searchIndex="logs-ticketing.api-prod" searchType="" template="tagged"
         writeoperation="create" uid="headroom" pwd="{token}"
         errorFile="{folder}/errors" action.resumeRetryCount="-1")
}}
input(type="imfile" file="{folder}/in" tag="app" ruleset="ship")
"""
SYSLOG_NG = """
@version: 3.38
@include "scl.conf"
source s_file {{ file("{folder}/in" follow-freq(0.1) flags(no-parse)); }};
destination d_headroom {{
  elasticsearch-http(
    url("{url}/elastic/_bulk") index("logs-ticketing.api-prod") type("")
    user("headroom") password("{token}") batch-lines(100) batch-timeout(200)
    template("$(format-json labels.app=ticketing service.name=ticketing-api
service.environment=prod message=$MESSAGE @timestamp=$ISODATE)")
  );
}};
log {{ source(s_file); destination(d_headroom); }};
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "token").write_text(TOKEN)
    workspace = f"{WORKSPACE}  serve: {{ingestTokens: [{{file: token}}]}}\n"
    with serving(tmp_path, workspace=workspace) as running:
        yield running


def bodies(server: Running) -> list[str]:
    return [row["body"].strip() for row in server.rows(Signal.LOGS, "body")]


def owned(*lines: str) -> list[dict[str, str]]:
    return [{**OWNER, "body": line} for line in lines]


def stripped(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "body": row["body"].strip()} for row in found]


class TestTheOfficialClient:
    """Client 8, which refuses a server that does not say that it is Elasticsearch."""

    def test_it_creates_documents_and_hears_of_each(self, server: Running) -> None:
        """As many as it sent are stored, under their application; the server says who it is."""
        with Elasticsearch(f"{server.url}/elastic", api_key=TOKEN) as client:
            assert "8.15.0" == client.info()["version"]["number"]
            assert client.ping()
            assert "green" == client.cluster.health()["status"]
            assert not client.indices.exists_index_template(name="logs")
            stored, failed = helpers.bulk(
                client,
                (
                    {"_op_type": "create", "@timestamp": 1_760_000_000_000 + n, "message": f"m {n}"}
                    | TICKETING
                    for n in range(1200)
                ),
                index="logs-ticketing.api-prod",
            )

        assert (1200, []) == (stored, failed)
        assert owned(*(f"m {n}" for n in range(1200))) == server.rows(Signal.LOGS, OWNED)

    def test_a_refused_document_is_told_as_elasticsearch_tells_it(self, server: Running) -> None:
        """One error for the span, with the way that spans take; its neighbours are stored."""
        actions: list[bytes | str | dict[str, Any]] = [
            {"_op_type": "create", "_index": "logs-a-prod", "message": "kept", "@timestamp": 1},
            {"_op_type": "create", "_index": "traces-a-prod", "message": "a span"},
        ]
        with Elasticsearch(
            f"{server.url}/elastic", basic_auth=("anybody", TOKEN), http_compress=True
        ) as client:
            stored, failed = helpers.bulk(client, actions, raise_on_error=False)

        assert isinstance(failed, list)
        assert (1, [400]) == (stored, [each["create"]["status"] for each in failed])
        assert "/v1/traces" in failed[0]["create"]["error"]["reason"]
        assert ["kept"] == bodies(server)

    def test_a_wrong_token_is_an_authentication_error(self, server: Running) -> None:
        """The client knows the error by its status."""
        with (
            Elasticsearch(f"{server.url}/elastic", api_key="wrong") as client,
            pytest.raises(AuthenticationException),
        ):
            client.info()


def test_filebeat_ships_a_file(filebeat_bin: Path, server: Running) -> None:
    """The real one, with its license check, compression and an API key of two parts."""

    def configure(_port: int, folder: Path) -> str:
        fields = {"target": "", "fields": TICKETING}
        return json.dumps(
            {
                "filebeat.inputs": [
                    {
                        "type": "filestream",
                        "id": "ticketing",
                        "paths": [f"{folder}/in"],
                        "prospector.scanner.check_interval": "200ms",
                        "processors": [{"add_fields": fields}],
                    }
                ],
                "output.elasticsearch": {
                    "hosts": [f"{server.url}/elastic"],
                    "index": "logs-ticketing.api-prod",
                    "api_key": f"headroom:{TOKEN}",
                    "compression_level": 5,
                },
                "setup.template.enabled": False,
                "setup.ilm.enabled": False,
                "queue.mem.flush.timeout": "0s",
            }
        )

    lines = [f"line {number}" for number in range(500)]
    with Filebeat(filebeat_bin, configure=configure) as beat:
        (beat.folder / "in").write_text("".join(f"{line}\n" for line in lines))
        wait_until(lambda: len(bodies(server)) >= 500, what="the lines", timeout=60)

    found = stripped(server.rows(Signal.LOGS, OWNED))
    assert sorted(owned(*lines), key=str) == sorted(found, key=str)


def test_rsyslog_ships_a_file(rsyslog_bin: Path, server: Running) -> None:
    """By omelasticsearch, as Debian has it."""
    with Rsyslog(
        rsyslog_bin,
        configure=lambda _port, folder: RSYSLOG.format(folder=folder, url=server.url, token=TOKEN),
    ) as daemon:
        lines = [f"line {number}" for number in range(200)]
        (daemon.folder / "in").write_text("".join(f"{line}\n" for line in lines))
        wait_until(lambda: len(bodies(server)) >= 200, what="the lines", timeout=60)

        assert not (daemon.folder / "errors").exists()
    found = stripped(server.rows(Signal.LOGS, OWNED))
    assert sorted(owned(*lines), key=str) == sorted(found, key=str)


def test_syslog_ng_ships_a_file(syslog_ng_bin: Path, server: Running) -> None:
    """By its destination for Elasticsearch, in batches."""
    lines = [f"line {number}" for number in range(200)]

    def configure(_port: int, folder: Path) -> str:
        (folder / "in").write_text("".join(f"{line}\n" for line in lines))
        return SYSLOG_NG.format(folder=folder, url=server.url, token=TOKEN)

    with SyslogNg(syslog_ng_bin, configure=configure):
        wait_until(lambda: len(bodies(server)) >= 200, what="the lines", timeout=60)

    found = stripped(server.rows(Signal.LOGS, OWNED))
    assert sorted(owned(*lines), key=str) == sorted(found, key=str)
