"""From the alerts of an evaluator to people: an Alertmanager where there is one, else receivers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from alerts.alertmanager.destinations import Directory
from app.evaluator.alerting import Alert
from app.evaluator.notify.alertmanager import AlertmanagerFeed
from app.evaluator.notify.courier import Courier, Delivery, Patience
from app.evaluator.notify.dispatch import Dispatcher
from app.evaluator.notify.message import Notification
from app.evaluator.notify.senders import Secrets, Sender, sender_for
from slo.model import Catalog
from slo.workspace import Workspace

_LOG = logging.getLogger("headroom.notify")
_ALERTMANAGER = "the Alertmanager"


class Notifying:
    """Tells whoever is to be told; threads may share it.

    With ``sources.alertmanager`` in the workspace alerts go there, and to nobody else.
    """

    def __init__(
        self, catalog: Catalog, space: Workspace, root: Path, patience: Patience | None = None
    ) -> None:
        self._feed: AlertmanagerFeed | None = None
        self._couriers: dict[str, Courier] = {}
        self._senders: dict[str, Sender] = {}
        self._unreachable: dict[str, str] = {}
        directory = Directory.of(catalog, space)
        self._dispatcher = Dispatcher(
            directory, self._deliver, external_url=space.links.console or ""
        )
        if space.alertmanager_url is not None:
            courier = self._couriers[_ALERTMANAGER] = Courier(_ALERTMANAGER, patience)
            self._feed = AlertmanagerFeed(space.alertmanager_url, partial(_hand_over, courier))
            return
        for receiver in directory.receivers:
            sender = sender_for(receiver, Secrets(root=root))
            if sender is None:
                self._unreachable[receiver.name] = receiver.kind
                _LOG.warning(
                    "receiver %s (%s) needs an Alertmanager: set sources.alertmanager.url",
                    receiver.name,
                    receiver.kind,
                )
                continue
            self._senders[receiver.name] = sender
            self._couriers[receiver.name] = Courier(receiver.name, patience)

    @property
    def failures(self) -> Mapping[str, str]:
        """Who cannot be told at the moment, by name, and why."""
        needs = {name: f"{kind} needs an Alertmanager" for name, kind in self._unreachable.items()}
        found = {name: each.failure for name, each in self._couriers.items()}
        return {**needs, **{name: why for name, why in found.items() if why is not None}}

    def run(self, alerts: Sequence[Alert], now_ms: int) -> int:
        """Tell what is due; return how much was ordered."""
        if self._feed is not None:
            return self._feed.run(alerts, now_ms)
        return self._dispatcher.run(alerts, now_ms)

    def dumped(self) -> list[dict[str, object]]:
        """Return who was told what, as plain data."""
        return self._dispatcher.dumped()

    def restore(self, data: Sequence[Mapping[str, object]]) -> None:
        """Take back what ``dumped`` gave; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        self._dispatcher.restore(data)

    def close(self, patience: float = 5.0) -> None:
        """End all deliveries; what is under way has so many seconds."""
        for each in self._couriers.values():
            each.close(patience)

    def _deliver(self, notification: Notification, outcome: Callable[[bool], None]) -> bool:
        sender = self._senders.get(notification.receiver)
        if sender is None:
            outcome(True)  # noqa: FBT003 - nobody wants to know, so nobody is left to be told
            return False
        work = partial(sender.send, notification)
        return _hand_over(self._couriers[notification.receiver], work, outcome)


def _hand_over(courier: Courier, work: Callable[[], None], outcome: Callable[[bool], None]) -> bool:
    return courier.take(Delivery(work=work, outcome=outcome))
