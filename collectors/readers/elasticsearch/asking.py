"""Asking a cluster: where signals lie, how they are written, the time left, what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collectors.elastic.client import Cluster
from collectors.elastic.completeness import incomplete
from collectors.readers.elasticsearch.clauses import Clause
from collectors.readers.elasticsearch.conditions import Conditions
from collectors.readers.elasticsearch.documents import Flat, flat
from collectors.readers.elasticsearch.layouts import HEADROOM, LAYOUTS, Kind, Layout
from collectors.readers.elasticsearch.mapped import Mapped
from collectors.readers.prometheus.clock import Deadline
from collectors.readers.telemetry import Answered, TimeRange
from slo.errors import SourceError, SourceTimeout, SourceUnavailable
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

KEPT_FOR = 60.0
"""How many seconds the fields of a pattern are taken to stay as they were."""

PAGE = 5_000
"""How many documents one request asks for."""

MOST_SPANS = 50_000
"""How many spans one question reads; of more, a part of the traces is drawn."""

_KEEP_ALIVE = Duration.parse("1m")
_NOT_MISSED = {"ignore_unavailable": "true", "allow_no_indices": "true"}
_ALL = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Indices of one layout that hold a signal."""

    kind: Kind
    index: str
    layout: Layout
    mapped: Mapped
    source: str

    def document(self, hit: Mapping[str, Any]) -> Flat:
        """The document of a hit, with what its index states of all of its documents."""
        found = flat(hit.get("_source") or {})
        stated = self.mapped.stated.get(str(hit.get("_index")))
        return {**stated, **found} if stated else found

    @property
    def conditions(self) -> Conditions:
        """The clauses of its documents."""
        return Conditions(layout=self.layout, mapped=self.mapped, source=self.source)


class Asker:
    """Puts questions to a cluster; threads may share it.

    ``deadline`` bounds each question; the source's own timeout does where there is none.
    ``most_spans`` is how many spans one question reads.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        deadline: Duration | None = None,
        most_spans: int = MOST_SPANS,
    ) -> None:
        self.cluster = cluster
        self.most_spans = most_spans
        self.deadline = deadline or cluster.timeout
        self._lock = Lock()
        self._spots: dict[Kind, tuple[float, tuple[Spot, ...]]] = {}

    @property
    def reference(self) -> str:
        """How the workspace names the cluster."""
        return self.cluster.reference

    def inquiry(self, until: Deadline | None = None) -> Inquiry:
        """Begin a question, whose time runs from now."""
        return Inquiry(self, until or Deadline(self.cluster.clock, self.deadline))

    def spots(self, kind: Kind, until: Deadline) -> tuple[Spot, ...]:
        """Where a signal lies: indices that exist, by layout. Raises ``SourceError``."""
        now = self.cluster.clock.monotonic()
        with self._lock:
            kept = self._spots.get(kind)
        if kept is not None and now - kept[0] < KEPT_FOR:
            return kept[1]
        found = tuple(self._found(kind, until))
        with self._lock:
            self._spots[kind] = (now, found)
        return found

    def patterns(self, kind: Kind) -> tuple[str, ...]:
        """The patterns of indices that are looked into for a signal."""
        source = self.cluster.source
        own = source.logs_indices if kind is Kind.LOGS else source.traces_indices
        if own:
            return (",".join(own),)
        layouts = LAYOUTS.values() if source.layout is None else (LAYOUTS[source.layout],)
        return tuple(",".join(each.patterns[kind]) for each in layouts if each.patterns[kind])

    def _found(self, kind: Kind, until: Deadline) -> Iterator[Spot]:
        source = self.cluster.source
        chosen = None if source.layout is None else LAYOUTS[source.layout]
        expected = {",".join(each.patterns[kind]): each for each in LAYOUTS.values()}
        for index in self.patterns(kind):
            mapped = self._mapped(index, until)
            if mapped.indices:
                layout = chosen or _detected(mapped, expected.get(index))
                mapped = mapped.stating(self._stated(index, layout, until))
                yield Spot(
                    kind=kind, index=index, layout=layout, mapped=mapped, source=self.reference
                )

    def _stated(self, index: str, layout: Layout, until: Deadline) -> object:
        """How the owner's fields are mapped, which may state their value."""
        places = (*layout.candidates("app"), *layout.candidates("env"))
        paths = ",".join(each.path for each in places if each.key is None)
        try:
            return self.cluster.call(
                "GET",
                f"/{quote(index, safe='*,')}/_mapping/field/{quote(paths, safe=',')}",
                params=_NOT_MISSED,
                timeout=left(until, self.reference),
            )
        except SourceError:
            # Who may read documents may not read mappings; most documents say it themselves.
            return None

    def _mapped(self, index: str, until: Deadline) -> Mapped:
        answer = self.cluster.call(
            "GET",
            f"/{quote(index, safe='*,')}/_field_caps",
            params={"fields": "*", **_NOT_MISSED},
            timeout=left(until, self.reference),
        )
        return Mapped.of(answer if isinstance(answer, Mapping) else {})


def _detected(mapped: Mapped, expected: Layout | None) -> Layout:
    """The layout that fields tell; what our own streams are named like may be written otherwise."""
    if expected is not None and expected is not HEADROOM:
        return expected
    if mapped.of_path("labels.app"):
        return HEADROOM
    told = (each for each in LAYOUTS.values() if any(map(mapped.of_path, each.telling)))
    return next(told, HEADROOM)


def left(until: Deadline, source: str) -> Duration:
    """The time that is left; raises ``SourceTimeout`` when none is."""
    seconds = until.remaining()
    if seconds <= 0:
        raise SourceTimeout(f"{source}: no time was left to ask", source=source)
    milliseconds = int(min(seconds, _ALL) * 1000)
    return Duration(milliseconds=max(1, milliseconds))


class Inquiry:
    """One question that may take several requests: what was asked, and what is missing."""

    def __init__(self, asker: Asker, until: Deadline) -> None:
        self._asker = asker
        self.until = until
        self._began = time.perf_counter()
        self.queries: list[str] = []
        self.lacking: list[str] = []
        self.notes: list[str] = []

    @property
    def source(self) -> str:
        """Who is asked."""
        return self._asker.reference

    @property
    def most_spans(self) -> int:
        """How many spans the question may read."""
        return self._asker.most_spans

    def spots(self, kind: Kind) -> tuple[Spot, ...]:
        """Where a signal lies; that it lies nowhere is noted."""
        found = self._asker.spots(kind, self.until)
        if not found:
            names = " or ".join(self._asker.patterns(kind)) or f"no pattern for {kind}"
            self.notes.append(f"{self.source} has no index that matches {names}")
        return found

    def search(self, spot: Spot, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Search indices; raises ``SourceError``."""
        self._note(spot, body)
        length = left(self.until, self.source)
        return self._kept(self._asker.cluster.search(spot.index, body, timeout=length))

    def pages(
        self, spot: Spot, body: Mapping[str, Any], most: int
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The hits of a sorted search, some thousand at a time, of one view of the indices."""
        self._note(spot, body)
        cluster = self._asker.cluster
        with cluster.point_in_time(spot.index, keep_alive=_KEEP_ALIVE) as view:
            after: list[Any] | None = None
            while most > 0:
                size = min(PAGE, most)
                asked = {**body, "size": size, "track_total_hits": False}
                if after is not None:
                    asked["search_after"] = after
                found = view.search(asked, timeout=left(self.until, self.source))
                hits = self._kept(found)["hits"]["hits"]
                yield hits
                most -= len(hits)
                if len(hits) < size:
                    return
                after = hits[-1]["sort"]

    def many(self, bodies: Sequence[tuple[Spot, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        """The answers to several searches in one request; raises ``SourceError``."""
        if not bodies:
            return []
        length = left(self.until, self.source)
        milliseconds = max(1, length.milliseconds * 9 // 10)
        lines: list[Mapping[str, Any]] = []
        for spot, body in bodies:
            self._note(spot, body)
            lines.append({"index": spot.index.split(","), "ignore_unavailable": True})
            lines.append({"timeout": f"{milliseconds}ms", **body})
        answer = self._asker.cluster.call("POST", "/_msearch", lines, timeout=length, retry=True)
        found = answer.get("responses") if isinstance(answer, Mapping) else None
        if not isinstance(found, list) or len(found) != len(bodies):
            raise SourceUnavailable(
                f"{self.source}: not every search was answered", source=self.source
            )
        return [self._kept(each) if "error" not in each else each for each in found]

    def answered(
        self,
        frame: pd.DataFrame,
        span: TimeRange | None,
        *,
        observed: datetime | None = None,
        notes: Sequence[str] = (),
    ) -> Answered[pd.DataFrame]:
        """Say of a frame where it comes from and what it lacks."""
        return Answered(
            value=frame,
            source=self.source,
            query="\n".join(self.queries),
            range=span,
            observed_at=observed,
            partial=tuple(dict.fromkeys(f"{self.source}: {each}" for each in self.lacking)),
            notes=(*dict.fromkeys(self.notes), *notes),
            seconds=time.perf_counter() - self._began,
        )

    def _note(self, spot: Spot, body: Mapping[str, Any]) -> None:
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        self.queries.append(f"POST /{spot.index}/_search {text}")

    def _kept(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        self.lacking += [each for each in incomplete(answer) if each not in self.lacking]
        return answer


def counted(clause: Clause, aggregations: Mapping[str, Any]) -> dict[str, Any]:
    """A search that only counts."""
    return {
        "size": 0,
        "track_total_hits": False,
        "query": clause,
        "aggs": dict(aggregations),
    }
