# SPDX-License-Identifier: Apache-2.0
"""One gate for all senders: closed while the server is away, opened step by step."""

from __future__ import annotations

import random
import threading

import structlog

from shipper.clock import Clock
from shipper.errors import ShipperError

_log = structlog.get_logger(__name__)

FIRST_S = 0.5
LONGEST_S = 30.0
_REMIND_S = 60.0
_MORE_S = 30.0
_LONGEST_ASKED_S = 300.0


class Gate:
    """Endless, interruptible back-off with full jitter: 0.5 s doubling to 30 s.

    Fewer pass at a time when the server says it is busy: half as many, and one more
    for each 30 s without that.

    Args:
        clock: time.
        places: most that pass at a time.
    """

    def __init__(self, clock: Clock, places: int = 1) -> None:
        self._clock = clock
        self._places = self._free = places
        self._passing: dict[int, float] = {}  # since when, by thread
        self._busy_at = 0.0
        self._left_alone_until = 0.0
        self._condition = threading.Condition()
        self._failures = 0
        self._not_before = 0.0
        self._said = ""
        self._said_at = 0.0
        self._stopped = False
        self._problem: ShipperError | None = None

    @property
    def problem(self) -> ShipperError | None:
        """Why nothing is delivered at the moment, if so."""
        return self._problem

    def wait(self) -> bool:
        """Wait until something may be sent; ``False`` when asked to stop instead."""
        with self._condition:
            while not self._stopped:
                left = self._not_before - self._clock.monotonic()
                if left <= 0:
                    return True
                self._condition.wait(left)
            return False

    def enter(self) -> bool:
        """Wait until something may be sent, and take a place; see :meth:`wait`."""
        with self._condition:
            while not self._stopped:
                closed = self._not_before - self._clock.monotonic()
                if closed <= 0 and len(self._passing) < self.places:
                    self._passing[threading.get_ident()] = self._clock.monotonic()
                    return True
                self._condition.wait(closed if closed > 0 else _MORE_S)
            return False

    def leave(self) -> None:
        """Give the place back."""
        with self._condition:
            del self._passing[threading.get_ident()]
            self._condition.notify_all()

    @property
    def silence_s(self) -> float:
        """Seconds for which one that has passed has not been answered."""
        with self._condition:
            now = self._clock.monotonic()
            return now - min(self._passing.values(), default=now)

    @property
    def places(self) -> int:
        """How many may pass at a time, as of now."""
        more = int((self._clock.monotonic() - self._busy_at) / _MORE_S)
        return min(self._places, self._free + more)

    def failed(
        self, problem: ShipperError, *, busy: bool = False, wait_s: float = 0.0
    ) -> None:
        """Close the gate for a while. Failures at the same time count once.

        Args:
            problem: why nothing can be delivered.
            busy: the server has too much to do.
            wait_s: seconds it asks to be left alone for; at most five minutes count.
        """
        with self._condition:
            now = self._clock.monotonic()
            if busy and now >= self._not_before:
                self._free = max(1, self.places // 2)
                self._busy_at = now
            asked = now + min(wait_s, _LONGEST_ASKED_S)
            self._left_alone_until = max(self._left_alone_until, asked)
            if now >= self._not_before:
                ceiling = min(LONGEST_S, FIRST_S * 2**self._failures)
                self._failures = min(self._failures + 1, 32)
                # Not for secrecy: senders must not come back all at once.
                self._not_before = now + random.uniform(FIRST_S / 2, ceiling)  # noqa: S311
            self._not_before = max(self._not_before, self._left_alone_until)
            self._problem = problem
            again = problem.message == self._said and now - self._said_at < _REMIND_S
            if not again:
                self._said, self._said_at = problem.message, now
        if not again:
            _log.warning(
                "nothing can be delivered; trying again until it works",
                reason=problem.message,
                remedy=problem.remedy,
            )

    def passed(self) -> None:
        """Open the gate, unless the server asked to be left alone."""
        with self._condition:
            recovered = self._problem is not None
            self._failures, self._problem = 0, None
            self._not_before = self._left_alone_until
            self._said = ""
            self._condition.notify_all()
        if recovered:
            _log.info("documents are delivered again")

    def stop(self) -> None:
        """End all waits."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
