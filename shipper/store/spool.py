# SPDX-License-Identifier: Apache-2.0
"""The outage spool: rests of rotated logs, kept until they have been delivered.

Each rest is just another place where its generation may be found (``rest``).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from itertools import count
from pathlib import Path

import structlog
from msgspec.structs import replace

from shipper.clock import Clock
from shipper.records import Generation, Source
from shipper.store.rest import Rest, RestName, rest_name, source_digest
from shipper.tail import (
    ANCHOR_BYTES,
    IDENTITY_BYTES,
    LogFile,
    LookError,
    Opener,
    Trouble,
)

_log = structlog.get_logger(__name__)

_REMIND_S = 60.0
#: Lives are numbered from here on whose numbers the store has lost.
_ORPHANS = 1_000_000


def spooled_in(folder: Path) -> int:
    """Return the bytes a spool folder holds; its shipper may be running."""
    try:
        rests = [Rest.named(path) for path in folder.glob("*")]
    except OSError:
        return 0
    return sum(rest.size for rest in rests if rest is not None)


class Spool:
    """Keeps rests of files, and opens them beside all others. Thread-safe.

    Up to half of the limit goes to whoever comes first; in the other half a log may
    only have its fair share, so that a noisy one leaves room for the rest of a fleet.

    Args:
        folder: where they are kept.
        opener: the file system of the logs.
        clock: time, for messages.
        max_bytes: most bytes kept (``state.spool_bytes``).

    Attributes:
        sharers: logs that share it.
    """

    def __init__(
        self, folder: Path, opener: Opener, clock: Clock, *, max_bytes: int
    ) -> None:
        self._folder = folder
        self._opener = opener
        self._clock = clock
        self._max_bytes = max_bytes
        self._said_at = -_REMIND_S
        self._lock = threading.Lock()
        self._rests: dict[str, dict[RestName, Rest]] = {}
        self._by_path: dict[str, Rest] = {}
        self._size = 0  # of what is kept, and of what is being copied
        self.sharers = 1
        for path in sorted(folder.glob("*")):
            rest = Rest.named(path)
            if rest is not None and rest.whole:
                self._take_up(rest)
            elif rest is not None or path.suffix == ".tmp":
                _unlink(path)  # cut short by a crash

    # --- the file system of the tailer ------------------------------------------

    def open(self, path: str) -> LogFile:
        """Open ``path``; raises :class:`LookError`."""
        rest = self._by_path.get(path)
        if rest is not None:
            return rest.open()
        if Path(path).parent == self._folder:
            # Given back meanwhile; read as a log, its bytes would stand elsewhere.
            raise LookError(Trouble.MISSING, path)
        return self._opener.open(path)

    def names(self, directory: str, log: str) -> list[str]:
        """Return what files of ``log`` are in ``directory``; raises ``LookError``."""
        return self._opener.names(directory, log)

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        return self._opener.is_share(path)

    # --- what is kept -------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._size

    def paths(self, source: Source) -> list[str]:
        """Return the paths of what is kept of a log."""
        with self._lock:
            rests = self._rests.get(source_digest(source))
            return [rest.path for rest in rests.values()] if rests else []

    def holds(
        self, source: Source, generation: Generation, start: int, end: int
    ) -> bool:
        """Tell whether a generation is kept from ``start`` up to ``end``."""
        rest = self._find(source, generation)
        return rest is not None and rest.start <= start and rest.end >= end

    def keep(
        self,
        source: Source,
        generation: Generation,
        file: LogFile,
        start: int,
        unchanged: Callable[[], bool],
    ) -> bool:
        """Copy ``file`` from ``start`` bytes on; tell whether it is on the disk.

        Args:
            source: whose log it is.
            generation: which life of it.
            file: the open file.
            start: first byte that is not saved as acknowledged.
            unchanged: asked at the end; if not, nothing is kept.

        Raises:
            LookError: the file cannot be read.
        """
        before = self._find(source, generation)
        start = max(0, start - ANCHOR_BYTES)
        if before is not None:
            start = min(start, before.start)
        if start <= IDENTITY_BYTES:
            start = 0
        rest = Rest.of(self._folder, source, generation, start, file.size())
        if not self._reserve(rest, before, source):
            return False
        kept = False
        try:
            kept = self._copy(rest, file, unchanged)
        finally:
            with self._lock:
                self._size -= rest.size
                if kept:
                    self._take_up(rest)
        return kept

    def release(self, source: Source, generation: Generation, offset: int) -> None:
        """Let go of what has been saved as acknowledged up to ``offset`` bytes."""
        with self._lock:
            rest = self._known(source, generation)
            if rest is not None and offset >= rest.end:
                del self._rests[rest.source][rest.name]
                self._remove(rest)

    def adopt(self, source: Source, known: Collection[Generation]) -> None:
        """Tell rests nobody remembers from what is followed under their numbers now.

        Args:
            source: whose log it is.
            known: the generations that the store has of it.
        """
        names = {rest_name(source, generation) for generation in known}
        with self._lock:
            rests = self._rests.get(source_digest(source), {})
            for rest in [r for name, r in rests.items() if name not in names]:
                taken = {r.life for r in rests.values()}
                life = next(n for n in count(_ORPHANS) if n not in taken)
                orphan = replace(rest, life=life)
                if rest.life >= _ORPHANS or not _rename(rest.path, orphan.path):
                    continue
                del rests[rest.name], self._by_path[rest.path]
                rests[orphan.name] = self._by_path[orphan.path] = orphan

    def _find(self, source: Source, generation: Generation) -> Rest | None:
        with self._lock:
            return self._known(source, generation)

    def _known(self, source: Source, generation: Generation) -> Rest | None:
        """Look a rest up; the caller has the lock."""
        rests = self._rests.get(source_digest(source), {})
        return rests.get(rest_name(source, generation))

    def _reserve(self, rest: Rest, before: Rest | None, source: Source) -> bool:
        """Set room aside, if there is any; say if there is not.

        What the new rest takes the place of does not count.
        """
        with self._lock:
            replaced = before.size if before is not None else 0
            total = self._size + rest.size - replaced
            own = sum(r.size for r in self._rests.get(rest.source, {}).values())
            own -= replaced
            fair = own + rest.size <= self._max_bytes // max(1, self.sharers)
            if total <= self._max_bytes // 2 or (fair and total <= self._max_bytes):
                self._size += rest.size
                return True
        now = self._clock.monotonic()
        if now - self._said_at >= _REMIND_S:
            self._said_at = now
            _log.error(
                "no room in the outage spool; what is rotated away now is lost",
                setting="state.spool_bytes",
                bytes=self._max_bytes,
                used=self._size,
                first=source.path,
            )
        return False

    def _copy(self, rest: Rest, file: LogFile, unchanged: Callable[[], bool]) -> bool:
        copy = Path(rest.path).with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with copy.open("wb") as out:
                for block in rest.blocks(file):
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
                whole = out.tell() == rest.size
            if whole and unchanged():
                copy.replace(rest.path)
                return True
        except OSError as error:
            _log.error(
                "outage spool cannot be written; what is rotated away now is lost",
                path=str(self._folder),
                reason=error.strerror or str(error),
            )
        finally:
            _unlink(copy)
        return False

    def _take_up(self, rest: Rest) -> None:
        """Enter a rest in place of the one of the same life, if it has more."""
        rests = self._rests.setdefault(rest.source, {})
        before = rests.get(rest.name)
        self._size += rest.size
        self._by_path[rest.path] = rest
        if before is not None and (before.end, -before.start) > (rest.end, -rest.start):
            self._remove(rest)
            return
        rests[rest.name] = rest
        if before is not None and before.path != rest.path:
            self._remove(before)
        elif before is not None:
            self._size -= before.size

    def _remove(self, rest: Rest) -> None:
        if self._by_path.pop(rest.path, None) is not None:
            self._size -= rest.size
        _unlink(Path(rest.path))


def _rename(path: str, to: str) -> bool:
    with suppress(OSError):
        Path(path).replace(to)
        return True
    return False


def _unlink(path: Path) -> None:
    """Delete a file; one that cannot be deleted now is found at the next start."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
