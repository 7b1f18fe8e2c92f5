# SPDX-License-Identifier: Apache-2.0
"""What was really written: the truth that the checker compares with.

::

    w pc0001 3 410 429 3120 81.2     generation 3: records 410 to 429 are complete now,
                                     3,120 bytes, at that monotonic second
    e pc0001 3 rename 84.0           the generation has ended that way
    o pc0001 2 84.0                  its last file was overwritten or deleted
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct, field


class Written(Struct, frozen=True, kw_only=True):
    """Records that were completed at once.

    Attributes:
        first: number of the first.
        last: number of the last.
        size: bytes of them.
        at: monotonic seconds.
    """

    first: int
    last: int
    size: int
    at: float


class Generation(Struct, kw_only=True):
    """One life of one host's log.

    Attributes:
        written: its records, in order.
        ended: how it ended, or empty if it did not.
        ended_at: monotonic seconds.
        gone_at: when its last file was overwritten or deleted, or ``None``.
    """

    written: list[Written] = field(default_factory=list)
    ended: str = ""
    ended_at: float = 0.0
    gone_at: float | None = None

    @property
    def size(self) -> int:
        """Bytes of complete records."""
        return sum(part.size for part in self.written)


Truth = dict[str, list[Generation]]
"""Generations by host."""


class Journal:
    """Where a writer says what it has done, each time after doing it.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="ascii")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def wrote(
        self, host: str, generation: int, first: int, last: int, size: int
    ) -> None:
        """Note records that are complete."""
        self._note("w", host, generation, first, last, size)

    def ended(self, host: str, generation: int, way: str) -> None:
        """Note how a generation ended."""
        self._note("e", host, generation, way)

    def gone(self, host: str, generation: int) -> None:
        """Note that a generation's last file is no more."""
        self._note("o", host, generation)

    def _note(self, *words: object) -> None:
        self._file.write(f"{' '.join(map(str, words))} {time.monotonic():.3f}\n")


def read(paths: Iterable[Path]) -> Truth:
    """Return what all writers wrote."""
    truth: Truth = {}
    for path in paths:
        for entry in path.read_text("ascii").splitlines():
            kind, host, number, *rest, at = entry.split()
            lives = truth.setdefault(host, [])
            while len(lives) <= int(number):
                lives.append(Generation())
            life = lives[int(number)]
            if kind == "w":
                first, last, size = map(int, rest)
                life.written.append(
                    Written(first=first, last=last, size=size, at=float(at))
                )
            elif kind == "e":
                life.ended, life.ended_at = rest[0], float(at)
            else:
                life.gone_at = float(at)
    return truth
