# SPDX-License-Identifier: Apache-2.0
"""Numbers and symbols of 11,343 Windows codes, searched in place."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import cache

from shipper.knowledge import library

#: Family letters of the rows and the namespaces they stand for.
FAMILIES = {"W": "win32", "H": "hresult", "N": "ntstatus"}

_DIGITS = 8  # a row begins with that many hexadecimal digits and its family letter


def symbols(value: int) -> dict[str, tuple[str, ...]]:
    """Look a code up.

    Args:
        value: the code, unsigned, 32 bits.

    Returns:
        Its symbols by namespace (``win32``, ``hresult``, ``ntstatus``), each with the
        usual one first; empty if no header names it.
    """
    return search(_rows(), value)


def search(rows: bytes | mmap.mmap, value: int) -> dict[str, tuple[str, ...]]:
    """Find a code's rows by bisection over the bytes.

    Args:
        rows: sorted lines ``8 hex digits + family letter, tab, symbols``.
        value: the code, unsigned, 32 bits.
    """
    key = b"%08X" % value
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        # Without a newline before it the line begins where the range does.
        start = rows.rfind(b"\n", low, middle) + 1 or low
        if rows[start : start + _DIGITS] < key:
            low = _line_end(rows, middle)
        else:
            high = start
    found = {}
    while rows[low : low + _DIGITS] == key:
        end = _line_end(rows, low)
        head, _, names = rows[low:end].decode("ascii").rstrip().partition("\t")
        found[FAMILIES[head[_DIGITS]]] = tuple(names.split("|"))
        low = end
    return found


def named(symbol: str) -> tuple[tuple[int, str], ...]:
    """Find codes by name.

    Args:
        symbol: any case.

    Returns:
        Code and namespace of each row that has the symbol.
    """
    return tuple(_by_name().get(symbol.upper(), ()))


def every() -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield code, namespace and symbols of each row, in the order of the codes."""
    for line in bytes(_rows()).decode("ascii").splitlines():
        head, _, names = line.partition("\t")
        yield int(head[:_DIGITS], 16), FAMILIES[head[_DIGITS]], tuple(names.split("|"))


@cache
def _by_name() -> dict[str, list[tuple[int, str]]]:
    """Return the rows by symbol in capitals; some are written in small letters."""
    found: dict[str, list[tuple[int, str]]] = {}
    for value, namespace, names in every():
        for name in names:
            found.setdefault(name.upper(), []).append((value, namespace))
    return found


@cache
def _rows() -> bytes | mmap.mmap:
    return library.mapped("codes.tsv")


def _line_end(rows: bytes | mmap.mmap, inside: int) -> int:
    return rows.find(b"\n", inside) + 1 or len(rows)
