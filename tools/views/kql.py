# SPDX-License-Identifier: Apache-2.0
"""The part of Kibana's query language that our views use, read strictly.

Values are words, quoted texts, or ``*`` alone; groups of values, comparisons, ``not``,
``and`` and ``or`` are known, in this order of strength. Wildcards within a word, free
text without a field and nested fields are refused: no view of ours needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Query = dict[str, Any]
"""A query as Elasticsearch takes it."""

_TOKEN = re.compile(
    r"""\s*+(?:(?P<quoted>"(?:[^"\\]|\\.)*+")|(?P<mark><=|>=|[<>:()])|
    (?P<word>[^\s"<>:()]++))""",
    re.VERBOSE,
)
_RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_KEYWORDS = frozenset({"and", "or", "not"})
_MARKS = frozenset({"", ":", "(", ")", *_RANGES})


class KqlError(ValueError):
    """A text that is no query, or not one of the kind we use."""


def compiled(text: str) -> Query:
    """Return the query for Elasticsearch; an empty text finds everything.

    Raises:
        KqlError: it cannot be read.
    """
    if not text.strip():
        return {"match_all": {}}
    return _Reader(text).query()


class Condition(NamedTuple):
    """What a query asks of a field.

    Attributes:
        field: its name.
        kind: of the query in Elasticsearch: exists, match, match_phrase or range.
        value: what is asked for; empty where any will do.
    """

    field: str
    kind: str
    value: str = ""


def conditions(query: Query) -> Iterator[Condition]:
    """Yield what a query asks, however deep."""
    ((kind, inside),) = query.items()
    match kind:
        case "bool":
            for clauses in inside.values():
                for clause in clauses if isinstance(clauses, list) else ():
                    yield from conditions(clause)
        case "exists":
            yield Condition(inside["field"], kind)
        case "match" | "match_phrase":
            ((field, value),) = inside.items()
            yield Condition(field, kind, value)
        case "range":
            ((field, limit),) = inside.items()
            yield from (Condition(field, kind, value) for value in limit.values())
        case _:
            pass


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def query(self) -> Query:
        found = self._either(self._condition)
        if self._at < len(self._tokens):
            self._refuse("the end")
        return found

    def _either(self, part: Callable[[], Query]) -> Query:
        return self._joined("or", lambda: self._all(part))

    def _all(self, part: Callable[[], Query]) -> Query:
        return self._joined("and", lambda: self._negated(part))

    def _joined(self, word: str, part: Callable[[], Query]) -> Query:
        parts = [part()]
        while self._next_is(word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        if word == "and":
            return {"bool": {"filter": parts}}
        return {"bool": {"should": parts, "minimum_should_match": 1}}

    def _negated(self, part: Callable[[], Query]) -> Query:
        if self._next_is("not"):
            return {"bool": {"must_not": [self._negated(part)]}}
        if self._next_is("("):
            inside = self._either(part)
            self._require(")")
            return inside
        return part()

    def _condition(self) -> Query:
        field = self._field()
        mark = self._take()
        if mark in _RANGES:
            return {"range": {field: {_RANGES[mark]: self._value()[0]}}}
        if mark != ":":
            self._refuse("a colon or a comparison", back=1)
        return self._negated(lambda: self._match(field))

    def _match(self, field: str) -> Query:
        value, quoted = self._value()
        if value == "*" and not quoted:
            return {"exists": {"field": field}}
        if "*" in value and not quoted:
            self._refuse("a value without a wildcard", back=1)
        return {"match_phrase" if quoted else "match": {field: value}}

    def _value(self) -> tuple[str, bool]:
        taken = self._take()
        if taken.startswith('"'):
            return re.sub(r"\\(.)", r"\1", taken[1:-1]), True
        if taken in _MARKS or taken.lower() in _KEYWORDS:
            self._refuse("a value", back=1)
        return taken, False

    def _field(self) -> str:
        taken = self._take()
        name = taken[1:-1] if taken.startswith('"') else taken
        if not re.fullmatch(r"[\w@.]+", name) or taken.lower() in _KEYWORDS:
            self._refuse("a field", back=1)
        return name

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _next_is(self, token: str) -> bool:
        there = self._at < len(self._tokens)
        found = there and self._tokens[self._at].lower() == token
        self._at += found
        return found

    def _require(self, token: str) -> None:
        if not self._next_is(token):
            self._refuse(f'"{token}"')

    def _refuse(self, wanted: str, back: int = 0) -> None:
        rest = " ".join(self._tokens[self._at - back :]) or "the end"
        raise KqlError(f"{self._text!r}: {wanted} is wanted before {rest!r}")


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise KqlError(f"{text!r}: a quotation mark is not closed")
        yield found[0].strip()
        position = found.end()
