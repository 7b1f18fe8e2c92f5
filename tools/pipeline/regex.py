# SPDX-License-Identifier: Apache-2.0
"""Python's regular expressions as Java's, for Painless.

From Python's own syntax tree, so that flags, comments and blanks of the source do not
matter. What Java would read otherwise, or does not know, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

#: A word boundary, spelled out: versions of Java differ in which letters make a word.
_BOUNDARY = r"(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))"
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_PLACES = {
    sre.AT_BEGINNING: r"\A",
    sre.AT_BEGINNING_STRING: r"\A",
    sre.AT_END: r"(?=\x0a?\z)",
    sre.AT_END_STRING: r"\z",
    sre.AT_BOUNDARY: _BOUNDARY,
}
_REPEATS = {sre.MAX_REPEAT: "", sre.MIN_REPEAT: "?", sre.POSSESSIVE_REPEAT: "+"}
_SHORT = {(0, 1): "?", (0, sre.MAXREPEAT): "*", (1, sre.MAXREPEAT): "+"}
_KNOWN = re.IGNORECASE | re.ASCII | re.VERBOSE | re.DOTALL | re.UNICODE

#: All that Python takes for white space, in the Basic Multilingual Plane.
WHITE = "".join(char for char in map(chr, range(0x10000)) if char.isspace())


_SPACE = "".join(f"\\u{ord(char):04x}" for char in WHITE)


def painless(pattern: re.Pattern[str], given: tuple[str, bool] | None = None) -> str:
    """Return an expression as a Painless literal.

    Args:
        pattern: compiled, with ASCII rules or nothing for which the rules differ but
            white space.
        given: a group that is taken for part of what was found, or for none. Java has
            no conditions on groups, so an expression with one is written twice.

    Raises:
        ValueError: it has something that means another thing in Java.
    """
    chosen = (pattern.groupindex[given[0]], given[1]) if given else None
    tree = parser.parse(pattern.pattern, pattern.flags)
    return _literal(pattern, _Writer(pattern.flags, chosen).sequence(tree))


def alternatives(pattern: re.Pattern[str]) -> list[str]:
    """Return the ways of an expression as Painless literals, one each.

    Args:
        pattern: compiled; nothing but alternatives.
    """
    (branch,) = parser.parse(pattern.pattern, pattern.flags)
    writer = _Writer(pattern.flags, None)
    return [_literal(pattern, writer.sequence(way)) for way in branch[1][1]]


def _literal(pattern: re.Pattern[str], written: str) -> str:
    flags = pattern.flags
    plain = not flags & re.ASCII
    if flags & ~_KNOWN or (plain and flags & re.IGNORECASE):
        raise ValueError(f"{pattern.pattern!r}: flags {re.RegexFlag(flags)!r}")
    if plain:
        if re.search(r"\\[dDwWS]", written):
            raise ValueError(f"{pattern.pattern!r} looks at letters of all scripts")
        written = re.sub(r"\[[^]]*\]|\\s", _spaced, written)
    # Only "\n" ends a line, as in Python.
    return f"/(?d{'i' if flags & re.IGNORECASE else ''}){written}/"


def _spaced(found: re.Match[str]) -> str:
    inside = found[0].replace(r"\s", _SPACE)
    return inside if found[0].startswith("[") else f"[{inside}]"


def groups(pattern: re.Pattern[str]) -> dict[str, int]:
    """Return the numbers of an expression's named groups."""
    return dict(pattern.groupindex)


class _Writer:
    """Writes a syntax tree down."""

    def __init__(self, flags: int, chosen: tuple[int, bool] | None) -> None:
        self._dot = r"[\x00-\uffff]" if flags & re.DOTALL else "."
        self._chosen = chosen

    def sequence(self, items: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self._item(kind, value) for kind, value in items)

    def _item(self, kind: Any, value: Any) -> str:  # noqa: ANN401 - sre's tree
        match kind:
            case sre.BRANCH:
                return self._branch(value[1])
            case sre.SUBPATTERN if not value[1] and not value[2]:
                opening = "(?:" if value[0] is None else "("
                return f"{opening}{self.sequence(value[3])})"
            case sre.ASSERT | sre.ASSERT_NOT:
                sign = "=" if kind is sre.ASSERT else "!"
                behind = "<" if value[0] < 0 else ""
                return f"(?{behind}{sign}{self.sequence(value[1])})"
            case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
                return self._repeat(kind, value)
            case sre.GROUPREF_EXISTS if self._chosen and self._chosen[0] == value[0]:
                return self.sequence(value[1] if self._chosen[1] else value[2] or ())
            case _:
                return self._single(kind, value)

    def _single(self, kind: Any, value: Any) -> str:  # noqa: ANN401 - sre's tree
        match kind:
            case sre.LITERAL:
                return _character(value)
            case sre.NOT_LITERAL:
                return f"[^{_character(value)}]"
            case sre.ANY:
                return self._dot
            case sre.IN:
                return _class(value)
            case sre.AT if value in _PLACES:
                return _PLACES[value]
            case _:
                raise ValueError(f"{kind} {value!r} has no counterpart in Java")

    def _branch(self, ways: list[Any]) -> str:
        if self._chosen:
            number, there = self._chosen
            fits = [way for way in ways if _holds(way, number) == there]
            if any(_holds(way, number) for way in ways):
                ways = fits
        return f"(?:{'|'.join(map(self.sequence, ways))})"

    def _repeat(self, kind: Any, value: Any) -> str:  # noqa: ANN401 - sre's tree
        least, most, inner = value
        body = self.sequence(inner)
        if len(inner) != 1 or inner[0][0] not in (sre.LITERAL, sre.IN, sre.ANY):
            body = f"(?:{body})"
        times = _SHORT.get((least, most))
        if times is None:
            upper = "" if most is sre.MAXREPEAT else most
            times = f"{{{least}}}" if least == most else f"{{{least},{upper}}}"
        return f"{body}{times}{_REPEATS[kind]}"


def _holds(items: Iterable[tuple[Any, Any]], number: int) -> bool:
    """Tell whether a group is one of some items."""
    return any(kind is sre.SUBPATTERN and value[0] == number for kind, value in items)


def _class(members: list[tuple[Any, Any]]) -> str:
    written = ""
    for kind, value in members:
        match kind:
            case sre.NEGATE:
                written += "^"
            case sre.LITERAL:
                written += _character(value)
            case sre.RANGE:
                written += f"{_character(value[0])}-{_character(value[1])}"
            case sre.CATEGORY if value in _CATEGORIES:
                written += _CATEGORIES[value]
            case _:
                raise ValueError(f"{kind} {value!r} in a class has no counterpart")
    return f"[{written}]"


def _character(code: int) -> str:
    character = chr(code)
    if character.isascii() and character.isalnum():
        return character
    # Whatever else there is might mean something in Java, or end the literal.
    if character in " _<>=!:,;\"'%@~`":
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
