"""Questions of telemetry in the query language of Elasticsearch and OpenSearch.

Conditions mean what they mean over the embedded store, with these differences, which
``docs/reading-elasticsearch.md`` explains:

- A word of letters and digits is found anywhere in an analysed message, inside longer words too.
  Anything else is looked up as a phrase: words in this order, the last one begun at least,
  whatever signs stand between them.
- A field that holds numbers takes ``*`` only behind leading digits, and one that holds text
  cannot be compared with ``<`` and ``>``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from collectors.readers.elasticsearch.clauses import (
    NOTHING,
    Clause,
    all_of,
    any_of,
    none_of,
    within,
)
from collectors.readers.elasticsearch.columns import (
    NANOSECONDS_IN,
    Column,
    Place,
    Unit,
    cases,
    column,
)
from collectors.readers.elasticsearch.layouts import Layout
from collectors.readers.elasticsearch.mapped import FREE_FORM, KEYWORDS, NUMBERS, TEXTS, Mapped
from collectors.readers.names import ALIASES, LEVELS, LIFTED
from collectors.readers.telemetry import Badness, Filter, LogQuery, Where
from collectors.receive.severity import HIGHEST, LOWEST, WORDS
from slo.errors import QueryRejected
from slo.logquery import And, Compare, Expression, Has, Is, Not, Or, Words, parse
from slo.printable import quote
from slo.records import dataclass

_WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
_LEADING = re.compile(r"([1-9]\d{0,17})\*")
_DIGITS_OF_LONG = 18
_EXPANSIONS = 1000
_OPERATORS: Mapping[str, str] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
# Of a span that came from outside its service, or began there.
_ENTRIES = ("server", "consumer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Clauses over the documents of one layout; unmapped fields meet no condition."""

    layout: Layout
    mapped: Mapped
    source: str

    def where(self, asked: Where) -> Clause:
        """Whose records, when, and which: an app's, or what belongs to none."""
        return all_of(
            (
                within(self.layout.time, asked.range),
                self.owned(asked.app),
                *(() if asked.env is None else (self.equals("env", asked.env),)),
                *(self._filtered(each) for each in asked.filters),
            )
        )

    def owned(self, app: str | None) -> Clause:
        """The records of an app, or those that name none."""
        return none_of([self.present("app")]) if app is None else self.equals("app", app)

    def logs(self, query: LogQuery) -> Clause:
        """Everything that a query of log records asks, but for what was stored since when."""
        found = [self.where(query.where)]
        if query.text.strip():
            found.append(self.expression(parse(query.text)))
        if query.min_severity is not None:
            found.append(self.severity(query.min_severity, HIGHEST))
        for name, value in (("trace_id", query.trace_id), ("span_id", query.span_id)):
            if value is not None:
                found.append(self.equals(name, value))
        return all_of(found)

    def counted_spans(self, bad: Badness) -> Clause:
        """The spans that a question about failures counts: entry spans, or one operation's."""
        found = []
        if bad.service is not None:
            found.append(self.equals("service", bad.service))
        if bad.operation is not None:
            found.append(self.equals("name", bad.operation))
        else:
            found.append(self.entry())
        return all_of(found)

    def entry(self) -> Clause:
        """Spans in which work enters a service."""
        kinds = (self.equals("kind", each) for each in _ENTRIES)
        return any_of((*kinds, none_of([self.present("parent_id")])))

    def bad_span(self, bad: Badness) -> Clause:
        """Spans in error, or slower than they may be."""
        found = []
        if bad.error or bad.slower_than is None:
            found.append(self.equals("status", "error"))
        if bad.slower_than is not None:
            found += [
                # Whole units: a fraction of one is not slower, as fields hold no fractions.
                {"range": {each.path: {"gt": bad.slower_than // NANOSECONDS_IN[each.unit]}}}
                for each in self._mapped("duration")
            ]
        return any_of(found)

    def expression(self, query: Expression) -> Clause:
        """A query in the language of `slo.logquery`. Raises ``QueryRejected``."""
        match query:
            case Not(inner=inner):
                return none_of([self.expression(inner)])
            case And(parts=parts):
                return all_of(map(self.expression, parts))
            case Or(parts=parts):
                return any_of(map(self.expression, parts))
            case _:
                return self._leaf(query)

    def _leaf(self, query: Words | Has | Is | Compare) -> Clause:
        if isinstance(query, Words):
            return self._words(query.text)
        if isinstance(query, Has):
            return self._has(query.field)
        return self._is(query) if isinstance(query, Is) else self._compared(query)

    def severity(self, lowest: int, highest: int) -> Clause:
        """Records whose severity is in a range, both ends included."""
        return self._by_level(
            lambda number: lowest <= number <= highest, {"gte": lowest, "lte": highest}
        )

    def level(self, name: str) -> Clause:
        """Records of a level; those of none are ``unknown``."""
        if name in LEVELS:
            first = 1 + 4 * LEVELS.index(name)
            return self.severity(first, first + 3)
        return none_of([self.severity(LOWEST, HIGHEST)]) if name == "unknown" else NOTHING

    def equals(self, name: str, value: str) -> Clause:
        """Records whose column holds exactly a value."""
        return any_of(self._term(each, value, exact=True) for each in self._mapped(name))

    def one_of(self, name: str, values: Sequence[str]) -> Clause:
        """Records whose column holds one of many values, such as identifiers."""
        found = []
        for each in self._mapped(name):
            path = None if each.key else self.mapped.exact(each.path)
            if path is not None:
                found.append({"terms": {path: list(values)}})
        return any_of(found)

    def present(self, name: str) -> Clause:
        """Records that have a column at all."""
        return any_of(map(exists, self._mapped(name)))

    def _by_level(self, chosen: Callable[[int], bool], numbers: Mapping[str, int]) -> Clause:
        found: list[Clause] = []
        surer: list[Clause] = []
        for each in self._mapped("severity"):
            path = self.mapped.exact(each.path) or each.path
            if each.unit is Unit.NUMBER:
                clause: Clause = {"range": {path: dict(numbers)}}
            else:
                known = [word for word, number in WORDS.items() if chosen(number)]
                clause = {"terms": {path: [form for word in known for form in cases(word)]}}
            found.append(all_of((clause, none_of(surer))))
            surer.append(exists(each))
        return any_of(found)

    def _filtered(self, one: Filter) -> Clause:
        if one.value is None:
            found = self._has(one.field)
            return found if one.negated else none_of([found])
        if ALIASES.get(one.field, one.field) == "level":
            found = self.level(one.value)
        else:
            places = self._places(one.field)
            found = any_of(self._term(each, one.value, exact=True) for each in places)
        return none_of([found]) if one.negated else found

    def _has(self, field: str) -> Clause:
        if ALIASES.get(field, field) == "level":
            return {"match_all": {}}
        return any_of(map(exists, self._places(field)))

    def _is(self, query: Is) -> Clause:
        if ALIASES.get(query.field, query.field) == "level":
            if query.wildcard:
                pattern = re.compile(".*".join(map(re.escape, query.value.lower().split("*"))))
                names = [each for each in (*LEVELS, "unknown") if pattern.fullmatch(each)]
                return any_of(map(self.level, names))
            return self.level(query.value.lower())
        places = self._places(query.field)
        if query.wildcard:
            return any_of(self._pattern(each, query.value) for each in places)
        return any_of(self._term(each, query.value, exact=False) for each in places)

    def _compared(self, query: Compare) -> Clause:
        places = self._places(query.field)
        numbers = [each for each in places if self.mapped.of_path(each.path) & NUMBERS]
        if places and not numbers:
            raise QueryRejected(
                f"{self.source}: {quote(query.field)} is not mapped as a number, so it cannot be "
                "compared",
                source=self.source,
                hint="map the field as a number, or ask for a value of it",
            )
        return any_of(self._bounded(each, query) for each in numbers)

    def _bounded(self, place: Place, query: Compare) -> Clause:
        if abs(query.value) > self.mapped.largest(place.path):
            # Beyond what the field can hold, which the server would refuse to compare.
            every = (query.value > 0) == query.operator.startswith("<")
            return exists(place) if every else NOTHING
        return {"range": {place.path: {_OPERATORS[query.operator]: _number(query.value)}}}

    def _words(self, text: str) -> Clause:
        """Text anywhere in the message; what stands between two ``*`` is looked up by itself."""
        found = []
        for part in filter(None, text.split("*")):
            places = self._mapped("body")
            found.append(any_of(self._text(each.path, part) for each in places))
        return all_of(found)

    def _text(self, path: str, text: str) -> Clause:
        whole = self._whole(path)
        if whole is not None:
            return {"wildcard": {whole: _wildcard(f"*{_escaped(text)}*")}}
        if _WORD.fullmatch(text):
            return {"wildcard": {path: _wildcard(f"*{text.lower()}*")}}
        if not _WORD.search(text):
            raise QueryRejected(
                f"{self.source}: {quote(text)} has neither letters nor digits, and messages are "
                "indexed by words here",
                source=self.source,
                hint="look for a word, or map the message as wildcard too",
            )
        phrase = {"query": text, "max_expansions": _EXPANSIONS}
        return {"match_phrase_prefix": {path: phrase}}

    def _whole(self, path: str) -> str | None:
        """The field that holds a message unbroken and whatever its length."""
        if self.mapped.of_path(f"{path}.wildcard"):
            return f"{path}.wildcard"
        return path if self.mapped.of_path(path) <= KEYWORDS else None

    def _term(self, place: Place, value: str, *, exact: bool) -> Clause:
        """Where a place holds a value, whatever its case unless ``exact``."""
        if place.mapped is not None:
            spelt = place.mapped.get(value if exact else value.lower(), ())
            if place.key is not None:
                return any_of(self._listed(place, each) for each in spelt)
            return {"terms": {self._exact(place.path): list(spelt)}} if spelt else NOTHING
        if place.key is not None:
            return self._listed(place, value)
        types = self.mapped.of_path(place.path)
        if types <= NUMBERS:
            return self._numeric(place, value)
        if types == {"boolean"}:
            return _truth(place, value)
        return self._said(place, value, exact=exact)

    def _said(self, place: Place, value: str, *, exact: bool) -> Clause:
        path = self.mapped.exact(place.path)
        if path is None:
            return {"match_phrase": {place.path: value}}
        if self.mapped.of_path(path) <= KEYWORDS | FREE_FORM:
            return {"term": {path: value if exact else {"value": value, "case_insensitive": True}}}
        return {"match": {path: {"query": value, "lenient": True}}}

    def _exact(self, path: str) -> str:
        return self.mapped.exact(path) or path

    def _listed(self, place: Place, value: str) -> Clause:
        return _nested(place, {"term": {f"{place.path}.{place.named[1]}": value}})

    def _pattern(self, place: Place, value: str) -> Clause:
        if place.mapped is not None:
            pattern = re.compile(".*".join(map(re.escape, value.lower().split("*"))))
            names = [name for name in place.mapped if pattern.fullmatch(name)]
            return any_of(self._term(place, name, exact=True) for name in names)
        if place.key is not None:
            inner = {"wildcard": {f"{place.path}.{place.named[1]}": _wildcard(_escaped(value))}}
            return _nested(place, inner)
        types = self.mapped.of_path(place.path)
        if types <= NUMBERS:
            return self._leading(place, value)
        path = self._exact(place.path)
        if self.mapped.of_path(path) <= TEXTS:
            return all_of(self._text(path, part) for part in value.split("*") if part)
        if types <= FREE_FORM and value.index("*") == len(value) - 1:
            return {"prefix": {path: {"value": value[:-1]}}}
        return {"wildcard": {path: _wildcard(_escaped(value))}}

    def _leading(self, place: Place, value: str) -> Clause:
        """Whole numbers that begin with digits: 5* is 5, 50 to 59, 500 to 599, and so on."""
        if not value.strip("*"):
            return exists(place)
        match = _LEADING.fullmatch(value)
        if match is None:
            raise QueryRejected(
                f"{self.source}: {quote(place.path)} holds numbers, which {quote(value)} cannot "
                "be compared with",
                source=self.source,
                hint="ask for leading digits, such as 5*, or with < and >",
            )
        first, largest = int(match[1]), self.mapped.largest(place.path)
        sizes = (10**n for n in range(_DIGITS_OF_LONG - len(match[1]) + 1))
        return any_of(
            {"range": {place.path: {"gte": first * size, "lt": min((first + 1) * size, largest)}}}
            for size in sizes
            if first * size <= largest
        )

    def _numeric(self, place: Place, value: str) -> Clause:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return NOTHING
        if not number.is_finite() or abs(number) > self.mapped.largest(place.path):
            return NOTHING
        return {"term": {place.path: _number(number)}}

    def _mapped(self, name: str) -> Column:
        return self.mapped.only(self.layout.candidates(name))

    def _places(self, field: str) -> Column:
        """Where what people call a field may stand, of what is mapped at all."""
        found = self._mapped(ALIASES.get(field, field))
        if found:
            return found
        layout = self.layout
        for prefix, keys in (("attributes.", layout.attributes), ("resource.", layout.resource)):
            if field.startswith(prefix):
                return self.mapped.only(keys.candidates(field.removeprefix(prefix)))
        candidates = (
            *layout.attributes.candidates(field),
            *layout.resource.candidates(field),
            *column(field),
            *(layout.candidates(LIFTED[field]) if field in LIFTED else ()),
        )
        different = {(each.path, each.key): each for each in candidates}
        return self.mapped.only(different.values())


def exists(place: Place) -> Clause:
    """Documents that have a value at a place."""
    if place.key is not None:
        return _nested(place, {"match_all": {}})
    return {"exists": {"field": place.path}}


def _nested(place: Place, inner: Clause) -> Clause:
    """What holds of the entry of a list that has the place's key."""
    named = {"term": {f"{place.path}.{place.named[0]}": place.key}}
    found = all_of((named, inner))
    return {"nested": {"path": place.path, "query": found, "ignore_unmapped": True}}


def _truth(place: Place, value: str) -> Clause:
    lowered = value.lower()
    return {"term": {place.path: lowered}} if lowered in {"true", "false"} else NOTHING


def _number(value: Decimal) -> int | float:
    """A number that fits into JSON, exact where it is whole."""
    whole = value.adjusted() <= _DIGITS_OF_LONG and value == value.to_integral_value()
    return int(value) if whole else float(value)


def _wildcard(pattern: str) -> dict[str, object]:
    return {"value": pattern, "case_insensitive": True}


def _escaped(text: str) -> str:
    r"""A pattern in which only ``*`` means anything; ``\`` escapes."""
    return re.sub(r"([\\?])", r"\\\1", text)
