"""The embedded store: telemetry in Parquet files, written by one process and read by many.

Writing, by the one process that holds the lock::

    with StoreWriter(path) as store:
        store.start_background(time.time_ns, policy)
        commit = store.append(Signal.LOGS, table, batch=digest)    # on disk when it returns

Reading, by any process, at any time::

    store = StoreReader(path)
    found = store.query(
        Signal.LOGS,
        "SELECT time, body FROM records WHERE severity >= $least ORDER BY time DESC LIMIT 100",
        {"least": 17},
        apps=("ticketing",), start=start_ns, end=end_ns,
    )

``store.snapshot()`` gives one unchanging view for several questions. ``records`` holds the columns
of `collectors.signals`, already restricted to the apps and to ``start <= time < end``.
"""

from collectors.store.choices import Sizing
from collectors.store.committer import Commit
from collectors.store.errors import SnapshotExpired, StoreBusy, StoreError, StoreMissing
from collectors.store.export import export
from collectors.store.follower import Follower, Kept
from collectors.store.metric_files import MetricFiles
from collectors.store.points import Chosen, Numbers, Points
from collectors.store.reader import StoreReader
from collectors.store.retention import Limit, Retention
from collectors.store.series import FileSeries, StoredSeries
from collectors.store.snapshot import Snapshot
from collectors.store.stats import SignalStats, StoreStats, stats
from collectors.store.times import nanoseconds, rfc3339
from collectors.store.verify import repairable, verify
from collectors.store.writer import StoreWriter

__all__ = [
    "Chosen",
    "Commit",
    "FileSeries",
    "Follower",
    "Kept",
    "Limit",
    "MetricFiles",
    "Numbers",
    "Points",
    "Retention",
    "SignalStats",
    "Sizing",
    "Snapshot",
    "SnapshotExpired",
    "StoreBusy",
    "StoreError",
    "StoreMissing",
    "StoreReader",
    "StoreStats",
    "StoreWriter",
    "StoredSeries",
    "export",
    "nanoseconds",
    "repairable",
    "rfc3339",
    "stats",
    "verify",
]
