# SPDX-License-Identifier: Apache-2.0
"""A clock that moves only when it is told to."""

from __future__ import annotations

#: 2003-02-12 10:15:00 UTC, a day on which the logs of these tests were written.
START_MS = 1_045_044_900_000


class ManualClock:
    """A :class:`shipper.clock.Clock` that a test drives.

    Args:
        start_s: monotonic seconds to begin with.
    """

    def __init__(self, start_s: float = 1000.0) -> None:
        self._start_s = start_s
        self._now_s = start_s

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._now_s

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return START_MS + round((self._now_s - self._start_s) * 1000)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now_s += seconds
