"""The lock of a store's only writer; the operating system frees it when the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from collectors.store.errors import StoreBusy

_LONGEST_PID = 20


class Lock:
    """Holds a file locked until it is released; raises ``StoreBusy`` while another one holds it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = _pid(os.pread(self._descriptor, _LONGEST_PID, 0))
            os.close(self._descriptor)
            raise StoreBusy(str(path.parent), holder) from None
        except OSError:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Give up the lock; once is enough, twice does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _pid(content: bytes) -> int | None:
    return int(content) if content.strip().isdigit() else None
