# SPDX-License-Identifier: Apache-2.0
"""Threads for calls that may hang: a dead share must not stop the others.

A slow call no longer counts against the threads; it is replaced, up to a limit, and
its name is not asked again until it returns. What was slow last time counts as slow
from its start, so that machines which are switched off cost the others nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from math import inf
from typing import TypeVar

import structlog

from shipper.clock import Clock

_log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Seconds after which a call is slow. A healthy look at a share takes milliseconds.
SLOW_S = 0.5
_TEND_S = 0.1  # between looks for calls that have become slow

_Job = tuple[str, Callable[[], None]]


class ShareReaders:
    """A pool of daemon threads.

    Args:
        clock: time.
        threads: calls that run at the same time.
        max_stuck: slow or stuck calls beside them.
    """

    def __init__(self, clock: Clock, threads: int, max_stuck: int) -> None:
        self._clock = clock
        self._threads = threads
        self._max_stuck = max_stuck
        self._prompt: deque[_Job] = deque()
        self._doubtful: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._since: dict[str, float] = {}  # name of a running job -> its start
        self._doubted: set[str] = set()  # of those the ones slow last time
        self._slow: set[str] = set()  # names that were slow last time
        self._alive = 0
        self._told = False
        self._stopped = threading.Event()
        self._tender = threading.Thread(
            target=self._tend, name="share-readers", daemon=True
        )

    def submit(
        self, name: str, call: Callable[[], T], then: Callable[[T | None], None]
    ) -> None:
        """Run ``call`` soon.

        Args:
            name: stands for it; the caller sees to it that there is one at a time each.
            call: what to call; it may hang.
            then: called with what it returned, ``None`` if it failed. It may wait: that
                is not taken for a hanging share, and starts no further thread.
        """

        def job() -> None:
            found = None
            try:
                found = call()
            finally:
                self._returned(name)
                then(found)

        with self._changed:
            if self._tender.ident is None:
                self._tender.start()
            jobs = self._doubtful if name in self._slow else self._prompt
            jobs.append((name, job))
            self._grow()
            self._changed.notify()

    def stuck(self) -> list[str]:
        """Return the names of the calls that are slow or hang."""
        now = self._clock.monotonic()
        return [n for n, since in list(self._since.items()) if now - since > SLOW_S]

    def stop(self) -> None:
        """Let idle threads end, and forget what has not begun.

        Stuck threads stay behind and die with the process.
        """
        with self._changed:
            self._stopped.set()
            self._prompt.clear()
            self._doubtful.clear()
            self._changed.notify_all()

    def _returned(self, name: str) -> None:
        """Note how long a call took; what follows is no longer the share's doing."""
        with self._changed:
            slow = self._clock.monotonic() - self._since[name] > SLOW_S
            (self._slow.add if slow else self._slow.discard)(name)
            self._doubted.discard(name)
            self._since[name] = inf

    def _room(self) -> tuple[int, int]:
        """Return how many prompt and how many doubtful jobs may begin now."""
        slow = len(self._doubted.union(self.stuck()))
        prompt = len(self._since) - min(slow, self._max_stuck)
        return self._threads - prompt, self._max_stuck - slow

    def _grow(self) -> None:
        """Start the threads that waiting jobs need; the lock is held."""
        prompt, doubtful = self._room()
        needed = max(0, min(len(self._prompt), prompt))
        needed += max(0, min(len(self._doubtful), doubtful))
        for _ in range(needed - (self._alive - len(self._since))):
            self._alive += 1
            threading.Thread(
                target=self._work, name="share-reader", daemon=True
            ).start()

    def _tend(self) -> None:
        # Nobody may come to submit: all sources may be waiting behind slow calls.
        while not self._stopped.wait(_TEND_S):
            with self._changed:
                self._grow()
                if self._prompt or self._doubtful:
                    self._changed.notify_all()
            self._tell(len(self.stuck()))

    def _tell(self, stuck: int) -> None:
        if stuck > self._max_stuck and not self._told:
            _log.warning(
                "more calls hang on shares than input.max_stuck; other shares may wait",
                hanging=stuck,
                max_stuck=self._max_stuck,
            )
        self._told = stuck > self._max_stuck

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            name, job = entry
            try:
                job()
            except Exception:  # noqa: BLE001 - a thread must not end in silence
                _log.exception("a look at a share failed")
            with self._changed:
                del self._since[name]

    def _next(self) -> _Job | None:
        """Wait for a job; ``None`` if this thread is to end."""
        with self._changed:
            while not self._stopped.is_set():
                entry = self._take()
                if entry is not None:
                    self._since[entry[0]] = self._clock.monotonic()
                    return entry
                if self._alive - len(self._since) > self._threads:
                    break
                self._changed.wait()
            self._alive -= 1
            self._changed.notify()  # what woke this one may concern another
            return None

    def _take(self) -> _Job | None:
        """Take a job that may begin now; the lock is held."""
        prompt, doubtful = self._room()
        if self._prompt and prompt > 0:
            return self._prompt.popleft()
        if self._doubtful and doubtful > 0:
            entry = self._doubtful.popleft()
            self._doubted.add(entry[0])
            return entry
        return None
