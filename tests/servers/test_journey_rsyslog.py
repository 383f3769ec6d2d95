"""The same number through rsyslog: a file and syslog, by our configuration, to either place.

What goes to Headroom is in its store and forwarded to the cluster; what goes to the cluster
directly is read from there.
"""

import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.served import served
from tests.servers.elastic import Opensearch, SearchNode
from tests.servers.journey import BAD, COUNT, Place, Request, arriving
from tests.servers.processes import wait_until
from tests.servers.syslogs import Rsyslog

NOTHING = (None, None)


def daemon(binaries: Path, place: Place, files: Path, endpoint: str) -> Rsyslog:
    """An rsyslog over the generated files, with every variable that they read."""
    state = place.folder / "state"
    state.mkdir()
    variables = {
        "HEADROOM_STATE": str(state),
        "HEADROOM_CONFIG": str(files),
        "HEADROOM_HOST": "tick-1",
        "HEADROOM_SYSLOG_ADDRESS": "127.0.0.1",
    }
    for name in ("HEADROOM", "ELASTICSEARCH"):
        variables[f"{name}_ENDPOINT"] = endpoint
        variables[f"{name}_USERNAME"] = "headroom"
    variables |= {"HEADROOM_TOKEN": "none", "ELASTICSEARCH_PASSWORD": "none"}

    def configure(port: int, _: Path) -> str:
        made.environment["HEADROOM_SYSLOG_PORT"] = str(port)
        return (files / "rsyslog.conf").read_text()

    made = Rsyslog(binaries, configure=configure, environment=variables)
    return made


def tell(place: Place, port: int) -> Sequence[Request]:
    """Every other hundreds of requests go to the file, the others by syslog over TCP."""
    made: list[Request] = []
    for place_of, some in enumerate(arriving()):
        if place_of % 2:
            with place.log.open("a") as file:
                file.writelines(f"{each.line()}\n" for each in some)
        else:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
                lead = f"<14>1 - lb-1 {place.filed}-in 7 - -"
                link.sendall("".join(f"{lead} {each.line()}\n" for each in some).encode())
        made += some
    return made


@pytest.mark.parametrize("direct", [False, True], ids=["through-headroom", "direct"])
def test_one_number_through_rsyslog(
    search_node: SearchNode, rsyslog_bin: Path, tmp_path: Path, *, direct: bool
) -> None:
    """Every line is counted once, wherever it is counted, and so is every failure."""
    place = Place(tmp_path, search_node)
    flavor = "opensearch" if isinstance(search_node, Opensearch) else "elasticsearch"
    place.know(destination=flavor if direct else "otlp")
    files = place.generate("rsyslog") / "rsyslog" / "prod"
    place.publish()
    stream = f"logs-{place.filed}.gate-prod"

    def count() -> int:
        # A stream is there from its first document on.
        if not search_node.call("GET", f"/_resolve/index/{stream}*")["data_streams"]:
            return 0
        search_node.call("POST", f"/{stream}/_refresh")
        return int(search_node.call("GET", f"/{stream}/_count")["count"])

    with served(tmp_path) as server:
        endpoint = search_node.url if direct else server.url
        with daemon(rsyslog_bin, place, files, endpoint) as rsyslog:
            made = tell(place, rsyslog.port)
            wait_until(lambda: count() >= COUNT, timeout=60, what=f"{COUNT} documents")
            found = place.numbers(time.time(), place.filed)

    assert (COUNT, BAD) == (len(made), sum(each.failed for each in made))
    stored = NOTHING if direct else (COUNT, BAD)
    assert {("lines", "store"): stored, ("lines", "cluster"): (COUNT, BAD)} == found
    assert COUNT == count()
    (one,) = search_node.documents(stream, {"term": {"trace.id": f"{36 + 1:032x}"}})
    assert "request 36" == one["message"]
    assert not (tmp_path / "state" / "dead-letters.jsonl").exists()
