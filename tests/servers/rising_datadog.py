"""A Datadog on loopback whose metrics rise evenly, whatever time is asked about."""

import json
from collections.abc import Callable, Mapping

from tests.servers.loopback import Asked, Reply

Rates = Mapping[str, float]
"""Events per second by the name of a metric."""


def datadog(rates: Rates) -> Callable[[Asked], Reply]:
    """A Datadog whose metrics rise evenly."""

    def answer(asked: Asked) -> Reply:
        wanted = json.loads(asked.body)["data"]["attributes"]
        step = wanted["interval"]
        times = list(range(wanted["from"], wanted["to"], step))
        (query,) = wanted["queries"]
        values = [
            [rate * step / 1000 for _ in times]
            for name, rate in rates.items()
            if name in query["query"]
        ]
        attributes = {"times": times if values else [], "values": values}
        body = {"data": {"type": "timeseries_response", "attributes": attributes}}
        return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    return answer
