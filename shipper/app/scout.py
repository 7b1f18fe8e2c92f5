# SPDX-License-Identifier: Apache-2.0
"""Searching for logs beside the reading of those known, because it may hang."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial

import structlog
from msgspec import Struct

from shipper.clock import Clock
from shipper.records import Source
from shipper.tail import Calls, Discovery, Opener, ShareReaders, Siblings

_log = structlog.get_logger(__name__)

_HANGS_S = 10.0  # a search that takes longer is told of
_SILENCE_S = 5.0  # what has not answered when nobody did for so long is left out


class Finds(Struct, frozen=True, kw_only=True):
    """What a search brought.

    Attributes:
        logs: by key.
        problem: why it failed, if it did.
    """

    logs: dict[str, tuple[Source, Siblings]]
    problem: Exception | None


class Scout:
    """Searches in threads of its own, one search at a time.

    A folder that hangs is left out, and not asked again until it has answered.

    Args:
        discovery: which logs there may be.
        opener: the file system.
        clock: time.
        threads: folders asked at the same time.
        max_stuck: folders that may hang beside them.
        wake: called when a search is over.
    """

    def __init__(
        self,
        discovery: Discovery,
        opener: Opener,
        clock: Clock,
        *,
        threads: int,
        max_stuck: int,
        wake: Callable[[], None],
    ) -> None:
        self._discovery = discovery
        self._opener = opener
        self._clock = clock
        self._threads = threads
        self._max_stuck = max_stuck
        self._wake = wake
        self._finds: queue.SimpleQueue[Finds] = queue.SimpleQueue()
        self._hanging: set[str] = set()
        self._thread: threading.Thread | None = None
        self._since = 0.0
        self._told = False
        self._stopped = threading.Event()

    def begin(self) -> None:
        """Begin a search, unless one is under way."""
        if self._thread is None or not self._thread.is_alive():
            self._since, self._told = self._clock.monotonic(), False
            self._thread = threading.Thread(
                target=self._search, name="scout", daemon=True
            )
            self._thread.start()

    def finds(self) -> Finds | None:
        """Return what a search has brought, once; tell of one that hangs."""
        try:
            return self._finds.get_nowait()
        except queue.Empty:
            self._tell()
            return None

    def stop(self) -> None:
        """End the search. Nobody waits for a folder that hangs."""
        self._stopped.set()

    def _tell(self) -> None:
        under_way = self._thread is not None and self._thread.is_alive()
        seconds = self._clock.monotonic() - self._since
        if under_way and seconds > _HANGS_S and not self._told:
            self._told = True
            _log.warning(
                "the search for logs hangs or takes long; known ones are read",
                paths=", ".join(pattern.text for pattern in self._discovery.patterns),
                seconds=round(seconds),
            )

    def _search(self) -> None:
        logs: dict[str, tuple[Source, Siblings]] = {}
        problem: Exception | None = None
        readers = ShareReaders(self._clock, self._threads, self._max_stuck)
        try:
            logs = self._discovery.scan(partial(self._ask, readers))
            for source, _ in logs.values():
                # It is remembered, so that the reading side need not ask: it may hang.
                self._opener.is_share(source.path)
        except Exception as error:  # noqa: BLE001 - raised where somebody can act on it
            problem = error
        finally:
            readers.stop()
        self._finds.put(Finds(logs=logs, problem=problem))
        self._wake()

    def _ask(self, readers: ShareReaders, calls: Calls) -> Iterator[list[str]]:
        answers: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
        waiting = 0
        for name, call in calls:
            if name not in self._hanging:
                waiting += 1
                readers.submit(name, partial(self._call, name, call), answers.put)
        while waiting and not self._stopped.is_set():
            try:
                answer = answers.get(timeout=_SILENCE_S)
            except queue.Empty:
                break
            waiting -= 1
            yield answer or []
        if self._hanging:
            _log.info(
                "folders that hang are left out of the search for logs",
                number=len(self._hanging),
                one_of_them=next(iter(self._hanging.copy()), ""),
            )

    def _call(self, name: str, call: Callable[[], list[str]]) -> list[str]:
        self._hanging.add(name)
        try:
            return call()
        finally:
            self._hanging.discard(name)
