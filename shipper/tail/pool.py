# SPDX-License-Identifier: Apache-2.0
"""Threads for calls that may hang: a dead share must not stop the others.

A stuck call keeps its thread, which nobody waits for; the thread is replaced, up to a
limit, and its host is not asked again until the call returns.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import structlog

from shipper.clock import Clock

_log = structlog.get_logger(__name__)

STUCK_S = 30.0


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
        self._jobs: queue.SimpleQueue[tuple[str, Callable[[], None]] | None]
        self._jobs = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}  # name of a running job -> its start
        self._alive = 0
        self._waiting = 0

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Run ``job`` soon. ``name`` stands for it in messages; one at a time each."""
        self._jobs.put((name, job))
        with self._lock:
            self._waiting += 1
            stuck = min(len(self.stuck()), self._max_stuck)
            idle = self._alive - len(self._since)
            if idle < self._waiting and self._alive < self._threads + stuck:
                self._alive += 1
                threading.Thread(
                    target=self._work, name="share-reader", daemon=True
                ).start()

    def stuck(self) -> list[str]:
        """Return the names of the calls that hang."""
        now = self._clock.monotonic()
        return [n for n, since in list(self._since.items()) if now - since > STUCK_S]

    def stop(self) -> None:
        """Let idle threads end. Stuck ones stay behind and die with the process."""
        for _ in range(self._alive):
            self._jobs.put(None)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            name, job = entry
            with self._lock:
                self._waiting -= 1
                self._since[name] = self._clock.monotonic()
            try:
                job()
            finally:
                with self._lock:
                    del self._since[name]
