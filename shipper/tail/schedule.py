# SPDX-License-Identifier: Apache-2.0
"""When each log is looked at next: often while it is written, seldom while it is quiet.

The sweep is the truth and file system events are hints, because they get lost: buffers
overflow, and Windows may report nothing for a file its writer holds open.
"""

from __future__ import annotations

import heapq
import threading

from shipper.clock import Clock

_GROWTH = 1.5
_TROUBLE_GROWTH = 2
#: The longest interval of a machine out of reach, in longest intervals of a quiet log.
TROUBLE_FACTOR = 10


class Schedule:
    """A queue of sources by the time of their next visit. Safe for several threads.

    Args:
        clock: time.
        shortest_s: seconds between visits to a log that is being written.
        longest_s: upper limit, in seconds, for one that is quiet.
    """

    def __init__(self, clock: Clock, shortest_s: float, longest_s: float) -> None:
        self._clock = clock
        self._shortest = shortest_s
        self._longest = longest_s
        self._condition = threading.Condition()
        self._due: dict[str, float] = {}
        self._interval: dict[str, float] = {}
        self._limit: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._away: set[str] = set()
        self._hinted: set[str] = set()
        self._woken = False

    def add(self, key: str, *, longest_s: float | None = None) -> None:
        """Put a source in, due at once. A known one stays as it is.

        Args:
            key: the source.
            longest_s: upper limit for this one, in seconds.
        """
        with self._condition:
            if key not in self._interval:
                self._limit[key] = self._longest if longest_s is None else longest_s
                self._interval[key] = self._shortest
                self._push(key, self._clock.monotonic())

    def hint(self, key: str) -> None:
        """Make a source due at once."""
        with self._condition:
            if key in self._away:
                self._hinted.add(key)
            elif key in self._interval:
                self._interval[key] = self._shortest
                self._push(key, self._clock.monotonic())

    def next(self, timeout_s: float) -> str | None:
        """Return a source that is due, waiting up to ``timeout_s`` seconds for one.

        A :meth:`wake`, also one from before, ends the wait.
        """
        deadline = self._clock.monotonic() + timeout_s
        with self._condition:
            while True:
                now = self._clock.monotonic()
                while (
                    self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]
                ):
                    heapq.heappop(self._heap)  # it was moved since
                if self._heap and self._heap[0][0] <= now:
                    key = heapq.heappop(self._heap)[1]
                    del self._due[key]
                    self._away.add(key)
                    return key
                if self._woken:
                    self._woken = False
                    return None
                due = self._heap[0][0] if self._heap else deadline
                if now >= deadline:
                    return None
                self._condition.wait(max(0.0, min(due, deadline) - now))

    def done(
        self, key: str, *, active: bool, more: bool = False, trouble: bool = False
    ) -> None:
        """Put a visited source back.

        Args:
            key: the source.
            active: the visit brought something.
            more: there is more to read right away.
            trouble: it is out of reach. Its interval doubles from the limit of a quiet
                source up to ten times that; the first success ends this.
        """
        with self._condition:
            self._away.discard(key)
            hinted = key in self._hinted
            self._hinted.discard(key)
            interval, limit = self._interval[key], self._limit[key]
            if trouble:
                longer = max(limit, interval * _TROUBLE_GROWTH)
                interval = min(limit * TROUBLE_FACTOR, longer)
            elif active or hinted or interval > limit:
                interval = self._shortest
            else:
                interval = min(limit, interval * _GROWTH)
            self._interval[key] = interval
            wait = 0.0 if more or hinted else interval
            self._push(key, self._clock.monotonic() + wait)

    def wake(self) -> None:
        """End a wait in :meth:`next` early."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def _push(self, key: str, due: float) -> None:
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))
        self._condition.notify()
