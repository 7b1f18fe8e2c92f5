# SPDX-License-Identifier: Apache-2.0
"""Codes by what is known of them: a name, a part of one, a word of ours."""

from __future__ import annotations

from shipper.knowledge import table, words
from shipper.knowledge.codes import Reading, explain


def named(symbol: str) -> tuple[Reading, ...]:
    """Explain a code by its name.

    Args:
        symbol: such as ``ERROR_PRIVILEGE_NOT_HELD``, any case.

    Returns:
        A reading for each code of that name; none if there is none.
    """
    return tuple(
        reading
        for value, namespace in table.named(symbol)
        for reading in explain(value, namespace=namespace)
        if reading.namespace == namespace
    )


def worded() -> tuple[Reading, ...]:
    """Return the readings of all codes that have words of ours."""
    return tuple(_in(namespace, value) for namespace, value in words.every())


def search(word: str) -> tuple[Reading, ...]:
    """Find codes by a part of their symbols or of our words.

    Args:
        word: any case.

    Returns:
        A reading for each code, those with words of ours first.
    """
    wanted = word.upper()
    found = {
        (reading.namespace, reading.value): reading
        for reading in worded()
        if wanted in f"{reading.symbol} {reading.meaning} {reading.advice}".upper()
    }
    for value, namespace, names in table.every():
        if any(wanted in name.upper() for name in names):
            found.setdefault((namespace, value), _in(namespace, value))
    return tuple(found.values())


def _in(namespace: str, value: int) -> Reading:
    """Give the reading of a code that a table has."""
    readings = explain(value, namespace=namespace)
    return next(reading for reading in readings if reading.namespace == namespace)
