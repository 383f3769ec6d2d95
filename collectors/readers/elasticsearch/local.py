"""Rows that were read from a cluster, asked in the SQL that asks the embedded store.

So one definition of an entry span, a dependency or an edge holds for every source.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.readers.store.asking import Question, instant
from collectors.readers.telemetry import Answered
from collectors.store.engine import within
from slo.errors import SourceTimeout

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from collectors.readers.elasticsearch.asking import Inquiry


class Local:
    """One table of records; ``inquiry`` is how it was come by."""

    def __init__(self, records: pa.Table, inquiry: Inquiry) -> None:
        self._records = records
        self._inquiry = inquiry

    def frame(self, question: Question, *, notes: Sequence[str] = ()) -> Answered[pd.DataFrame]:
        """Return an answer as a frame, with the origin of the records."""
        import pyarrow.compute as pc  # noqa: PLC0415 - loaded with the first question

        found = self.table(question).to_pandas()
        newest = pc.max(self._records.column("time")).as_py() if len(self._records) else None
        observed = None if newest is None else instant(newest)
        return self._inquiry.answered(found, question.range, observed=observed, notes=notes)

    def table(self, question: Question) -> pa.Table:
        """Return an answer as it comes. Raises ``SourceTimeout``."""
        import duckdb  # noqa: PLC0415 - loaded with the first question

        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
        seconds = self._inquiry.until.remaining()
        with duckdb.connect(":memory:", config=config) as connection:
            connection.register("records", self._records)
            connection.execute("SET enable_external_access = false")

            def ask() -> pa.Table:
                answer = connection.sql(question.sql, params=question.parameters.bound)
                found: pa.Table | None = answer.to_arrow_table()
                assert found is not None, "a question has an answer"
                return found

            try:
                return within(connection, None if seconds == math.inf else seconds, ask)
            except duckdb.InterruptException:
                source = self._inquiry.source
                raise SourceTimeout(
                    f"{source}: what was read could not be evaluated in time", source=source
                ) from None
