"""Opening what counts outside of Headroom's own reach, so that what fails is told when asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from slo.errors import SourceError
from slo.model import ServiceLevel, SloKey
from slo.ports import CountReader, Reading
from slo.units import Duration
from slo.workspace import ExternalSource

if TYPE_CHECKING:
    from collectors.readers.external.counts import ExternalCounts


def external_counts(
    source: ExternalSource, deadline: Duration | None, environ: Mapping[str, str] | None
) -> ExternalCounts:
    """A reader of another product's counts; raises ``SourceError`` where it cannot be set up."""
    from collectors.readers.external.counts import ExternalCounts  # noqa: PLC0415 - few have one
    from collectors.readers.external.opening import open_adapter  # noqa: PLC0415 - as above

    return ExternalCounts(
        open_adapter(source, os.environ if environ is None else environ),
        lag=source.lag,
        timeout=source.timeout,
        deadline=deadline,
    )


def reached(opened: Callable[[], CountReader]) -> CountReader:
    """What was opened, or what tells why that failed."""
    try:
        return opened()
    except SourceError as error:
        return _Unreached(error)


class _Unreached:
    """A source that cannot even be set up, which is told when it is asked."""

    def __init__(self, error: SourceError) -> None:
        self._error = error

    def read(
        self,
        levels: Sequence[ServiceLevel],  # noqa: ARG002 - the port's
        windows: Sequence[Duration],  # noqa: ARG002 - the port's
        at: datetime,  # noqa: ARG002 - the port's
    ) -> Mapping[SloKey, Reading]:
        """Raise what is wrong."""
        raise self._error
