"""The counters by Prometheus remote write: sampled, kept while nobody takes them, sent in order."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from threading import Event, Lock, Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from app.telemetry import Telemetry
from collectors.readers.prometheus.auth import credentials
from collectors.readers.prometheus.clock import Clock
from collectors.receive.remote_write_request import HEADERS, Written, write_request
from slo import naming
from slo.errors import SourceError
from slo.model import SloKey
from slo.printable import printable
from slo.records import dataclass
from slo.serving import RemoteWrite
from slo.workspace import PrometheusSource, Tls

NAME = "remote write"
MOST_SAMPLES = 100_000
"""How many samples wait in memory at most."""

_LOG = logging.getLogger("headroom.counters")
_NAMES = (naming.EVENTS_TOTAL, naming.GOOD_EVENTS_TOTAL)
_MS = 1_000_000
_TAKEN = range(200, 300)
# What is wrong with samples themselves; credentials and addresses are mended by somebody.
_REFUSED = frozenset(range(400, 500)) - {401, 403, 404, 408, 429}
_MOST_SENT = 2000
_LONGEST_WORDS = 300

Values = Mapping[SloKey, tuple[Fraction, Fraction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What all counters said at one moment, in Unix milliseconds."""

    at: int
    values: Values

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return len(_NAMES) * len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How long to wait after a failure, in seconds: ``first`` doubles to ``longest``."""

    first: float = 1.0
    longest: float = 60.0


class Writing:
    """Sends what ``read`` returns; ``clock`` gives Unix nanoseconds.

    What is not taken waits in memory, the oldest goes first when there is too much. Counters are
    sums: a restart loses moments that waited, and no events.
    """

    def __init__(
        self,
        settings: RemoteWrite,
        read: Callable[[], Values],
        *,
        clock: Callable[[], int],
        telemetry: Telemetry,
        environ: Mapping[str, str],
        pauses: Pauses | None = None,
        most: int = MOST_SAMPLES,
    ) -> None:
        self._settings = settings
        self._read = read
        self._clock = clock
        self._telemetry = telemetry
        self._pauses = pauses or Pauses()
        self._most = most
        self._session = _session(settings, environ)
        self._waiting: deque[Moment] = deque()
        self._guard = Lock()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="counters-write", daemon=True)
        self.trouble: str | None = None
        """Why nothing is sent at the moment, ``None`` while all is well."""
        for name in ("samples", "dropped", "retries"):
            telemetry.count(f"headroom_remote_write_{name}_total", 0)
        telemetry.watch("headroom_remote_write_waiting_samples", lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """How many samples wait."""
        with self._guard:
            return sum(each.samples for each in self._waiting)

    def begin(self) -> None:
        """Start to send."""
        self._thread.start()

    def close(self, patience: float = 10.0) -> None:
        """Send what waits, once, and end."""
        self._stopping.set()
        self._thread.join(patience)
        self._session.close()

    def _run(self) -> None:
        interval = float(self._settings.interval.seconds)
        tries, again = 0, 0.0
        due = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= due:
                self._sample()
                due = max(due + interval, now)
            if now >= again:
                sent = self._send_all()
                tries = 0 if sent else tries + 1
                again = 0.0 if sent else time.monotonic() + self._pause(tries)
            self._stopping.wait(max(0.05, min(due, again or due) - time.monotonic()))
        self._sample()
        self._send_all()

    def _pause(self, tries: int) -> float:
        pause = min(self._pauses.longest, self._pauses.first * 2.0 ** min(tries - 1, 30))
        return pause * (0.5 + random.random())  # noqa: S311 - no secret

    def _sample(self) -> None:
        values = self._read()
        if not values:
            return
        with self._guard:
            self._waiting.append(Moment(at=self._clock() // _MS, values=values))
            held = sum(each.samples for each in self._waiting)
            while held > self._most and len(self._waiting) > 1:
                lost = self._waiting.popleft().samples
                held -= lost
                self._telemetry.count("headroom_remote_write_dropped_total", lost)

    def _send_all(self) -> bool:
        """Send what waits in requests of bounded size; tell whether nothing is left to retry."""
        while True:
            with self._guard:
                batch = _first(self._waiting)
            if not batch:
                return True
            if not self._send(batch):
                return False
            with self._guard:
                done = set(map(id, batch))
                self._waiting = deque(each for each in self._waiting if id(each) not in done)

    def _send(self, batch: Sequence[Moment]) -> bool:
        """Send moments; tell whether they are done with, taken or refused for good."""
        count = sum(each.samples for each in batch)
        try:
            status, words = self._post(write_request(series(batch), counters=_NAMES))
        except (requests.RequestException, SourceError, OSError) as error:
            self._tell(printable(str(error))[:_LONGEST_WORDS])
            return False
        if status in _TAKEN:
            self._telemetry.count("headroom_remote_write_samples_total", count)
            if self.trouble is not None:
                _LOG.warning("%s goes on", NAME)
                self.trouble = None
            return True
        said = f"{NAME} was answered {status}: {words}"
        if status not in _REFUSED:
            self._tell(said)
            return False
        _LOG.warning("%d samples are lost: %s", count, said)
        self._telemetry.count("headroom_remote_write_dropped_total", count)
        return True

    def _post(self, body: bytes) -> tuple[int, str]:
        answer = self._session.post(
            self._settings.url,
            data=body,
            headers=dict(HEADERS),
            timeout=float(self._settings.timeout.seconds),
            allow_redirects=False,
            stream=True,
        )
        with answer:
            words = next(answer.iter_content(_LONGEST_WORDS), b"")
            return answer.status_code, printable(words.decode(errors="replace").strip())

    def _tell(self, trouble: str) -> None:
        self._telemetry.count("headroom_remote_write_retries_total")
        if self.trouble is None:
            _LOG.warning("counters wait to be sent: %s", trouble)
        self.trouble = trouble


def series(moments: Sequence[Moment]) -> list[Written]:
    """Moments as series, whose samples are in the order of time."""
    found: dict[tuple[str, SloKey], list[tuple[int, float]]] = {}
    for moment in moments:
        for key, values in moment.values.items():
            for name, value in zip(_NAMES, values, strict=True):
                found.setdefault((name, key), []).append((moment.at, float(value)))
    return [
        Written(labels={"__name__": name, **naming.identity(key)}, samples=samples)
        for (name, key), samples in found.items()
    ]


def _first(waiting: Sequence[Moment]) -> list[Moment]:
    """The oldest moments, as many as one request takes, and one at least."""
    found: list[Moment] = []
    size = 0
    for each in waiting:
        size += each.samples
        if found and size > _MOST_SENT:
            break
        found.append(each)
    return found


def _session(settings: RemoteWrite, environ: Mapping[str, str]) -> requests.Session:
    tls = settings.tls or Tls()
    # Who sends is proven as it is to a server that is asked.
    same = PrometheusSource(
        name=NAME,
        url=settings.url,
        timeout=settings.timeout,
        bearer_token_file=settings.bearer_token_file,
        basic_auth=settings.basic_auth,
    )
    session = requests.Session()
    session.auth = credentials(same, Clock(), environ)
    session.headers.update({"User-Agent": "headroom", **settings.headers})
    session.verify = False if tls.insecure_skip_verify else (tls.ca_file or True)
    if tls.cert_file:
        session.cert = (tls.cert_file, tls.key_file) if tls.key_file else tls.cert_file
    if tls.server_name:
        session.mount("https://", _Named(tls.server_name))
    return session


class _Named(HTTPAdapter):
    """Expects a certificate that carries another name than the address."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Ask for that name."""
        super().init_poolmanager(
            *args, **kwargs, server_hostname=self._name, assert_hostname=self._name
        )
