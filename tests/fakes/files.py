# SPDX-License-Identifier: Apache-2.0
"""A file system in memory, with the faults that shares and virus scanners have."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from shipper.tail.candidates import belongs
from shipper.tail.opener import Kept, LookError, Trouble


class MemoryFiles:
    """An :class:`shipper.tail.Opener` over byte strings.

    As in a real file system an open file stays the same one when it is renamed, and a
    handle sees what is written to it.

    Args:
        share: what :meth:`is_share` says.

    Attributes:
        faults: trouble to raise, by path of a file or folder.
        stale: content that handles show instead of the real one, by path, as a share's
            cache does.
        before_read: called with the path before each read.
        opened: files opened so far.
        open_now: handles that are open.
    """

    def __init__(self, *, share: bool = False) -> None:
        self._files: dict[str, bytearray] = {}
        self._share = share
        self.faults: dict[str, Trouble] = {}
        self.stale: dict[str, bytes] = {}
        self.before_read: Callable[[str], None] = _nothing
        self.opened = 0
        self.open_now = 0

    # --- what the tailer sees ---------------------------------------------------

    def open(self, path: str) -> MemoryFile:
        """Open ``path``; raises :class:`LookError`."""
        self._check(path)
        if path not in self._files:
            raise LookError(Trouble.MISSING, path)
        self.opened += 1
        return MemoryFile(self, path, self._files[path])

    def names(self, directory: str, log: str) -> list[str]:
        """Return what files of ``log`` are there; raises :class:`LookError`."""
        self._check(directory)
        below = directory.rstrip("/") + "/"
        there = [path for path in self._files if path.startswith(below)]
        names = [path.removeprefix(below) for path in there]
        return [name for name in names if belongs(name, log)]

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        return self._share and bool(path)

    def _check(self, path: str) -> None:
        if path in self.faults:
            raise LookError(self.faults[path], path)

    # --- what the writer does ---------------------------------------------------

    def read(self, path: str) -> bytes:
        """Return the real content."""
        return bytes(self._files[path])

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return path in self._files

    def write(self, path: str, data: bytes) -> None:
        """Create or replace a file; open handles keep the old one."""
        self._files[path] = bytearray(data)

    def append(self, path: str, data: bytes) -> None:
        """Write at the end; create the file if needed."""
        self._files.setdefault(path, bytearray()).extend(data)

    def rewrite(self, path: str, data: bytes) -> None:
        """Replace the content in place; open handles see it."""
        self._files[path][:] = data

    def rename(self, path: str, to: str) -> None:
        """Rename, replacing what is there."""
        self._files[to] = self._files.pop(path)

    def copy(self, path: str, to: str) -> None:
        """Make a copy."""
        self._files[to] = bytearray(self._files[path])

    def remove(self, path: str) -> None:
        """Delete."""
        del self._files[path]


class MemoryFile:
    """An open file of :class:`MemoryFiles`."""

    kept: Kept | None = None

    def __init__(self, files: MemoryFiles, path: str, content: bytearray) -> None:
        self._files = files
        self._path = path
        self._content = content

    def size(self) -> int:
        """Return the size as the handle knows it."""
        return len(self._shown())

    def pread(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        self._files.before_read(self._path)
        return bytes(self._shown()[offset : offset + length])

    def _shown(self) -> bytes | bytearray:
        return self._files.stale.get(self._path, self._content)

    def __enter__(self) -> Self:
        self._files.open_now += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.open_now -= 1


def _nothing(_path: str) -> None:
    return None
