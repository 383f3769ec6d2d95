"""What would close a gap: the app file that has to claim it, the generated file that tags it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from app.services.joins.model import Remedy, Stray
from app.services.joins.places import fitting, kinds, path
from collectors.joining.facts import APP_TAG, ENVIRONMENT_TAG
from collectors.joining.ladder import SHARE
from collectors.joining.shares import share_keys
from collectors.tagging.model import OtlpSource, Plan, PodSource, Stream
from collectors.tagging.plan import plans
from slo.errors import UsageError
from slo.model import Catalog
from slo.suggest import did_you_mean
from slo.workspace import Workspace

_Planned = tuple[Plan, Stream]


class Remedies:
    """What to do about gaps of one workspace; made once for many of them."""

    def __init__(self, catalog: Catalog, space: Workspace) -> None:
        self._catalog = catalog
        self._use = space.collecting.use
        self._refused: str | None = None
        self._plans: tuple[Plan, ...] = ()
        try:
            self._plans = plans(catalog, space.collecting)
        except UsageError as cause:
            self._refused = str(cause)
        self._near: dict[tuple[str, str | None], list[_Planned]] = defaultdict(list)
        self._of_app: dict[str | None, list[_Planned]] = defaultdict(list)
        every = [(plan, stream) for plan in self._plans for stream in plan.streams]
        for planned in every:
            self._of_app[planned[1].app].append(planned)
            for fact in dict.fromkeys(_facts(planned[1])):
                self._near[fact].append(planned)

    def owner(self, stray: Stray) -> str | None:
        """Whose records probably are: what the ladder says, else who declares host or namespace."""
        if stray.app is not None or stray.claimants:
            return stray.app
        owners = {stream.app for _, stream in self._neighbours(stray)}
        return owners.pop() if len(owners) == 1 else None

    def of(self, stray: Stray) -> Remedy:
        """Return what closes a gap."""
        if len(stray.claimants) > 1 and not _lacks_share(stray):
            return Remedy(todo=self._agree(stray))
        todo = self._todo(stray)
        if self._refused is not None:
            return Remedy(todo=f"{todo}; first mend what generate refuses: {self._refused}")
        found = list(dict.fromkeys(self._files(stray)))
        names = ",".join(dict.fromkeys(name for name, _ in found))
        command = f"headroom generate --only collectors --collector {names}" if found else None
        return Remedy(todo=todo, files=tuple(file for _, file in found), command=command)

    def _agree(self, stray: Stray) -> str:
        places = [
            f"{name} ({app.span.location})" if app and app.span else name
            for name in stray.claimants
            for app in (self._catalog.app(name),)
        ]
        what = stray.service or stray.host or stray.namespace or "the component"
        return (
            f"only one of {' and '.join(places)} can have it: take {what} out of the other's file, "
            "or declare a share of it in each"
        )

    def _todo(self, stray: Stray) -> str:
        missing, _, said = (stray.missing or APP_TAG[0]).partition("=")
        if _lacks_share(stray):
            return _name_the_part(stray)
        if missing in ENVIRONMENT_TAG:
            wrong = f" in the place of {said}" if said else ""
            return f"let {stray.app} name its environment in {missing}{wrong}, as this file does"
        if stray.app is not None:
            return f"it is {stray.app}'s by what it carries; let its collector write {missing}"
        if said:
            names = [app.name for app in self._catalog.apps]
            return (
                f'no app is called "{said}"{did_you_mean(said, names)}: mend the tag where it is '
                "set, or write an app file of that name"
            )
        return self._declare(stray)

    def _declare(self, stray: Stray) -> str:
        keys = {
            "service: {}": stray.service,
            "hosts: [{}]": stray.host,
            "kubernetes: {{namespace: {}}}": stray.namespace,
        }
        said = [text.format(value) for text, value in keys.items() if value]
        owner = self.owner(stray)
        whose = "the app that runs it" if owner is None else f"{owner}, which has others there"
        if not said:
            return "let its sender say where it runs and as which service; nothing tells it apart"
        return f"declare a component with {said[0]} in the file of {whose}, then generate its tags"

    def _files(self, stray: Stray) -> Iterator[tuple[str, str]]:
        near = self._neighbours(stray)
        if not near:
            for plan in self._plans:
                for name, kind in fitting(self._use, kinds(stray, None)):
                    yield name, path(name, kind, plan.env, stray, None)
            return
        for plan, stream in near:
            # A neighbour's own identifier is no part of what a new component will be called.
            known = stream if self._is_its_own(stray, stream) else None
            for name, kind in fitting(self._use, kinds(stray, stream)):
                yield name, path(name, kind, plan.env, stray, known)

    def _is_its_own(self, stray: Stray, stream: Stream) -> bool:
        return stray.app == stream.app or stream.app in stray.claimants

    def _neighbours(self, stray: Stray) -> Sequence[_Planned]:
        """The streams that records are of, or that run where they come from."""
        said = {"service": stray.service, "host": stray.host, "namespace": stray.namespace}
        told = [(name, value) for name, value in said.items() if value is not None]
        found = [each for fact in told for each in self._near.get(fact, ())]
        near = list({id(stream): (plan, stream) for plan, stream in found}.values())
        mine = [each for app in (stray.app, *stray.claimants) for each in self._of_app.get(app, ())]
        if not mine:
            return near
        return [each for each in near if self._is_its_own(stray, each[1])] or _of_each_env(mine)


def _of_each_env(found: Iterable[_Planned]) -> list[_Planned]:
    """One stream for each environment."""
    by_env: dict[str, _Planned] = {}
    for plan, stream in found:
        by_env.setdefault(plan.env, (plan, stream))
    return list(by_env.values())


def _facts(stream: Stream) -> Iterator[tuple[str, str | None]]:
    """What tells that records are of a stream, or of its host or namespace."""
    component = stream.component
    yield "service", stream.service
    yield from (("service", each.service) for each in stream.of(OtlpSource))
    yield from (("host", host) for host in component.hosts)
    yield "namespace", component.namespace
    yield from (("namespace", each.namespace) for each in stream.of(PodSource))


def _lacks_share(stray: Stray) -> bool:
    return (stray.missing or "").startswith(SHARE)


def _name_the_part(stray: Stray) -> str:
    parts = (stray.missing or "").removeprefix(SHARE).split("+")
    keys = " and ".join(f"{part} (in {share_keys(part)[0]})" for part in parts)
    whose = " and ".join(stray.claimants) or "several apps"
    return f"{whose} share it: let its exporter or client name the {keys}"
