# SPDX-License-Identifier: Apache-2.0
"""Time, injected: the only module that asks the machine for it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the shipper needs to know about time."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000


def pause(seconds: float) -> None:
    """Do nothing for a while, without a lock.

    Not an event's wait: a signal's handler that sets the event runs in the waiting
    thread itself, and would wait for ever for the lock that the wait holds.
    """
    time.sleep(seconds)
