"""Which containers and pods earlier records named together with an application."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The owner of a container; ``claimants`` holds several when records disagreed.

    ``env`` is None once records named two environments.
    """

    app: str
    env: str | None
    component: str | None
    claimants: tuple[str, ...] = ()


class Learned:
    """A bounded memory of containers, the longest unseen forgotten first.

    It only ever grows surer or more doubtful: once two applications named one container, nobody
    gets its records until it is forgotten.
    """

    __slots__ = ("_homes", "_lock", "_most")

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._lock = Lock()
        self._homes: OrderedDict[str, Home] = OrderedDict()

    def __len__(self) -> int:
        return len(self._homes)

    def learn(self, container: str, home: Home) -> None:
        """Keep a container's home."""
        with self._lock:
            known = self._homes.get(container)
            if known is not None and known != home:
                home = _both(known, home)
            self._homes[container] = home
            self._homes.move_to_end(container)
            if len(self._homes) > self._most:
                self._homes.popitem(last=False)

    def find(self, container: str) -> Home | None:
        """Return a container's home, if one was seen."""
        return self._homes.get(container)


def _both(known: Home, new: Home) -> Home:
    apps = {known.app, *known.claimants, new.app}
    return Home(
        app=known.app,
        env=known.env if known.env == new.env else None,
        component=known.component if known.component == new.component else None,
        claimants=tuple(sorted(apps)) if len(apps) > 1 else (),
    )
