"""Records that come with a token of one application: stored as its own, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from collectors.joining import Joiner, Known, Learned, Ownership
from collectors.joining.facts import APP_TAG, reduced
from collectors.receive import Bulk, Decoded
from slo.model import Catalog

_KEYS = frozenset(APP_TAG)


class BoundJoiner(Joiner):
    """A joiner for a sender who is known: what says nothing of an application is the sender's."""

    def __init__(self, catalog: Catalog, app: str, *, learned: Learned) -> None:
        self.app = app
        super().__init__(catalog, learned=learned)

    def known(self, resource: Mapping[str, object]) -> Known:
        """Prepare a resource whose records will be joined."""
        return _Bound(self, resource)


class _Bound(Known):
    __slots__ = ("_app", "_natural", "_tagged", "_tells")

    def __init__(self, joiner: BoundJoiner, resource: Mapping[str, object]) -> None:
        self._app = joiner.app
        self._natural = Joiner.known(joiner, resource)
        self._tagged = Joiner.known(joiner, {**resource, APP_TAG[0]: joiner.app})
        self._tells = any(reduced(resource, _KEYS).values())
        self.alone = self._natural.alone

    def join(self, attributes: Mapping[str, object]) -> Ownership:
        """Find the owner of one record: what it says, or else who sent it."""
        owner = self._natural.join(attributes)
        if owner.app is not None:
            return owner
        if owner.claimants:
            return self._tagged.join(attributes) if self._app in owner.claimants else owner
        if self._tells or any(reduced(attributes, _KEYS).values()):
            return owner
        return self._tagged.join(attributes)


def only_of(app: str, decoded: Decoded) -> Decoded:
    """Keep the records of one application; the others count as rejected."""
    mine = pc.equal(decoded.table["app"], pa.scalar(app))
    kept = decoded.table.filter(mine)
    lost = decoded.table.num_rows - kept.num_rows
    if not lost:
        return decoded
    reason = f"the token is for {app}, and the record claims to be another's"
    told = f"{decoded.reason}; {reason} ({lost})" if decoded.reason else f"{reason} ({lost})"
    found = replace(decoded, table=kept, rejected=decoded.rejected + lost, reason=told)
    return found.keeping(mine.to_pylist(), reason) if isinstance(found, Bulk) else found
