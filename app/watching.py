"""Measuring what is not a request: the readers behind every page, and decisions of the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast

from app.telemetry import Telemetry, installed_version, open_telemetry
from collectors.readers.telemetry import TelemetryReader
from slo.errors import HeadroomError, UsageError
from slo.gate.decision import Decision
from slo.printable import printable


class _Measured:
    """A reader whose every answer is measured, whoever asks; otherwise the reader itself."""

    def __init__(self, reader: TelemetryReader, telemetry: Telemetry) -> None:
        self._reader = reader
        self._telemetry = telemetry

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)
        if not callable(found):
            return found
        query = f"{self._reader.reference}.{name}"

        @wraps(found)
        def asked(*args: object, **named: object) -> object:
            try:
                with self._telemetry.timed("headroom_query_duration_seconds", query=query):
                    return found(*args, **named)
            except HeadroomError:
                self._telemetry.count("headroom_query_failures_total", query=query)
                raise

        return asked


def measured(reader: TelemetryReader, telemetry: Telemetry) -> TelemetryReader:
    """Return a reader that does what another one does, and is measured."""
    return cast("TelemetryReader", _Measured(reader, telemetry))


def watched(
    decide: Callable[[], Decision], environ: Mapping[str, str], note: Callable[[str], None]
) -> Decision:
    """Return a decision of the gate, measured where ``OTEL_*`` variables ask for it.

    Telemetry never decides: what is wrong with it is noted.
    """
    try:
        telemetry = open_telemetry(environ, name="gate", version=installed_version())
    except (UsageError, ModuleNotFoundError) as error:
        note(f"warning: the decision is not measured: {printable(str(error))}")
        return decide()
    try:
        with telemetry.timed("headroom_gate_duration_seconds"):
            decision = decide()
        outcome = str(decision.effect)
        telemetry.count("headroom_gate_decisions_total", decision=outcome)
        return decision
    finally:
        telemetry.close()
