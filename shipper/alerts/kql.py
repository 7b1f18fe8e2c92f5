# SPDX-License-Identifier: Apache-2.0
"""The part of Kibana's query language that the rules are written in.

Stricter than Kibana: a value stands behind its field, a list of values is one of
``or`` alone, and a value with a space is quoted. What is read here is read by Kibana
in the same sense.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from shipper.errors import ShipperError

Operator: TypeAlias = Literal["<", "<=", ">", ">="]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>[():]|<=|>=|<|>)
      | "(?P<quoted>(?:\\.|[^"\\])*)"
      | (?P<bare>(?:\\.|[^\s():<>"\\])+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = frozenset({"and", "or", "not"})
_FIELD = re.compile(r"[A-Za-z@_][\w@.]*")
_SPECIAL = re.compile(r'([\\():<>"*{}])')


class KqlError(ShipperError):
    """A query that Kibana would refuse, or that is none of ours."""


class Value(Struct, frozen=True):
    """What a field is compared with.

    Attributes:
        text: without quotes and escapes.
        glob: a ``*`` in it stands for any signs.
    """

    text: str
    glob: bool = False


class Is(Struct, frozen=True):
    """A field has one of some values; the value ``*`` alone is any."""

    field: str
    values: tuple[Value, ...]

    @property
    def exists(self) -> bool:
        """Tell whether it asks for any value at all."""
        return self.values == (Value("*", glob=True),)


class Range(Struct, frozen=True):
    """A field is beyond a value: a number, a date, or ``now`` less a duration."""

    field: str
    operator: Operator
    value: str


class Not(Struct, frozen=True):
    """Whatever its part does not match."""

    part: Node


class All(Struct, frozen=True):
    """What each part matches."""

    parts: tuple[Node, ...]


class Any(Struct, frozen=True):
    """What at least one part matches."""

    parts: tuple[Node, ...]


Node: TypeAlias = Is | Range | Not | All | Any


def parse(text: str) -> Node:
    """Return what a query means.

    Args:
        text: the query.

    Raises:
        KqlError: it is not in the language.
    """
    return _Parser(text).query()


def fields(node: Node) -> Iterator[str]:
    """Yield the field of each comparison."""
    match node:
        case Is(field=field) | Range(field=field):
            yield field
        case Not(part=part):
            yield from fields(part)
        case All(parts=parts) | Any(parts=parts):
            for part in parts:
                yield from fields(part)


def quoted(value: str) -> str:
    """Return a value that stands for itself, as a query spells it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def globbed(value: str) -> str:
    """Return a value whose ``*`` stand for any signs, as a query spells it."""
    if "*" not in value:
        return quoted(value)
    return "*".join(_SPECIAL.sub(r"\\\1", part) for part in value.split("*"))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def query(self) -> Node:
        node = self._any()
        if self._at < len(self._tokens):
            raise self._wrong("the end")
        return node

    def _any(self) -> Node:
        parts = [self._all()]
        while self._word("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self) -> Node:
        parts = [self._not()]
        while self._word("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _not(self) -> Node:
        if self._word("not"):
            return Not(self._not())
        if self._sign("("):
            node = self._any()
            self._close()
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        field = self._value("a field")
        if not _FIELD.fullmatch(field.text):
            self._at -= 1
            raise self._wrong("a field")
        if self._sign(":"):
            return Is(field.text, tuple(self._values()))
        operators: tuple[Operator, ...] = ("<=", ">=", "<", ">")
        for operator in operators:
            if self._sign(operator):
                return Range(field.text, operator, self._value("a value").text)
        raise self._wrong("a colon")

    def _values(self) -> Iterable[Value]:
        if not self._sign("("):
            return [self._value("a value")]
        values = [self._value("a value")]
        while self._word("or"):
            values.append(self._value("a value"))
        self._close()
        return values

    def _value(self, wanted: str) -> Value:
        kind, text = self._next()
        if kind not in {"bare", "quoted"} or _is_word(kind, text):
            raise self._wrong(wanted)
        self._at += 1
        plain = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
        star = "*" in re.sub(r"\\.", "", text, flags=re.DOTALL)
        return Value(plain, glob=kind == "bare" and star)

    def _close(self) -> None:
        if not self._sign(")"):
            raise self._wrong("a closing parenthesis")

    def _word(self, word: str) -> bool:
        kind, text = self._next()
        return self._take(kind == "bare" and text.lower() == word)

    def _sign(self, sign: str) -> bool:
        return self._take(self._next() == ("sign", sign))

    def _take(self, found: bool) -> bool:  # noqa: FBT001  what was found, no option
        self._at += found
        return found

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _wrong(self, wanted: str) -> KqlError:
        found = self._next()[1] or "nothing"
        return KqlError(f"{self._text!r}: {wanted} is expected, not {found}.")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    text = text.rstrip()
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise KqlError(f"{text!r}: {text[at:].strip()[:20]!r} cannot be read.")
        at = found.end()
        kind = found.lastgroup or ""
        yield kind, found[kind]


def _is_word(kind: str, text: str) -> bool:
    return kind == "bare" and text.lower() in _WORDS
