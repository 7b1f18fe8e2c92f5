# SPDX-License-Identifier: Apache-2.0
"""Backfilling: read every log to its end, once, and wait for the acknowledgements."""

from __future__ import annotations

import threading

from shipper.app.engine import Engine
from shipper.clock import pause
from shipper.errors import InputProblem
from shipper.tail import Discovery, Harvester, Status

_TICK_S = 0.25
_POLL_S = 0.05
_READ = frozenset({Status.OK, Status.FINISHED, Status.WAITING})


class Backfill:
    """Ships what is in logs now.

    Args:
        engine: the stages behind it, made with ``once``, already entered when
            :meth:`run` is called.
        discovery: which logs there are.
        stop: set when asked to stop.

    Attributes:
        already_shipped: logs that had nothing new.
        unread: logs that could not be read, each with the reason; the others are
            shipped all the same.
    """

    def __init__(
        self, engine: Engine, discovery: Discovery, stop: threading.Event
    ) -> None:
        self._engine = engine
        self._discovery = discovery
        self._stop = stop
        self.already_shipped = 0
        self.unread: list[str] = []

    def run(self) -> bool:
        """Read every log to its end; tell whether all was read and delivered.

        Raises:
            InputProblem: there is no log.
            StateError: progress cannot be saved.
        """
        engine = self._engine
        for source, siblings in self._discovery.scan().values():
            engine.add(source, siblings)
        if not engine.harvesters:
            names = ", ".join(pattern.text for pattern in self._discovery.patterns)
            raise InputProblem(
                f"{names}: there is no such log.",
                remedy="Check the path; a pattern needs quotes in most shells.",
            )
        for harvester in engine.harvesters.values():
            self._read(harvester)
        engine.finish()
        while engine.outstanding and not self._stop.is_set():
            pause(_POLL_S)
            engine.check()
        engine.check()
        stopped = self._stop.is_set()
        return not (stopped or engine.outstanding or self.unread)

    def _read(self, harvester: Harvester) -> None:
        """Read one log to its end."""
        engine = self._engine
        known = bool(harvester.lives)
        read = False
        while not self._stop.is_set():
            while not engine.room(_TICK_S) and not self._stop.is_set():
                engine.check()
            reading = harvester.visit()
            if reading is None:
                break
            read = True
            engine.hand_on(harvester.source, reading)
            engine.check()
        engine.note(harvester)
        if self._stop.is_set():
            return
        engine.finished += 1
        if harvester.status in _READ:
            self.already_shipped += known and not read
            return
        detail = f" ({harvester.detail})" if harvester.detail else ""
        self.unread.append(f"{harvester.source.path}: {harvester.status}{detail}")
