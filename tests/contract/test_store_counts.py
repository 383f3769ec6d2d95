"""The contract of readers, held by the embedded store for metrics, logs and spans."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.clusters import MultiSourceReader
from collectors.readers.store import StoreCounts
from collectors.signals import Signal
from collectors.store import StoreReader, StoreWriter
from slo.model import Logs, ServiceLevel, Spans
from slo.ports import CountReader, Counts
from tests.contract.count_reader import CountReaderContract
from tests.contract.levels import events, level
from tests.servers.recorded import Recording
from tests.stored_rows import NOON, SECOND, log, rows_of, span
from tests.stored_series import load

END = NOON // SECOND
SCRAPE = 30
DAYS = 2
STEP = 60


@dataclass(frozen=True)
class Kind:
    """One kind of indicator, over the same traffic."""

    name: str

    def level(self, name: str) -> ServiceLevel:
        """Busy, idle, or unknown."""
        app = "nobody" if name == "unknown" else "ticketing"
        if self.name == "metrics":
            total = f'requests_total{{job="{name}"}}'
            measure = events(total, f'requests_total{{job="{name}",code="500"}}')
            return level(name, app=app, window="1d", measure=measure)
        if self.name == "logs":
            logs = Logs(query=f"event: {name}", bad="level: error")
            return level(name, app=app, window="1d", measure=logs)
        spans = Spans(service=name, bad_error=True)
        return level(name, app=app, window="1d", measure=spans)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two days of counters, log lines and spans; one in a hundred is bad."""
    made = tmp_path_factory.mktemp("contract")
    recording = Recording()
    for job, rate in (("busy", 10), ("idle", 0)):
        for code, share in (("200", 0.99), ("500", 0.01)):
            labels = {"job": job, "instance": "a", "code": code}
            times = range(END - DAYS * 86_400, END + 1, SCRAPE)
            points = [(float(at), n * rate * SCRAPE * share) for n, at in enumerate(times)]
            recording.add("requests_total", labels, points)
    recording.write(made / "series.txt")
    load(made / "series.txt", made / "store")
    with StoreWriter(made / "store") as writer:
        places = range(DAYS * 86_400 // STEP)
        lines = [log("x", -STEP * n, event="busy", severity=9 if n % 100 else 17) for n in places]
        spans = [
            span(n, -STEP * n, service="busy", status="unset" if n % 100 else "error")
            for n in places
        ]
        writer.append(Signal.LOGS, rows_of(Signal.LOGS, lines))
        writer.append(Signal.SPANS, rows_of(Signal.SPANS, spans))
    return made / "store"


@pytest.fixture(scope="module")
def opened(folder: Path) -> Iterator[StoreReader]:
    """The store, opened once."""
    reader = StoreReader(folder, threads=1)
    yield reader
    reader.close()


class TestStoreCounts(CountReaderContract):
    """Indicators over metrics, logs and spans, alone and as one of several sources."""

    @pytest.fixture(params=["metrics", "logs", "spans"])
    def kind(self, request: pytest.FixtureRequest) -> Kind:
        """What is counted."""
        return Kind(request.param)

    @pytest.fixture(params=[False, True], ids=["alone", "summed"])
    def reader(self, request: pytest.FixtureRequest, opened: StoreReader) -> CountReader:
        """A reader of the store."""
        counts = StoreCounts(opened, default_source="store")
        if request.param:
            return MultiSourceReader({"store": counts}, default="store")
        return counts

    @pytest.fixture
    def at(self) -> datetime:
        """The end of what is stored."""
        return datetime.fromtimestamp(END, UTC)

    @pytest.fixture
    def busy(self, kind: Kind) -> ServiceLevel:
        """Traffic."""
        return kind.level("busy")

    @pytest.fixture
    def idle(self, kind: Kind) -> ServiceLevel:
        """Nothing but the knowledge that there was nothing."""
        return kind.level("idle")

    @pytest.fixture
    def unknown(self, kind: Kind) -> ServiceLevel:
        """Nothing at all."""
        return kind.level("unknown")

    def test_a_day_is_counted_exactly(
        self, reader: CountReader, kind: Kind, busy: ServiceLevel, at: datetime
    ) -> None:
        """Every event of the window, once."""
        found = self._read(reader, busy, self.WINDOWS, at)
        total, bad = {"metrics": (864_000, 8640)}.get(kind.name, (1440, 15))
        assert isinstance(found.period, Counts)
        assert float(found.period.total) == pytest.approx(total, rel=0.001)
        assert float(found.period.bad) == pytest.approx(bad, rel=0.001)
        hour = found.windows[self.WINDOWS[1]]
        assert isinstance(hour, Counts)
        assert float(hour.total) == pytest.approx(total / 24, rel=0.001)
