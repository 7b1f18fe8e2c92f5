# SPDX-License-Identifier: Apache-2.0
"""Tailing: look at every log when it is due, for ever.

Visits to network shares run in threads of their own, because they may hang.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from contextlib import suppress

import structlog

from shipper.app.engine import Engine
from shipper.app.scout import Finds, Scout
from shipper.errors import InputProblem
from shipper.records import Source
from shipper.tail import (
    Discovery,
    Harvester,
    Reading,
    Schedule,
    ShareReaders,
    Siblings,
    Status,
    Watch,
    crowded,
)

_log = structlog.get_logger(__name__)

_TICK_S = 0.25
_ADDED_AT_ONCE = 100
_PATIENCE_S = 3.0  # for the watcher to end
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
        self._scout = Scout(
            discovery,
            engine.opener,
            clock,
            threads=reading.share_readers,
            max_stuck=reading.max_stuck,
            wake=self._schedule.wake,
        )
        self._new: deque[tuple[Source, Siblings]] = deque()
        self._over = threading.Event()
        # Bounded, because shares may be read faster than documents are made of them.
        self._returned: queue.Queue[tuple[str, Reading | None]]
        self._returned = queue.Queue(reading.share_readers)
        self._on_share: dict[str, bool] = {}
        self._by_folder: dict[str, list[str]] = {}
        self._told: dict[str, Status] = {}
        self._said_nothing = False
        self._turned_away: set[str] = set()  # for want of room

    def run(self) -> None:
        """Tail until asked to stop.

        Raises:
            InputProblem: the first search for logs fails.
            StateError: progress cannot be saved.
        """
        engine, clock = self._engine, self._engine.clock
        watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        watcher.start()
        next_scan = next_tick = 0.0
        # What is on the disk has to be seen first, or it would be forgotten too.
        next_forget = clock.monotonic() + _FORGET_AFTER_S
        try:
            while not self._stop.is_set():
                now = clock.monotonic()
                if now >= next_scan:
                    next_scan = now + self._settings.scan_interval
                    self._scout.begin()
                self._take_up()
                if now >= next_tick:
                    next_tick = now + _TICK_S
                    engine.check()
                    self._readmit()
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
            self._scout.stop()
            self._shares.stop()
            watcher.join(_PATIENCE_S)

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

    def _take_up(self) -> None:
        """Follow what a search has found, a few at a time: reading goes on meanwhile.

        Raises:
            InputProblem: the first search failed.
        """
        finds = self._scout.finds()
        if finds is not None:
            self._judge(finds)
            known = self._engine.harvesters
            self._new.extend(f for key, f in finds.logs.items() if key not in known)
        for _ in range(min(len(self._new), _ADDED_AT_ONCE)):
            self._add(*self._new.popleft())

    def _judge(self, finds: Finds) -> None:
        known = self._engine.harvesters
        problem = finds.problem
        if problem is not None:
            if not (known and isinstance(problem, InputProblem)):
                raise problem
            _log.error(problem.message, remedy=problem.remedy)
        elif not finds.logs and not known and not self._said_nothing:
            self._said_nothing = True
            _log.warning(
                "no log matches yet; looking again until one does",
                paths=", ".join(pattern.text for pattern in self._discovery.patterns),
                seconds=self._settings.scan_interval,
            )

    def _add(self, source: Source, siblings: Siblings) -> None:
        key = source.key
        if key in self._engine.harvesters:
            return
        self._engine.add(source, siblings)
        share = self._engine.opener.is_share(source.path)
        self._on_share[key] = share
        self._by_folder.setdefault(_folder(source.path), []).append(key)
        settings = self._settings
        longest = settings.sweep_max_shares if share else settings.sweep_max
        self._schedule.add(key, longest_s=longest)

    def _visit(self, key: str) -> None:
        if self._on_share[key]:
            self._shares.submit(
                key,
                lambda: self._look(key),
                lambda reading: self._return(key, reading),
            )
        else:
            self._visited(key, self._look(key))

    def _look(self, key: str) -> Reading | None:
        """Visit a log; while nothing can be delivered, keep what may go."""
        engine, harvester = self._engine, self._engine.harvesters[key]
        # Waiting in vain once is enough: thousands of others want to be looked at.
        room = engine.room(0.0 if self._turned_away else _TICK_S)
        if not room:
            self._turned_away.add(key)
        reading = harvester.visit(read=room)
        if engine.down:
            engine.rescue(harvester)
        return reading

    def _readmit(self) -> None:
        """Make logs due that were not read for want of room, once there is some."""
        if self._turned_away and self._engine.room(0.0):
            keys, self._turned_away = self._turned_away, set()
            for key in keys:
                self._schedule.hint(key)

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
        trouble = harvester.status is Status.UNREACHABLE
        active = reading is not None
        self._schedule.done(key, active=active, more=more, trouble=trouble)

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

    def _watch(self) -> None:
        """Watch until it is over, in a thread of its own: a folder may hang."""
        roots = {root for root in self._discovery.roots if self._watched(root)}
        if roots and not self._over.is_set():
            watch = Watch(roots, self._hint)
            watch.start()
            self._over.wait()
            watch.stop()

    def _watched(self, root: str) -> bool:
        """Tell whether events are to be had of what is below ``root``."""
        mode, most = self._settings.watch, self._settings.max_watches
        if mode == "sweep":
            return False
        if mode == "auto" and self._engine.opener.is_share(root):
            return False
        if crowded(root, most):
            _log.warning(
                "more folders than input.max_watches; swept, not watched",
                root=root,
                max_watches=most,
            )
            return False
        return True

    def _hint(self, path: str) -> None:
        for key in self._by_folder.get(_folder(path), ()):
            self._schedule.hint(key)


def _folder(path: str) -> str:
    return os.path.normcase(os.path.dirname(path))  # noqa: PTH120 - text, not a Path
