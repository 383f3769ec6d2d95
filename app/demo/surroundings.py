"""What stands around the live services and tells of itself: balancer, database, queue, host."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource

from app.demo.airline import APPS, OWN_HOST
from app.demo.infrastructure import (
    BACKENDS,
    BALANCER,
    BROKER,
    CODES,
    CPU,
    DATABASE,
    LAG,
    LAG_OF,
    RESPONSES,
    USUAL_BACKENDS,
    USUAL_CPU,
    USUAL_LAG,
    backend_attributes,
    host_attributes,
    response_attributes,
)
from app.demo.logs import ERROR, INFO, LEVELS
from app.demo.senders import logger_provider, meter_provider

_LOGGED = 1 / 32
"""Of its requests the load balancer logs this share."""


class Surroundings:
    """What stands around the services; ``close`` sends what is left."""

    def __init__(self, url: str, random: np.random.Generator) -> None:
        self._random = random
        self._meters = [
            # Not ``create``, which would call whatever has no service name an unknown service.
            meter_provider(Resource(dict(said)), url)
            for said in (BALANCER, DATABASE, BROKER, host_attributes(OWN_HOST))
        ]
        self._loggers: LoggerProvider = logger_provider(Resource(dict(BALANCER)), url)
        self._logger = self._loggers.get_logger("haproxy")
        balancer, database, broker, host = self._meters
        self._responses = balancer.get_meter("haproxy").create_counter(RESPONSES)
        for app in APPS:
            for code in CODES:
                self._responses.add(0, response_attributes(app, code))
        database.get_meter("postgresqlreceiver").create_observable_gauge(
            BACKENDS, [lambda _: self._sessions()], unit="1"
        )
        broker.get_meter("kafkametricsreceiver").create_observable_gauge(
            LAG, [lambda _: [Observation(int(random.poisson(USUAL_LAG)), LAG_OF)]], unit="{message}"
        )
        host.get_meter("hostmetrics").create_observable_gauge(
            CPU, [lambda _: [Observation(self._busy())]], unit="1"
        )

    def answered(self, app: str, status: int, at: int) -> None:
        """Pass an answer of an app on to who asked, at a Unix time in nanoseconds."""
        code = f"{status // 100}xx"
        self._responses.add(1, response_attributes(app, code))
        if self._random.random() < _LOGGED:
            self._log(app, code, at)

    def close(self) -> None:
        """Send what is left and stop."""
        for each in self._meters:
            each.shutdown()
        self._loggers.shutdown()

    def _log(self, app: str, code: str, at: int) -> None:
        severity = ERROR if code == "5xx" else INFO
        status = {"2xx": "200", "5xx": "500"}.get(code, "404")
        host, port = int(self._random.integers(250)), int(self._random.integers(1024, 65_536))
        said: Mapping[str, str] = {"haproxy.backend": app, "haproxy.frontend": "https"}
        self._logger.emit(
            timestamp=at,
            observed_timestamp=at,
            context=Context(),
            severity_number=SeverityNumber(severity),
            severity_text=LEVELS[severity],
            body=f"198.51.100.{host}:{port} https~ {app} {status}",
            attributes=said,
        )

    def _sessions(self) -> list[Observation]:
        return [
            Observation(int(self._random.poisson(usual)), backend_attributes(schema))
            for schema, usual in USUAL_BACKENDS.items()
        ]

    def _busy(self) -> float:
        return float(np.clip(self._random.normal(USUAL_CPU, 0.06), 0.02, 0.98))
