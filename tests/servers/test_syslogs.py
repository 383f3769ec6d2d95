"""rsyslog and syslog-ng run unpacked: they find their modules, check files, tag what they read."""

import json
import socket
from pathlib import Path

from tests.servers.elastic import SearchNode
from tests.servers.processes import wait_until
from tests.servers.syslogs import Rsyslog, SyslogNg, rsyslog_check, syslog_ng_check

RSYSLOG = """
global(workDirectory="{folder}")
module(load="imfile")
module(load="imtcp")
module(load="mmjsonparse")
module(load="mmkubernetes")
module(load="omelasticsearch")
template(name="tagged" type="list" option.jsonf="on") {{
  property(outname="app" name="$.app" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
ruleset(name="tag") {{
  set $.app = getenv("APP");
  action(type="omfile" file="{folder}/out" template="tagged")
  {more}
}}
input(type="imfile" file="{folder}/in" tag="app" ruleset="tag")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="tag")
"""
RSYSLOG_TO_ELASTIC = """
  action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" bulkmode="on"
         searchIndex="logs-from-rsyslog" searchType="" template="tagged"
         action.resumeRetryCount="-1")
"""
SYSLOG_NG = """
@version: 3.38
@include "scl.conf"
source s_file {{ file("{folder}/in" follow-freq(0.1) flags(no-parse)); }};
source s_network {{ network(transport("tcp") ip("127.0.0.1") port({port})); }};
destination d_file {{
  file("{folder}/out" template("$(format-json app=`APP` message=$MESSAGE)\\n"));
}};
log {{ source(s_file); source(s_network); destination(d_file); {more} }};
"""
SYSLOG_NG_TO_ELASTIC = """
destination {{
  elasticsearch-http(
    url("http://127.0.0.1:{port}/_bulk") index("logs-from-syslog-ng") type("")
    template("$(format-json app=`APP` message=$MESSAGE)")
  );
}};
"""
AIR = {"APP": "air"}


def send(port: int, line: str) -> None:
    """Send a line of syslog over TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"<13>Mar  1 12:00:00 host app: {line}\n".encode())


def read(file: Path) -> list[dict[str, str]]:
    """Return the records of a file of JSON lines, without the space that syslog leaves."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [{key: value.strip() for key, value in json.loads(line).items()} for line in lines]


def tagged(*messages: str) -> list[dict[str, str]]:
    """Return the records of messages."""
    return [{"app": "air", "message": message} for message in messages]


def test_rsyslog_tags_lines_of_a_file_and_of_a_connection(rsyslog_bin: Path) -> None:
    """All its modules are found; settings come from its environment."""
    with Rsyslog(
        rsyslog_bin,
        configure=lambda port, folder: RSYSLOG.format(port=port, folder=folder, more=""),
        environment=AIR,
    ) as daemon:
        (daemon.folder / "in").write_text("from a file\n")
        wait_until(lambda: bool(read(daemon.folder / "out")), what="a line of the file")
        send(daemon.port, "from a connection")
        wait_until(lambda: len(read(daemon.folder / "out")) == 2, what="a line of the connection")

        assert tagged("from a file", "from a connection") == read(daemon.folder / "out")


def test_syslog_ng_tags_lines_of_a_file_and_of_a_connection(syslog_ng_bin: Path) -> None:
    """Its library of configurations is found too; settings come from its environment."""

    def configure(port: int, folder: Path) -> str:
        # A file that is not there at the start is looked for a minute later.
        (folder / "in").touch()
        return SYSLOG_NG.format(port=port, folder=folder, more="")

    with SyslogNg(syslog_ng_bin, configure=configure, environment=AIR) as daemon:
        with (daemon.folder / "in").open("a") as file:
            file.write("from a file\n")
        wait_until(lambda: bool(read(daemon.folder / "out")), what="a line of the file")
        send(daemon.port, "from a connection")
        wait_until(lambda: len(read(daemon.folder / "out")) == 2, what="a line of the connection")

        assert tagged("from a file", "from a connection") == read(daemon.folder / "out")


def test_rsyslog_fills_an_index(rsyslog_bin: Path, search_node: SearchNode) -> None:
    """Debian's output speaks to either server."""
    more = RSYSLOG_TO_ELASTIC.format(port=search_node.url.rpartition(":")[2])
    with Rsyslog(
        rsyslog_bin,
        configure=lambda port, folder: RSYSLOG.format(port=port, folder=folder, more=more),
        environment=AIR,
    ) as daemon:
        (daemon.folder / "in").write_text("for the index\n")
        wait_until(lambda: bool(found(search_node, "logs-from-rsyslog")), what="a document")

    assert tagged("for the index") == found(search_node, "logs-from-rsyslog")


def test_syslog_ng_fills_an_index(syslog_ng_bin: Path, search_node: SearchNode) -> None:
    """Its HTTP module and its destination for Elasticsearch speak to either server."""
    more = SYSLOG_NG_TO_ELASTIC.format(port=search_node.url.rpartition(":")[2])

    def configure(port: int, folder: Path) -> str:
        (folder / "in").write_text("for the index\n")
        return SYSLOG_NG.format(port=port, folder=folder, more=more)

    with SyslogNg(syslog_ng_bin, configure=configure, environment=AIR):
        wait_until(lambda: bool(found(search_node, "logs-from-syslog-ng")), what="a document")

    assert tagged("for the index") == found(search_node, "logs-from-syslog-ng")


def found(node: SearchNode, index: str) -> list[dict[str, str]]:
    """Return the documents of an index, none when it is not there yet."""
    if not node.call("GET", f"/_resolve/index/{index}*")["indices"]:
        return []
    return [
        {"app": each["app"], "message": each["message"].strip()} for each in node.documents(index)
    ]


def test_rsyslog_refuses_what_it_cannot_read(rsyslog_bin: Path, tmp_path: Path) -> None:
    """The check accepts the configuration above and names the line of a fault."""
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    good.write_text(RSYSLOG.format(port=514, folder=tmp_path, more=""))
    bad.write_text(good.read_text() + 'action(type="omnothing")\n')

    accepted, refused = rsyslog_check(rsyslog_bin, good), rsyslog_check(rsyslog_bin, bad)

    assert accepted.ok, accepted.output
    assert not refused.ok
    assert "omnothing" in refused.output


def test_syslog_ng_refuses_what_it_cannot_read(syslog_ng_bin: Path, tmp_path: Path) -> None:
    """The check accepts the configuration above and shows the place of a fault."""
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    text = SYSLOG_NG.format(port=514, folder=tmp_path, more="").replace("`APP`", "air")
    good.write_text(text)
    bad.write_text(text + 'destination d_bad { nothing("x"); };\n')

    accepted, refused = syslog_ng_check(syslog_ng_bin, good), syslog_ng_check(syslog_ng_bin, bad)

    assert accepted.ok, accepted.output
    assert not refused.ok
    assert f"{bad}:{len(text.splitlines()) + 1}:" in refused.output
