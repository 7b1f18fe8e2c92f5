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
_LOOK_S = 0.1


class Gate:
    """Endless, interruptible back-off with full jitter: 0.5 s doubling to 30 s.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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

    def wait(self, asked: threading.Event | None = None) -> bool:
        """Wait until something may be sent; ``False`` when asked to stop instead.

        Args:
            asked: another way to be asked to stop; looked at ten times a second.
        """
        with self._condition:
            while not (self._stopped or (asked is not None and asked.is_set())):
                left = self._not_before - self._clock.monotonic()
                if left <= 0:
                    return True
                self._condition.wait(left if asked is None else min(left, _LOOK_S))
            return False

    def failed(self, problem: ShipperError) -> None:
        """Close the gate for a while. Failures at the same time count once."""
        with self._condition:
            now = self._clock.monotonic()
            if now >= self._not_before:
                ceiling = min(LONGEST_S, FIRST_S * 2**self._failures)
                self._failures = min(self._failures + 1, 32)
                # Not for secrecy: senders must not come back all at once.
                self._not_before = now + random.uniform(FIRST_S / 2, ceiling)  # noqa: S311
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
        """Open the gate."""
        with self._condition:
            recovered = self._problem is not None
            self._failures, self._not_before, self._problem = 0, 0.0, None
            self._said = ""
            self._condition.notify_all()
        if recovered:
            _log.info("documents are delivered again")

    def stop(self) -> None:
        """End all waits."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
