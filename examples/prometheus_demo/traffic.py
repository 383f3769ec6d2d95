"""Two simulated applications: a day that has been, and hours to come."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time

from tests.servers.traffic import World, exposition, simulate
from tests.servers.traffic_model import Phase, Scenario

HOUR = 3600
SCRAPE = 15


def worlds(now: int, *, seed: int, hours: int) -> tuple[World, World]:
    """Ticketing, which a deploy broke two hours ago, and cargo, which is well."""
    past = hours * HOUR
    well, broken = {"500": 0.0002}, {"500": 0.025, "503": 0.005}
    start = now - past
    return (
        simulate(
            Scenario(
                name="ticketing",
                seed=seed,
                start=start,
                phases=(
                    *_days(past - 2 * HOUR, 12, well),
                    Phase(seconds=26 * HOUR, rps=12, errors=broken),
                ),
                job="ticketing-api",
                labels={"namespace": "ticketing"},
                histogram=True,
            )
        ),
        simulate(
            Scenario(
                name="cargo",
                seed=seed + 1,
                start=start,
                phases=(*_days(past, 5, {"500": 0.0006}), *_days(24 * HOUR, 5, {"500": 0.0006})),
                job="cargo-api",
                labels={"namespace": "cargo"},
                histogram=True,
            )
        ),
    )


def _days(seconds: int, rps: float, errors: dict[str, float]) -> list[Phase]:
    """Busy and quiet hours in turn, as long as wanted."""
    phases, busy = [], True
    while seconds > 0:
        length = min(seconds, 4 * HOUR)
        phases.append(Phase(seconds=length, rps=rps if busy else rps / 3, errors=errors))
        seconds, busy = seconds - length, not busy
    return phases


class Exporter:
    """A page of metrics as the two applications show them at this moment."""

    def __init__(self, simulated: Sequence[World]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exposition(simulated, time()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent: the terminal belongs to the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Host and port to scrape."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
