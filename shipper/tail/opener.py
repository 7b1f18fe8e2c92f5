# SPDX-License-Identifier: Apache-2.0
"""Opening a log without disturbing the program that writes it.

A file is opened for reading only, shared for reading, writing *and deleting*, and
closed before anything else happens: on Windows a handle without delete sharing keeps
the SMS client from renaming its log (``open()`` of Python opens that way).
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct

from shipper.tail import posixopen, winopen
from shipper.tail.candidates import belongs, flavour
from shipper.tail.shares import Mounts, is_unc

#: Files of one log in one folder; none has been seen to have more than a year of days.
MOST_FILES = 10_000


class Trouble(Enum):
    """Why a look brought nothing. Only ``MISSING`` says anything about the file."""

    MISSING = "missing"
    DENIED = "denied"
    LOCKED = "locked"  # somebody has it open and shares it with nobody
    UNREACHABLE = "unreachable"
    IRREGULAR = "not a regular file"
    UNDECIDED = "undecided"


_TROUBLES = {
    errno.ENOENT: Trouble.MISSING,
    errno.ENOTDIR: Trouble.MISSING,
    errno.EACCES: Trouble.DENIED,
    errno.EPERM: Trouble.DENIED,
    errno.EBUSY: Trouble.LOCKED,  # a sharing violation, as Linux reports it of a share
    errno.EAGAIN: Trouble.LOCKED,
    errno.EISDIR: Trouble.IRREGULAR,
    errno.ENXIO: Trouble.IRREGULAR,
    errno.ELOOP: Trouble.IRREGULAR,  # a symbolic link, or behind one
}


class LookError(Exception):
    """A file could not be looked at.

    Args:
        trouble: the kind.
        detail: the system's own words.
    """

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble.value}: {detail}")
        self.trouble = trouble
        self.detail = detail


class Kept(Struct, frozen=True, kw_only=True):
    """That a file is a copy of a part of a generation.

    Attributes:
        life: number of the generation's life.
        start: first byte it has beside the beginning.
    """

    life: int
    start: int


class LogFile(AbstractContextManager["LogFile"], Protocol):
    """An open log. All positions and sizes are in bytes.

    Attributes:
        kept: what a spooled copy is a copy of; ``None`` for the log itself.
    """

    kept: Kept | None

    def size(self) -> int:
        """Return the size as the handle knows it, never as a directory entry does."""
        ...

    def pread(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        ...


class Opener(Protocol):
    """The seam between the tailer and a file system."""

    def open(self, path: str) -> LogFile:
        """Open ``path``; raises :class:`LookError`."""
        ...

    def names(self, directory: str, log: str) -> list[str]:
        """Return what files of ``log`` are in ``directory``.

        Args:
            directory: a folder, which may hold millions of other files.
            log: the log's name, lower case.

        Raises:
            LookError: it cannot be listed.
        """
        ...

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        ...


class _Descriptor:
    kept: Kept | None = None

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def size(self) -> int:
        try:
            return os.fstat(self._fd).st_size
        except OSError as error:
            raise trouble_of(error) from error

    def pread(self, offset: int, length: int) -> bytes:
        try:
            if sys.platform != "win32":
                return os.pread(self._fd, length, offset)
            os.lseek(self._fd, offset, os.SEEK_SET)  # the handle is nobody else's
            return os.read(self._fd, length)
        except OSError as error:
            raise trouble_of(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)


class LocalOpener:
    """The file systems this machine knows, shares and UNC paths included.

    Args:
        roots: folders the user named. What lies below one of them is opened only if no
            link leads out of it; without any, links on the way are followed.
    """

    def __init__(self, roots: Iterable[str] = ()) -> None:
        self._roots = frozenset(roots)
        self._mounts = Mounts()
        self._on_share: dict[str, bool] = {}

    def open(self, path: str) -> LogFile:
        """Open ``path``; raises :class:`LookError`."""
        root = self._root(path)
        try:
            if sys.platform == "win32":
                return _Descriptor(winopen.open_shared(path, root))
            return _Descriptor(posixopen.open_shared(path, root))
        except OSError as error:
            raise trouble_of(error) from error

    def names(self, directory: str, log: str) -> list[str]:
        """Return what files of ``log`` are in ``directory``; raises LookError."""
        found: list[str] = []
        try:
            for name in self._listed(directory or "."):
                if belongs(name, log):
                    found.append(name)
                if len(found) > MOST_FILES:
                    break
        except OSError as error:
            raise trouble_of(error) from error
        if len(found) > MOST_FILES:
            many = f"more than {MOST_FILES:,} files of one log in {directory}"
            raise LookError(Trouble.IRREGULAR, many)
        return found

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share, as it was when first asked."""
        if path not in self._on_share:
            self._on_share[path] = self._mounts.on_share(path)
        return self._on_share[path]

    def _listed(self, directory: str) -> Iterator[str]:
        root = self._root(os.path.join(directory, ""))  # noqa: PTH118 - text
        if sys.platform == "win32":
            if root:
                home = os.path.realpath(root)
                winopen.stay(os.path.realpath(directory), home, root)
            with os.scandir(directory) as entries:
                yield from (entry.name for entry in entries)
            return
        fd = posixopen.open_folder(directory, root)
        try:
            with os.scandir(fd) as entries:
                yield from (entry.name for entry in entries)
        finally:
            os.close(fd)

    def _root(self, path: str) -> str:
        """Return the innermost root above ``path``; of UNC paths, the share."""
        if not self._roots:
            return ""
        paths = flavour(path)
        folder = str(paths.dirname(path))
        while folder not in self._roots:
            above = str(paths.dirname(folder))
            if above == folder:
                return str(paths.splitdrive(path)[0]) if is_unc(path) else ""
            folder = above
        return folder


def trouble_of(error: OSError) -> LookError:
    """Turn a system error into what it says about the file."""
    detail = error.strerror or str(error)
    windows = getattr(error, "winerror", None)
    if windows in winopen.LOCKED:
        return LookError(Trouble.LOCKED, detail)
    if windows in winopen.UNREACHABLE:
        return LookError(Trouble.UNREACHABLE, detail)
    return LookError(_TROUBLES.get(error.errno or 0, Trouble.UNREACHABLE), detail)
