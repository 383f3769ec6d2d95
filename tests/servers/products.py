"""What tests of other products' adapters share: sources on loopback, steps, answers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.readers.external.port import Steps
from collectors.readers.prometheus import Clock
from slo.units import Duration
from slo.workspace import ExternalSource
from tests.servers.loopback import FakeTime, Reply

START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
FIVE = Duration.of(minutes=5)
STEP_MS = FIVE.milliseconds


def steps(count: int, step: Duration = FIVE) -> Steps:
    """So many steps from the start on."""
    return Steps(start=START, step=step, count=count)


def source(kind: str, url: str | None, **more: Any) -> ExternalSource:
    """A source of a kind; settings are those that name no secrets."""
    usual: dict[str, Any] = {
        "kind": kind,
        "name": "main",
        "url": url,
        "timeout": Duration.of(seconds=5),
        "lag": Duration.of(minutes=2),
    }
    return ExternalSource(**{**usual, **more})


def clock(fake: FakeTime | None = None) -> Clock:
    """A clock that does not wait, and draws the middle of every jitter."""
    held = fake or FakeTime()
    return Clock(monotonic=held.monotonic, sleep=held.sleep, now=lambda: START, jitter=lambda: 0.5)


def reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer JSON."""
    return Reply(
        status=status,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
