# SPDX-License-Identifier: Apache-2.0
"""Keeping what is left of rotated files while nothing can be delivered.

A log is often one generation deep: the next rotation takes the file, and with it all
that was not delivered. What may go is copied to a spool, which is then just another
place where the generation may be found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shipper.records import Generation, Source
from shipper.tail.life import Life
from shipper.tail.opener import LogFile, Opener
from shipper.tail.probe import NotFound, look


class Spool(Protocol):
    """Where rests of files are kept; they are opened like any other path."""

    def paths(self, source: Source) -> list[str]:
        """Return the paths of what is kept of a log."""
        ...

    def holds(
        self, source: Source, generation: Generation, start: int, end: int
    ) -> bool:
        """Tell whether a generation is kept from ``start`` up to ``end``."""
        ...

    def keep(
        self,
        source: Source,
        generation: Generation,
        file: LogFile,
        start: int,
        unchanged: Callable[[], bool],
    ) -> bool:
        """Copy ``file`` from ``start`` bytes on, with the proofs to find it again.

        Args:
            source: whose log it is.
            generation: which life of it.
            file: the open file.
            start: first byte that is not saved as acknowledged.
            unchanged: asked at the end; if not, nothing is kept.

        Returns:
            It is on the disk; ``False`` if there is no room, or it changed.
        """
        ...


def rescue(
    opener: Opener, path: str, source: Source, life: Life, start: int, spool: Spool
) -> None:
    """Copy to ``spool`` what ``path`` has of ``life`` from offset ``start`` on.

    Raises:
        LookError: the file cannot be looked at.
    """
    with opener.open(path) as file:
        end = file.size()
        if end <= start or spool.holds(source, life.generation, start, end):
            return
        found = look(file, path, life, read_bytes=0)
        if isinstance(found, NotFound):
            return

        def unchanged() -> bool:
            return file.pread(0, len(found.beginning)) == found.beginning

        spool.keep(source, life.generation, file, start, unchanged)
