# SPDX-License-Identifier: Apache-2.0
"""A clock that only moves when it is told to."""

from __future__ import annotations


class StillClock:
    """A clock for tests.

    Attributes:
        now_s: monotonic seconds.
        now_ms: wall clock, milliseconds since 1970.
    """

    def __init__(self, *, now_s: float = 100.0, now_ms: int = 1_000_000) -> None:
        self.now_s = now_s
        self.now_ms = now_ms

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self.now_s

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return self.now_ms
