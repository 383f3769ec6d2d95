"""The climb: each record's owner, remembered per distinct set of facts."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.joining.facts import CONTAINER, Facts, reduced
from collectors.joining.index import Index
from collectors.joining.ladder import SHARE, Ownership, by_catalogue, by_infrastructure, by_tag
from collectors.joining.learned import Home, Learned
from slo.model import Catalog
from slo.records import dataclass

_Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What rungs 1 to 3 said, what rung 5 would say, and what rung 4 needs to know.

    ``settled`` ends the climb: rungs 1 to 3 decided, even if to refuse. Its application is the
    home of ``homes``; records of ``lodgers`` may find theirs there.
    """

    settled: Ownership | None
    otherwise: Ownership
    homes: tuple[str, ...] = ()
    lodgers: tuple[str, ...] = ()


class Joiner:
    """Joins records to the applications of a catalogue; see the package for the ladder.

    May be shared by threads. ``most`` bounds the sets of facts that are remembered; ``learned``
    may be kept when the catalogue is loaded anew.
    """

    app: str | None = None
    """The application that the sender is known to be, for what says nothing of one."""

    def __init__(
        self, catalog: Catalog, *, learned: Learned | None = None, most: int = 20_000
    ) -> None:
        self.learned = Learned() if learned is None else learned
        self._index = Index(catalog)
        self._keys = self._index.keys
        self._most = most
        self._verdicts: dict[tuple[_Key, _Key], _Verdict] = {}

    @property
    def keys(self) -> frozenset[str]:
        """The attributes that may tell whose a record is; no others are looked at."""
        return self._keys

    def join(self, resource: Mapping[str, object], attributes: Mapping[str, object]) -> Ownership:
        """Find the owner of a record by what describes its sender and by its own attributes."""
        return self.known(resource).join(attributes)

    def known(self, resource: Mapping[str, object]) -> Known:
        """Prepare a resource whose records will be joined."""
        return Known(self, reduced(resource, self._keys))

    def decide(self, resource: Mapping[str, str], attributes: Mapping[str, object]) -> Ownership:
        """Find an owner by facts whose resource part is already reduced."""
        if self._keys.isdisjoint(attributes):
            facts: Mapping[str, str] = {}
        else:
            facts = reduced(attributes, self._keys)
        key = (tuple(resource.items()), tuple(facts.items()))
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= self._most:
                self._verdicts.clear()
            verdict = self._verdicts[key] = self._climb(Facts(resource, facts))
        return self._conclude(verdict)

    def _climb(self, facts: Facts) -> _Verdict:
        found = [fact for key in CONTAINER if (fact := facts.sender((key,))) is not None]
        containers = tuple(fact.value for fact in found)
        settled = by_tag(facts, self._index) or by_catalogue(facts, self._index)
        if settled is None:
            below = by_infrastructure(facts, self._index)
            nobody = Ownership(missing=facts.app_tag_name())
            return _Verdict(settled=None, otherwise=below or nobody, lodgers=containers)
        if not settled.app and settled.missing and settled.missing.startswith(SHARE):
            # A name of one application's for a shared thing; its address may tell whose part.
            below = by_infrastructure(facts, self._index)
            settled = below if below and below.app else settled
            return _Verdict(settled=settled, otherwise=settled)
        return _Verdict(
            settled=settled,
            otherwise=settled,
            homes=containers if self._tells_of_containers(settled, facts) else (),
        )

    def _tells_of_containers(self, owner: Ownership, facts: Facts) -> bool:
        """Whether all records of this sender's container are its application's.

        Not when the record's own attributes took part: one container may relay for many. Nor when
        the sender is a shared thing.
        """
        known = owner.app is not None and owner.env is not None and not facts.attributes
        return known and (owner.app, owner.component) not in self._index.shared

    def _conclude(self, verdict: _Verdict) -> Ownership:
        owner = verdict.settled
        if owner is not None:
            for container in verdict.homes:
                home = Home(app=str(owner.app), env=owner.env, component=owner.component)
                self.learned.learn(container, home)
            return owner
        for container in verdict.lodgers:
            if (found := self.learned.find(container)) is not None:
                return _of_container(container, found)
        return verdict.otherwise


class Known:
    """A resource whose facts are picked out already."""

    __slots__ = ("_joiner", "_resource", "alone")

    def __init__(self, joiner: Joiner, resource: Mapping[str, str]) -> None:
        self._joiner = joiner
        self._resource = resource
        owner = joiner.decide(resource, {})
        decided = owner.rung == 1 and owner.app is not None and owner.missing is None
        self.alone: Ownership | None = owner if decided else None
        """The owner of all of its records, when their own attributes cannot change it."""

    def join(self, attributes: Mapping[str, object]) -> Ownership:
        """Find the owner of one record of this resource."""
        return self.alone or self._joiner.decide(self._resource, attributes)


def _of_container(container: str, home: Home) -> Ownership:
    key = f"container={container}"[:160]
    if home.claimants:
        return Ownership(rung=4, claimants=home.claimants, key=key)
    missing = None if home.env is not None else "deployment.environment.name"
    return Ownership(
        app=home.app, env=home.env, component=home.component, rung=4, missing=missing, key=key
    )
