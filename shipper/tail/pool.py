# SPDX-License-Identifier: Apache-2.0
"""Threads for calls that may hang: a dead share must not stop the others.

A stuck call keeps its thread, which nobody waits for; the thread is replaced, up to a
limit, and its host is not asked again until the call returns.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import structlog

from shipper.clock import Clock

_log = structlog.get_logger(__name__)

STUCK_S = 30.0
_TEND_S = 0.5  # between looks for calls that have become stuck


class ShareReaders:
    """A pool of daemon threads.

    Args:
        clock: time.
        threads: calls that run at the same time.
        max_stuck: stuck calls that are replaced by further threads.
    """

    def __init__(self, clock: Clock, threads: int, max_stuck: int) -> None:
        self._clock = clock
        self._threads = threads
        self._max_stuck = max_stuck
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._changed = threading.Condition()
        self._since: dict[str, float] = {}  # name of a running job -> its start
        self._alive = 0
        self._stopped = threading.Event()
        self._tender = threading.Thread(
            target=self._tend, name="share-readers", daemon=True
        )

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Run ``job`` soon.

        Args:
            name: stands for it; the caller sees to it that there is one at a time each.
            job: what to call; it may hang.
        """
        with self._changed:
            if self._tender.ident is None:
                self._tender.start()
            self._jobs.append((name, job))
            self._grow()
            self._changed.notify()

    def stuck(self) -> list[str]:
        """Return the names of the calls that hang."""
        now = self._clock.monotonic()
        return [n for n, since in list(self._since.items()) if now - since > STUCK_S]

    def stop(self) -> None:
        """Let idle threads end, and forget what has not begun.

        Stuck threads stay behind and die with the process.
        """
        with self._changed:
            self._stopped.set()
            self._jobs.clear()
            self._changed.notify_all()

    def _limit(self) -> int:
        return self._threads + min(len(self.stuck()), self._max_stuck)

    def _grow(self) -> None:
        """Start the threads that waiting jobs need; the lock is held."""
        idle = self._alive - len(self._since)
        for _ in range(min(len(self._jobs) - idle, self._limit() - self._alive)):
            self._alive += 1
            threading.Thread(
                target=self._work, name="share-reader", daemon=True
            ).start()

    def _tend(self) -> None:
        # Nobody may come to submit: all sources may be waiting behind stuck calls.
        while not self._stopped.wait(_TEND_S):
            with self._changed:
                self._grow()

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            name, job = entry
            try:
                job()
            except Exception:  # noqa: BLE001 - a thread must not end in silence
                _log.exception("a look at a share failed")
            with self._changed:
                del self._since[name]

    def _next(self) -> tuple[str, Callable[[], None]] | None:
        """Wait for a job; ``None`` if this thread is to end."""
        with self._changed:
            while not self._stopped.is_set() and self._alive <= self._limit():
                if self._jobs:
                    name, job = self._jobs.popleft()
                    self._since[name] = self._clock.monotonic()
                    return name, job
                self._changed.wait()
            self._alive -= 1
            self._changed.notify()  # what woke this one may concern another
            return None
