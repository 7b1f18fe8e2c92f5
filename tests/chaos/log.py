# SPDX-License-Identifier: Apache-2.0
"""One host's log as its client writes it: appended to, rotated, deleted."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from random import Random

from msgspec import Struct

from tests.chaos.journal import Journal
from tests.chaos.lines import Key, line

_DEPTH = 4
"""Dated siblings kept of a log."""


class Way(StrEnum):
    """How a generation ends."""

    RENAME = "rename"  # to Clisvc.lo_, over the one that is there
    COPY = "copy"  # to Clisvc.lo_, then truncated
    RENAME_DATED = "rename-dated"
    COPY_DATED = "copy-dated"
    DELETE = "delete"  # after all of it was read, and made anew


_COPIES = (Way.COPY, Way.COPY_DATED)


class Retired(Struct, frozen=True, kw_only=True):
    """A rotated file.

    Attributes:
        path: where it is.
        generation: which life of the log.
        since: monotonic seconds of its rotation.
    """

    path: Path
    generation: int
    since: float


class Log:
    """The log of one host.

    Args:
        host: its name.
        path: of the active log.
        journal: is told what has been done.
        may_go: tells whether what was rotated at a monotonic second may go.

    Attributes:
        total: bytes of complete records ever written.
        draining: nothing is written until all has been read.
    """

    def __init__(
        self, host: str, path: Path, journal: Journal, may_go: Callable[[float], bool]
    ) -> None:
        self.host = host
        self.total = 0
        self.draining = False
        self._path = path
        self._older = path.with_suffix(".lo_")
        self._journal = journal
        self._may_go = may_go
        self._generation = 0
        self._number = 0
        self._ms = 0
        self._stamp = 0
        self._rest = b""  # of the line whose first half is written
        self._half_size = 0
        self._lo: Retired | None = None
        self._dated: list[Retired] = []

    @property
    def begun(self) -> bool:
        """Something is in the active log."""
        return self._path.exists() and self._path.stat().st_size > 0

    def burst(self, count: int, chance: Random, *, half: bool) -> int:
        """Append records; the last may be left without its end until the next burst.

        Returns:
            How many were completed.
        """
        first = self._number - bool(self._rest)
        end = chance.choice((b"\r\n", b"\n"))
        made = [self._next(end) for _ in range(count)]
        data = self._rest + b"".join(made)
        done = len(data) + self._half_size
        self._rest, self._half_size = b"", 0
        if half:
            cut = chance.randrange(1, len(made[-1]))
            done -= len(made[-1])
            self._rest, self._half_size = made[-1][cut:], cut
            data = data[: len(data) - len(self._rest)]
        with self._path.open("ab") as file:
            file.write(data)
        last = self._number - 1 - half
        if last < first:
            return 0
        self.total += done
        self._journal.wrote(self.host, self._generation, first, last, done)
        return last - first + 1

    def complete(self) -> int:
        """Write the end of a line begun; return how many were completed."""
        if not self._rest:
            return 0
        with self._path.open("ab") as file:
            file.write(self._rest)
        size = self._half_size + len(self._rest)
        self._rest, self._half_size = b"", 0
        self.total += size
        last = self._number - 1
        self._journal.wrote(self.host, self._generation, last, last, size)
        return 1

    def rotate(self, way: Way) -> bool:
        """End this generation; ``False`` if what is in its way may not go yet."""
        if not self.begun:
            return False
        if way in (Way.RENAME, Way.COPY):
            if self._lo and not self._may_go(self._lo.since):
                return False
            target = self._older
        else:
            target = self._dated_path()
        self.complete()
        if way in _COPIES:
            shutil.copyfile(self._path, target)
            os.truncate(self._path, 0)
        else:
            self._path.replace(target)
        retired = Retired(
            path=target, generation=self._generation, since=time.monotonic()
        )
        if target == self._older:
            if self._lo:
                self._journal.gone(self.host, self._lo.generation)
            self._lo = retired
        else:
            self._dated.append(retired)
        self._end(way)
        return True

    def delete(self) -> None:
        """Delete the active log; the next burst makes it anew."""
        self._path.unlink()
        self._journal.gone(self.host, self._generation)
        self._end(Way.DELETE)

    def prune(self) -> None:
        """Delete dated siblings that are too many, if they may go."""
        while len(self._dated) > _DEPTH and self._may_go(self._dated[0].since):
            oldest = self._dated.pop(0)
            oldest.path.unlink()
            self._journal.gone(self.host, oldest.generation)

    def _end(self, way: Way) -> None:
        self._journal.ended(self.host, self._generation, way)
        self._generation += 1

    def _next(self, end: bytes) -> bytes:
        key = Key(host=self.host, generation=self._generation, number=self._number)
        # Later than the one before, so that no generation begins like another.
        self._ms = max(self._ms + 1, time.time_ns() // 1_000_000)
        self._number += 1
        return line(key, self._ms, end)

    def _dated_path(self) -> Path:
        self._stamp = max(self._stamp + 1, int(time.time()))
        shown = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self._stamp))
        return self._path.with_name(f"Clisvc-{shown}.log")
