"""What a cluster holds, whose it is, and what belongs to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collectors.readers.elasticsearch.asking import Asker, Inquiry, Spot, counted
from collectors.readers.elasticsearch.clauses import Clause, all_of, within
from collectors.readers.elasticsearch.documents import log_row, text
from collectors.readers.elasticsearch.layouts import Kind
from collectors.readers.store.asking import instant
from collectors.readers.telemetry import Answered, TimeRange, Where
from collectors.signals import Signal
from slo.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd

MOST_GROUPS = 20_000
"""How many combinations one answer has at most."""

_LISTED = 500
_PAGE = 1_000
_MILLISECOND = 1_000_000
_EXAMPLE = 200
_INDEX = "_index"
_BACKING = re.compile(r"\.ds-(?P<stream>.+?)(?:-[0-9]{4}\.[0-9]{2}\.[0-9]{2})?-[0-9]{6}")
"""How the indices behind a data stream are named: OpenSearch leaves the date out."""

_SIGNALS: Mapping[Kind, Signal] = {Kind.LOGS: Signal.LOGS, Kind.TRACES: Signal.SPANS}
_INVENTORY = ("app", "env", "signal", "rung", "records", "bytes", "series", "first", "last")
_NOBODYS = (
    *("signal", "service", "host", "namespace", "stream", "missing", "claimants", "records"),
    *("first", "last", "example"),
)
_VERSIONS = ("component", "version", "first", "last", "records")
_DEPLOYS = (
    *("time", "id", "component", "env", "version", "previous", "commit_id", "actor", "url"),
    "title",
)


def inventory(asker: Asker, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return records by owner, environment and signal; the tag is the only rung a cluster knows.

    Bytes are shares of the indices' sizes, where the cluster tells those.
    """
    inquiry = asker.inquiry()
    rows = []
    for spot, signal in _everywhere(inquiry):
        size = _bytes_each(asker, spot)
        clause = within(spot.layout.time, span)
        for group in _merged(_groups(inquiry, spot, clause, ("app", "env")), ("app", "env")):
            app = group["app"]
            rows.append(
                {
                    **group,
                    "signal": str(signal),
                    "rung": None if app is None else 1,
                    "bytes": None if size is None else round(size * group["records"]),
                    "series": None,
                }
            )
    return _answer(inquiry, span, rows, _INVENTORY)


def unattributed(asker: Asker, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return what belongs to nobody, grouped by what it says of itself."""
    inquiry = asker.inquiry()
    rows: list[dict[str, Any]] = []
    for spot, signal in _everywhere(inquiry):
        conditions = spot.conditions
        clause = all_of((within(spot.layout.time, span), conditions.owned(None)))
        missing = spot.layout.candidates("app")[0]
        said = ("service", "host", "namespace")
        groups = _groups(inquiry, spot, clause, said, shown=True)
        for group in _merged(groups, (*said, "stream")):
            group["signal"] = str(signal)
            group["missing"] = missing.key or missing.path
            group["claimants"] = None
            rows.append(group)
    rows.sort(key=lambda row: -row["records"])
    return _answer(inquiry, span, rows[:_LISTED], _NOBODYS)


def versions(asker: Asker, asked: Where) -> Answered[pd.DataFrame]:
    """Return when each version of each component was first and last seen, in any signal."""
    inquiry = asker.inquiry()
    names = ("component", "version")
    seen: list[dict[str, Any]] = []
    for spot, _ in _everywhere(inquiry):
        conditions = spot.conditions
        clause = all_of((conditions.where(asked), conditions.present("version")))
        groups = _groups(inquiry, spot, clause, names)
        seen += [group for group in groups if group["version"] is not None]
    rows = sorted(_merged(seen, names), key=lambda row: (row["first"], row["component"] or ""))
    return _answer(inquiry, asked.range, rows, _VERSIONS)


def deploys(asker: Asker, asked: Where) -> Answered[pd.DataFrame]:
    """Return no deploys: they are told to Headroom, and kept in its store."""
    inquiry = asker.inquiry()
    inquiry.notes.append(f"{inquiry.source} holds no deploys; they are kept in Headroom's store")
    return _answer(inquiry, asked.range, [], _DEPLOYS)


def _everywhere(inquiry: Inquiry) -> Iterator[tuple[Spot, Signal]]:
    for kind, signal in _SIGNALS.items():
        for spot in inquiry.spots(kind):
            yield spot, signal


def _groups(
    inquiry: Inquiry, spot: Spot, clause: Clause, names: tuple[str, ...], *, shown: bool = False
) -> Iterator[dict[str, Any]]:
    """Records by the values of columns: how many, the first and the last (ns), an example."""
    fields = {name: _field(spot, name) for name in names}
    sources: list[dict[str, Any]] = [
        {name: {"terms": {"field": field, "missing_bucket": True}}}
        for name, field in fields.items()
        if field is not None
    ]
    paths = set(fields.values())
    if shown or any(path in stated for stated in spot.mapped.stated.values() for path in paths):
        sources.append({_INDEX: {"terms": {"field": _INDEX}}})
    inner: dict[str, Any] = {
        "first": {"min": {"field": spot.layout.time}},
        "last": {"max": {"field": spot.layout.time}},
    }
    if shown:
        inner["example"] = {"top_hits": {"size": 1}}
    if not sources:
        found = inquiry.search(spot, counted(clause, {"all": {"filter": clause, "aggs": inner}}))
        one = found.get("aggregations", {}).get("all")
        if one and one["doc_count"]:
            yield _group(spot, one, dict.fromkeys(names))
        return
    after: Mapping[str, Any] | None = None
    for _ in range(MOST_GROUPS // _PAGE):
        composite: dict[str, Any] = {"size": _PAGE, "sources": sources}
        if after is not None:
            composite["after"] = after
        body = counted(clause, {"groups": {"composite": composite, "aggs": inner}})
        groups = inquiry.search(spot, body).get("aggregations", {}).get("groups", {})
        for one in groups.get("buckets", ()):
            key = {name: text(one["key"].get(name)) for name in names}
            stated = spot.mapped.stated.get(str(one["key"].get(_INDEX)), {})
            # OpenSearch 2 groups a field that its index states by a wrong value.
            key |= {name: stated[path] for name, path in fields.items() if path and path in stated}
            key |= {"stream": _stream(one["key"].get(_INDEX))} if shown else {}
            yield _group(spot, one, key)
        after = groups.get("after_key")
        if after is None:
            return
    inquiry.lacking.append(f"only the first {MOST_GROUPS} groups of {spot.index} are shown")


def _merged(groups: Iterable[dict[str, Any]], names: tuple[str, ...]) -> Iterable[dict[str, Any]]:
    """Groups of which each combination of columns occurs once."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for group in groups:
        known = found.setdefault(tuple(group[name] for name in names), group)
        if known is not group:
            known["first"] = min(known["first"], group["first"])
            known["last"] = max(known["last"], group["last"])
            known["records"] += group["records"]
    return found.values()


def _group(
    spot: Spot,
    one: Mapping[str, Any],
    key: Mapping[str, Any],
) -> dict[str, Any]:
    found = {
        **key,
        "records": int(one["doc_count"]),
        "first": int(one["first"]["value"]) * _MILLISECOND,
        "last": int(one["last"]["value"]) * _MILLISECOND,
    }
    hits = one.get("example", {}).get("hits", {}).get("hits", ())
    if hits:
        document = spot.document(hits[0])
        row = log_row(document, spot.layout) or {}
        names = spot.layout.candidates("name")
        said = row.get("body") or next(
            (text(document[each.path]) for each in names if each.path in document), None
        )
        found["example"] = None if said is None else said[:_EXAMPLE]
    return found


def _stream(index: object) -> str | None:
    """The data stream that an index stands behind, or the index's own name."""
    found = text(index)
    backing = None if found is None else _BACKING.fullmatch(found)
    return found if backing is None else backing["stream"]


def _field(spot: Spot, name: str) -> str | None:
    """The first field of a column that can be grouped by."""
    for each in spot.mapped.only(spot.layout.candidates(name)):
        path = None if each.key else spot.mapped.exact(each.path)
        if path is not None:
            return path
    return None


def _bytes_each(asker: Asker, spot: Spot) -> float | None:
    """The mean size of a document, None where the cluster does not tell it."""
    try:
        found = asker.cluster.get(f"/{quote(spot.index, safe='*,')}/_stats/store,docs")
    except SourceError:
        # Who may read documents may not read sizes.
        return None
    total = found.get("_all", {}).get("primaries", {}) if isinstance(found, Mapping) else {}
    count = total.get("docs", {}).get("count")
    size = total.get("store", {}).get("size_in_bytes")
    return size / count if count and size is not None else None


def _answer(
    inquiry: Inquiry, span: TimeRange, rows: list[dict[str, Any]], names: tuple[str, ...]
) -> Answered[pd.DataFrame]:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in names})
    newest = max((row["last"] for row in rows), default=None)
    observed = None if newest is None else instant(newest)
    return inquiry.answered(frame, span, observed=observed)
