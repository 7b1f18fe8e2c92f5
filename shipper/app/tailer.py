# SPDX-License-Identifier: Apache-2.0
"""Tailing: look at every log when it is due, for ever.

Visits to network shares run in threads of their own, because they may hang.
"""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress

import structlog

from shipper.app.engine import Engine
from shipper.errors import InputProblem
from shipper.tail import (
    Discovery,
    Harvester,
    Reading,
    Schedule,
    ShareReaders,
    Status,
    Watch,
    crowded,
)

_log = structlog.get_logger(__name__)

_TICK_S = 0.25
_FORGET_AFTER_S = 3_600.0
_FORGET_EVERY_S = 86_400.0
_OUT_OF_REACH = frozenset({Status.DENIED, Status.UNREACHABLE, Status.IRREGULAR})


class Tailer:
    """Follows logs until asked to stop.

    Args:
        engine: the stages behind it, already entered when :meth:`run` is called.
        discovery: which logs there are.
        stop: set when asked to stop.
    """

    def __init__(
        self, engine: Engine, discovery: Discovery, stop: threading.Event
    ) -> None:
        reading, clock = engine.settings.input, engine.clock
        self._engine = engine
        self._discovery = discovery
        self._stop = stop
        self._settings = reading
        self._schedule = Schedule(clock, reading.sweep_min, reading.sweep_max)
        self._shares = ShareReaders(clock, reading.share_readers, reading.max_stuck)
        self._over = threading.Event()
        # Bounded, because shares may be read faster than documents are made of them.
        self._returned: queue.Queue[tuple[str, Reading | None]]
        self._returned = queue.Queue(reading.share_readers)
        self._on_share: dict[str, bool] = {}
        self._by_folder: dict[str, list[str]] = {}
        self._told: dict[str, Status] = {}
        self._said_nothing = False

    def run(self) -> None:
        """Tail until asked to stop.

        Raises:
            InputProblem: the hosts to read cannot be had, at the start.
            StateError: progress cannot be saved.
        """
        engine, clock = self._engine, self._engine.clock
        watch = self._watch()
        if watch:
            watch.start()
        next_scan = next_tick = 0.0
        # What is on the disk has to be seen first, or it would be forgotten too.
        next_forget = clock.monotonic() + _FORGET_AFTER_S
        try:
            while not self._stop.is_set():
                now = clock.monotonic()
                if now >= next_scan:
                    next_scan = now + self._settings.scan_interval
                    self._scan()
                if now >= next_tick:
                    next_tick = now + _TICK_S
                    engine.check()
                if now >= next_forget:
                    next_forget = now + _FORGET_EVERY_S
                    engine.forget()
                for _ in range(self._returned.qsize()):
                    self._visited(*self._returned.get())
                key = self._schedule.next(_TICK_S)
                if key is not None:
                    self._visit(key)
        finally:
            self._over.set()
            if watch:
                watch.stop()
            self._shares.stop()

    def has_read(self, host: str, generations: int) -> bool:
        """Tell whether all but the newest of so many generations have been read.

        Args:
            host: whose log.
            generations: how many of them there are.
        """
        return any(
            len(harvester.lives) == generations
            and all(life.finished for life in harvester.lives[:-1])
            for harvester in list(self._engine.harvesters.values())
            if harvester.source.host == host
        )

    def _scan(self) -> None:
        """Look for logs that are new."""
        known = self._engine.harvesters
        try:
            found = self._discovery.scan()
        except InputProblem as problem:
            if not known:
                raise
            _log.error(problem.message, remedy=problem.remedy)
            return
        if not found and not known and not self._said_nothing:
            self._said_nothing = True
            _log.warning(
                "no log matches yet; looking again until one does",
                paths=", ".join(pattern.text for pattern in self._discovery.patterns),
                seconds=self._settings.scan_interval,
            )
        for key, (source, siblings) in found.items():
            if key in known:
                continue
            self._engine.add(source, siblings)
            share = self._engine.opener.is_share(source.path)
            self._on_share[key] = share
            self._by_folder.setdefault(_folder(source.path), []).append(key)
            settings = self._settings
            longest = settings.sweep_max_shares if share else settings.sweep_max
            self._schedule.add(key, longest_s=longest)

    def _visit(self, key: str) -> None:
        harvester, room = self._engine.harvesters[key], self._engine.room
        if not self._on_share[key]:
            self._visited(key, harvester.visit(read=room(_TICK_S)))
            return

        def visit() -> None:
            reading = None
            try:
                # Asked here: many may have waited for a reader since they were due.
                reading = harvester.visit(read=room(_TICK_S))
            finally:
                self._return(key, reading)

        self._shares.submit(key, visit)

    def _return(self, key: str, reading: Reading | None) -> None:
        """Hand over what a share's reader brought, once there is a place for it."""
        while not self._over.is_set():
            with suppress(queue.Full):
                self._returned.put((key, reading), timeout=_TICK_S)
                self._schedule.wake()
                return

    def _visited(self, key: str, reading: Reading | None) -> None:
        harvester = self._engine.harvesters[key]
        if reading is not None:
            self._engine.hand_on(harvester.source, reading)
        self._engine.note(harvester)
        self._tell(key, harvester)
        more = reading is not None and reading.more
        self._schedule.done(key, active=reading is not None, more=more)

    def _tell(self, key: str, harvester: Harvester) -> None:
        """Say that a log cannot be read, once, and that it is read again."""
        status, path = harvester.status, harvester.source.path
        missing = status is Status.NO_LOG and not harvester.lives
        if missing or status in _OUT_OF_REACH:
            if self._told.get(key) is not status:
                self._told[key] = status
                _log.warning(
                    "log cannot be read; looking again until it can",
                    path=path,
                    host=harvester.source.host,
                    reason=harvester.detail or str(status),
                )
        elif status is Status.OK and self._told.pop(key, None) is not None:
            _log.info("log is read again", path=path, host=harvester.source.host)

    def _watch(self) -> Watch | None:
        mode = self._settings.watch
        opener = self._engine.opener
        if mode == "sweep":
            return None
        roots = set()
        for root in {pattern.root for pattern in self._discovery.patterns}:
            if mode == "auto" and opener.is_share(root):
                continue
            if crowded(root, self._settings.max_watches):
                _log.warning(
                    "more folders than input.max_watches; swept, not watched",
                    root=root,
                    max_watches=self._settings.max_watches,
                )
                continue
            roots.add(root)
        return Watch(roots, self._hint) if roots else None

    def _hint(self, path: str) -> None:
        for key in self._by_folder.get(_folder(path), ()):
            self._schedule.hint(key)


def _folder(path: str) -> str:
    return os.path.normcase(os.path.dirname(path))  # noqa: PTH120 - text, not a Path
