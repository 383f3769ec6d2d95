"""Alerts and receivers for tests of notifications, and a post box on loopback."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.evaluator.alerting import Alert, Stage

NOW = 1_767_225_600_000
SECOND, MINUTE = 1000, 60_000


class Post:
    """What was posted; ``statuses`` are answered in turn, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.headers: dict[str, str] = {}
        self.bodies: list[Any] = []
        self.attempts = 0
        self.elsewhere = ""
        self.url = ""


@contextmanager
def post_box(*statuses: int) -> Iterator[Post]:
    """Take JSON posts for the block."""
    post = Post(*statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = post.statuses[min(post.attempts, len(post.statuses) - 1)]
            post.attempts += 1
            post.headers = dict(self.headers.items())
            if status == 200:
                post.bodies.append(body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", post.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        post.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield post
        finally:
            server.shutdown()
            thread.join()


def alert(
    *,
    app: str = "ticketing",
    team: str = "bookings",
    severity: str = "page",
    long: str = "1h",
    name: str = "ErrorBudgetBurn",
    stage: Stage = Stage.FIRING,
    at_ms: int = NOW,
) -> Alert:
    """An alert of the usual labels."""
    return Alert(
        labels={
            "alertname": name,
            "app": app,
            "env": "prod",
            "slo": "availability",
            "team": team,
            "severity": severity,
            "long": long,
        },
        annotations={
            "summary": f"burns <fast> over {long}",
            "description": "9 % were bad",
            "runbook_url": "https://runbooks.example.com/x",
        },
        value=0.09,
        stage=stage,
        active_at=at_ms,
        fired_at=None if stage is Stage.PENDING else at_ms,
        resolved_at=at_ms + MINUTE if stage is Stage.RESOLVED else None,
    )


def soon(condition: Callable[[], bool], *, within: float = 15) -> None:
    """Wait until a condition holds; fails when it does not."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
