# SPDX-License-Identifier: Apache-2.0
"""Our own words for the codes that matter here."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shipper.knowledge import library
from shipper.knowledge.entries import Technique

_FILE = "words.toml"

#: How ``words.toml`` spells the codes of each namespace.
_KEYS = {
    "win32": re.compile(r"[0-9]{1,5}"),
    "msi": re.compile(r"[0-9]{1,5}"),
    "exit": re.compile(r"[0-9]{1,5}"),
    "hresult": re.compile(r"[0-9A-F]{8}"),
    "ntstatus": re.compile(r"[0-9A-F]{8}"),
}
_DECIMAL = ("win32", "msi", "exit")

_Sentences = Annotated[str, Meta(min_length=1, max_length=400)]


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of ``words.toml``.

    Attributes:
        meaning: what the code says.
        check: what an analyst looks at.
        fix: what an administrator does, or empty.
        severity: ``success``, ``info``, ``warning`` or ``error`` where it is not what
            the bits say; otherwise empty.
        references: articles the words rest on.
        threat: what the code is consistent with, where the link is warranted.
    """

    meaning: _Sentences
    check: _Sentences
    fix: Annotated[str, Meta(max_length=400)] = ""
    severity: Literal["success", "info", "warning", "error", ""] = ""
    references: tuple[str, ...] = ()
    threat: tuple[Technique, ...] = ()


def words(namespace: str, value: int) -> Words | None:
    """Return our words for a code, if there are any.

    Args:
        namespace: ``win32``, ``hresult``, ``ntstatus``, ``msi`` or ``exit``.
        value: the code, unsigned, 32 bits.
    """
    return _all().get((namespace, value))


def every() -> tuple[tuple[str, int], ...]:
    """Return namespace and value of every code that has words, in the file's order."""
    return tuple(_all())


def parse_words(content: str) -> dict[tuple[str, int], Words]:
    """Read the text of ``words.toml``: tables ``namespace.code``.

    Args:
        content: TOML; ``hresult`` and ``ntstatus`` codes as eight capital hexadecimal
            digits, the others in decimal.

    Returns:
        The words by namespace and value.

    Raises:
        ShipperError: an entry cannot be used; names file, entry and reason.
    """
    found = {}
    for namespace, codes in library.tables(_FILE, content).items():
        pattern = _KEYS.get(namespace)
        if pattern is None or not isinstance(codes, dict):
            raise library.broken(_FILE, namespace, "is no namespace of codes")
        for key, raw in codes.items():
            place = f"{namespace}.{key}"
            if not pattern.fullmatch(key):
                raise library.broken(_FILE, place, "is not spelled as a code")
            value = int(key, 10 if namespace in _DECIMAL else 16)
            found[namespace, value] = library.entry(_FILE, place, raw, Words)
    return found


@cache
def _all() -> dict[tuple[str, int], Words]:
    return parse_words(library.text(_FILE))
