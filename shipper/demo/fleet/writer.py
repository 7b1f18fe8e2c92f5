# SPDX-License-Identifier: Apache-2.0
"""Writes a planned fleet to disk the way clients do: appending, and rotating."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from shipper.demo.fleet.dice import dice
from shipper.demo.fleet.fleet import Fleet
from shipper.demo.fleet.log import Entry, Log
from shipper.demo.fleet.stamp import to_ms
from shipper.errors import UsageProblem

LOG_NAME = "Clisvc.log"
#: The older half: one generation, overwritten by the next rotation.
OLDER_NAME = "Clisvc.lo_"

_HALF_SHARE = 0.1  # of the live lines
_ROTATING = 4  # one host in so many, for each way of rotating
_ALREADY_ROTATED = 8  # one host in so many has an older half from the beginning


class Action(StrEnum):
    """What a step did."""

    LINE = "line"
    HALF = "half"  # a line without its end
    REST = "rest"  # the end of that line
    RENAMED = "renamed"
    COPIED = "copied"  # to the older half, then truncated


class Step(Struct, frozen=True, kw_only=True):
    """One change of one file.

    Attributes:
        host: whose log changed.
        action: how.
    """

    host: str
    action: Action


class _Rotation(Struct, frozen=True, kw_only=True):
    """A rotation that is due before the given one of a host's live lines."""

    before: int
    action: Action


def _split(log: Log, live_ms: int) -> tuple[list[bytes], list[Entry]]:
    past = [entry.line for entry in log.entries if entry.ms < live_ms]
    return past, list(log.entries[len(past) :])


def _never(_host: str) -> bool:
    return False


class Writer:
    """Writes a fleet's logs below a folder: ``<root>/<host>/Clisvc.log``.

    It holds no file between two steps and never waits: the caller paces it.

    Args:
        fleet: what to write.
        root: an empty folder, or one that does not exist yet.
        may_rotate: asked with a host's name before a rotation overwrites its older
            half; a refused rotation is tried again before that host's next line. By
            default an older half is never overwritten.

    Raises:
        UsageProblem: ``root`` holds something already.
    """

    def __init__(
        self, fleet: Fleet, root: Path, may_rotate: Callable[[str], bool] = _never
    ) -> None:
        if root.exists() and any(root.iterdir()):
            raise UsageProblem(
                f"{root} is not empty, and a demo fleet never writes over anything.",
                remedy="Name a new folder.",
            )
        self._fleet = fleet
        self._root = root
        self._may_rotate = may_rotate
        live_ms = to_ms(fleet.live_from)
        self._history: dict[str, list[bytes]] = {}
        self._live: dict[str, list[Entry]] = {}
        for log in fleet.logs:
            past, present = _split(log, live_ms)
            self._history[log.host.name] = past
            self._live[log.host.name] = present
        self._rotations = self._plan_rotations()

    @property
    def live_lines(self) -> int:
        """Lines that :meth:`live` writes."""
        return sum(map(len, self._live.values()))

    def write_history(self) -> None:
        """Write everything before the live part at once.

        Some hosts have rotated by then: they begin with an older half.
        """
        chance = dice(self._fleet.seed, "history")
        for number, (host, lines) in enumerate(self._history.items()):
            folder = self._root / host
            folder.mkdir(parents=True)
            rotated = number % _ALREADY_ROTATED == _ALREADY_ROTATED - 1
            cut = int(len(lines) * chance.uniform(0.3, 0.7)) if rotated else 0
            if cut:
                (folder / OLDER_NAME).write_bytes(b"".join(lines[:cut]))
            (folder / LOG_NAME).write_bytes(b"".join(lines[cut:]))

    def live(self) -> Iterator[Step]:
        """Write the live part in the order of time, one change of a file at a time.

        Some lines come in two halves, with another host's line between them at most.
        Some hosts rotate, by rename or by copy and truncation.
        """
        chance = dice(self._fleet.seed, "halves")
        held: tuple[str, bytes] | None = None
        for host, position, line in self._in_time():
            if held is not None and held[0] == host:
                yield self._append(*held, Action.REST)
                held = None
            yield from self._rotate(host, position)
            cut = len(line)
            if held is None and chance.random() < _HALF_SHARE:
                cut = chance.randrange(1, len(line))
            action = Action.LINE if cut == len(line) else Action.HALF
            yield self._append(host, line[:cut], action)
            if held is not None:
                yield self._append(*held, Action.REST)
                held = None
            if action is Action.HALF:
                held = (host, line[cut:])
        if held is not None:
            yield self._append(*held, Action.REST)

    def _in_time(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield host, position among the host's live lines, line."""
        every = [
            (entry.ms, host, position, entry.line)
            for host, entries in self._live.items()
            for position, entry in enumerate(entries)
        ]
        for _ms, host, position, line in sorted(every):
            yield host, position, line

    def _append(self, host: str, data: bytes, action: Action) -> Step:
        with (self._root / host / LOG_NAME).open("ab") as log:
            log.write(data)
        return Step(host=host, action=action)

    def _rotate(self, host: str, position: int) -> Iterator[Step]:
        due = self._rotations.get(host, [])
        if not due or position < due[0].before:
            return
        log, older = self._root / host / LOG_NAME, self._root / host / OLDER_NAME
        if older.exists() and not self._may_rotate(host):
            return
        action = due.pop(0).action
        if action is Action.RENAMED:
            log.replace(older)
        else:
            shutil.copyfile(log, older)
            os.truncate(log, 0)
        yield Step(host=host, action=action)

    def _plan_rotations(self) -> dict[str, list[_Rotation]]:
        """Let some hosts rotate in either way: at a third and at two thirds."""
        chance = dice(self._fleet.seed, "rotations")
        hosts = list(self._live)
        chance.shuffle(hosts)
        share = len(hosts) // _ROTATING
        return {
            host: [
                _Rotation(before=len(self._live[host]) * third // 3, action=action)
                for third in (1, 2)
            ]
            for action, chosen in (
                (Action.RENAMED, hosts[:share]),
                (Action.COPIED, hosts[share : 2 * share]),
            )
            for host in chosen
        }
