# SPDX-License-Identifier: Apache-2.0
"""Spans of time in which much happens at once, wherever they begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct


class Burst(Struct, frozen=True, kw_only=True):
    """Spans that overlap and in each of which there were enough.

    Attributes:
        first_ms: its first moment, milliseconds since 1970, UTC.
        last_ms: its last moment.
        values: what was there, in order.
    """

    first_ms: int
    last_ms: int
    values: tuple[str, ...]


def bursts(
    moments: Iterable[tuple[int, str]], *, span_ms: int, at_least: int
) -> list[Burst]:
    """Return the bursts, in order of time.

    A window that ends now would lose what happened shortly before it, and one that is
    made wider would join what has nothing to do with each other.

    Args:
        moments: milliseconds since 1970 and what was there, in any order.
        span_ms: length of a span.
        at_least: so many different values make a span count.
    """
    ordered = sorted(moments)
    inside: Counter[str] = Counter()
    begin = 0
    spans: list[tuple[int, int]] = []  # positions, the end excluded
    for position, (now_ms, value) in enumerate(ordered):
        inside[value] += 1
        while ordered[begin][0] < now_ms - span_ms:
            gone = ordered[begin][1]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            begin += 1
        if len(inside) < at_least:
            continue
        if spans and begin < spans[-1][1]:
            spans[-1] = spans[-1][0], position + 1
        else:
            spans.append((begin, position + 1))
    return [
        Burst(
            first_ms=ordered[start][0],
            last_ms=ordered[end - 1][0],
            values=tuple(sorted({value for _, value in ordered[start:end]})),
        )
        for start, end in spans
    ]
