"""Conditions on stored records, as SQL with every value bound as a parameter."""

from __future__ import annotations

from collectors.readers.names import ALIASES, LEVELS, LIFTED
from collectors.readers.telemetry import Badness, Filter, LogQuery, TimeRange, Where
from collectors.signals import SCHEMAS, Signal
from slo.logquery import And, Compare, Expression, Has, Is, Not, Or, Words
from slo.records import dataclass

_JSON = ("attributes", "resource", "scope")

LEVEL_SQL = (
    "CASE WHEN severity IS NULL OR severity < 1 THEN 'unknown' "
    + " ".join(f"WHEN severity <= {4 * (i + 1)} THEN '{name}'" for i, name in enumerate(LEVELS))
    + " ELSE 'unknown' END"
)

ENTRY = "(kind IN ('server', 'consumer') OR parent_id IS NULL)"
"""Spans in which work enters a service: what came from outside it, or began there."""


class Parameters:
    """Values by the names that stand for them in SQL."""

    def __init__(self) -> None:
        self.bound: dict[str, object] = {}

    def bind(self, value: object) -> str:
        """Keep a value and return what stands for it."""
        name = f"p{len(self.bound)}"
        self.bound[name] = value
        return f"${name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """How a signal's fields are written in SQL."""

    signal: Signal
    parameters: Parameters

    def text(self, field: str) -> str:
        """SQL for the text of a field: a column, or what attributes or the resource hold."""
        name = ALIASES.get(field, field)
        if name == "level" and self.signal is Signal.LOGS:
            return f"({LEVEL_SQL})"
        if name in SCHEMAS[self.signal].names and name not in _JSON:
            return f"CAST({name} AS VARCHAR)"
        for column in _JSON:
            if field.startswith(f"{column}."):
                return self._inside(column, field.removeprefix(f"{column}."))
        found = [self._inside("attributes", field), self._inside("resource", field)]
        lifted = LIFTED.get(field)
        if lifted in SCHEMAS[self.signal].names:
            found.append(f"CAST({lifted} AS VARCHAR)")
        return f"coalesce({', '.join(found)})"

    def _inside(self, column: str, key: str) -> str:
        # A JSON pointer: a key may hold any character, dots above all.
        pointer = "/" + key.replace("~", "~0").replace("/", "~1")
        return f"json_extract_string({column}, {self.parameters.bind(pointer)})"


def texts_of(query: LogQuery) -> Expression | None:
    """What a query asks of the messages of log records, for an index of their words."""
    from slo.logquery import parse  # noqa: PLC0415 - only a search needs it

    return _texts(parse(query.text)) if query.text.strip() else None


def _texts(query: Expression) -> Expression:
    match query:
        case And(parts=parts):
            return And(parts=tuple(map(_texts, parts)))
        case Or(parts=parts):
            return Or(parts=tuple(map(_texts, parts)))
        case Is(field=field, value=value) if ALIASES.get(field, field) == "body":
            return Words(text=value)
        case _:
            return query


def log_condition(query: Expression, parameters: Parameters) -> str:
    """SQL for a query in the language of `slo.logquery`."""
    return _expression(query, _Names(signal=Signal.LOGS, parameters=parameters))


def _expression(query: Expression, names: _Names) -> str:
    match query:
        case Not(inner=inner):
            return f"NOT ({_expression(inner, names)})"
        case And(parts=parts):
            return _joined(" AND ", parts, names) or "true"
        case Or(parts=parts):
            return _joined(" OR ", parts, names) or "false"
        case _:
            return _term(query, names)


def _term(term: Words | Has | Is | Compare, names: _Names) -> str:
    bind = names.parameters.bind
    if isinstance(term, Words):
        return f"coalesce(body ILIKE {bind(_pattern(term.text, around=True))} ESCAPE '\\', false)"
    column = names.text(term.field)
    if isinstance(term, Has):
        return f"{column} IS NOT NULL"
    if isinstance(term, Compare):
        number = bind(float(term.value))
        return f"coalesce(TRY_CAST({column} AS DOUBLE) {term.operator} {number}, false)"
    if term.wildcard:
        return f"coalesce({column} ILIKE {bind(_pattern(term.value))} ESCAPE '\\', false)"
    return f"coalesce(lower({column}) = {bind(term.value.lower())}, false)"


def _joined(word: str, parts: tuple[Expression, ...], names: _Names) -> str:
    return word.join(f"({_expression(part, names)})" for part in parts)


def where(asked: Where, signal: Signal, parameters: Parameters) -> str:
    """SQL for an environment and filters; the app and the time are the store's to restrict."""
    names = _Names(signal=signal, parameters=parameters)
    found = [_filter(each, names) for each in asked.filters]
    if asked.env is not None:
        found.append(f"env = {parameters.bind(asked.env)}")
    return " AND ".join(found) or "true"


def _filter(one: Filter, names: _Names) -> str:
    column = names.text(one.field)
    if one.value is None:
        return f"{column} IS {'NOT ' if one.negated else ''}NULL"
    sense = "NOT " if one.negated else ""
    return f"{sense}coalesce({column} = {names.parameters.bind(one.value)}, false)"


def log_where(query: LogQuery, parameters: Parameters) -> str:
    """SQL for everything that a query of log records asks."""
    from slo.logquery import parse  # noqa: PLC0415 - only a search needs it

    found = [where(query.where, Signal.LOGS, parameters)]
    if query.text.strip():
        found.append(f"({log_condition(parse(query.text), parameters)})")
    if query.min_severity is not None:
        found.append(f"severity >= {parameters.bind(query.min_severity)}")
    for column, value in (("trace_id", query.trace_id), ("span_id", query.span_id)):
        if value is not None:
            found.append(f"{column} = {parameters.bind(value)}")
    if query.after is not None:
        found.append(f"observed > {parameters.bind(query.after)}")
    return " AND ".join(found)


def counted_spans(bad: Badness, parameters: Parameters) -> str:
    """SQL for the spans that a question about failures counts: entry spans, or one operation's."""
    found = []
    if bad.service is not None:
        found.append(f"service = {parameters.bind(bad.service)}")
    if bad.operation is not None:
        found.append(f"name = {parameters.bind(bad.operation)}")
    else:
        found.append(ENTRY)
    return " AND ".join(found)


def bad_span(bad: Badness, parameters: Parameters) -> str:
    """SQL that is true for a bad span; a slow one may be an error too."""
    found = ["status = 'error'"] if bad.error or bad.slower_than is None else []
    if bad.slower_than is not None:
        found.append(f"duration > {parameters.bind(bad.slower_than)}")
    return f"coalesce({' OR '.join(found)}, false)"


def slice_of(span: TimeRange, slices: int, parameters: Parameters) -> str:
    """SQL for the start of the slice of time that a record falls into."""
    width = max(1, -(-span.length // slices))
    start = parameters.bind(span.start)
    return f"{start} + (time - {start}) // {width} * {width}"


def _pattern(text: str, *, around: bool = False) -> str:
    r"""A pattern for ``LIKE`` in which only ``*`` means anything; ``\`` escapes."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = escaped.replace("*", "%")
    return f"%{found}%" if around else found
