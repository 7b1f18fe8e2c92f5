# SPDX-License-Identifier: Apache-2.0
"""Opening a log without disturbing the program that writes it.

A file is opened for reading only, shared for reading, writing *and deleting*, and
closed before anything else happens: on Windows a handle without delete sharing keeps
the SMS client from renaming its log (``open()`` of Python opens that way).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import AbstractContextManager
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from shipper.tail import winopen

#: Linux file systems whose metadata may be stale and whose calls may hang.
SHARE_TYPES = frozenset({"cifs", "smb3", "nfs", "nfs4", "9p", "afs", "davfs"})
_USER_SPACE = "fuse."  # sshfs, rclone and their like; not fuseblk, which is a disk


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
    errno.ELOOP: Trouble.IRREGULAR,  # a symbolic link
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


class LogFile(AbstractContextManager["LogFile"], Protocol):
    """An open log. All positions and sizes are in bytes."""

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

    def names(self, directory: str) -> list[str]:
        """Return the names in ``directory``; raises :class:`LookError`."""
        ...

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        ...


class _Descriptor:
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
    """The file systems this machine knows, shares and UNC paths included."""

    def open(self, path: str) -> LogFile:
        """Open ``path``; raises :class:`LookError`."""
        try:
            if sys.platform == "win32":
                fd = winopen.open_shared(path)
            else:
                # Non-blocking, or a named pipe in the folder would hang the reader. No
                # links: on a client's share they would lead into the collector's files.
                flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
                fd = os.open(path, flags)
        except OSError as error:
            raise trouble_of(error) from error
        try:
            regular = stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError as error:
            os.close(fd)
            raise trouble_of(error) from error
        if not regular:
            os.close(fd)
            raise LookError(Trouble.IRREGULAR, path)
        return _Descriptor(fd)

    def names(self, directory: str) -> list[str]:
        """Return the names in ``directory``; raises :class:`LookError`."""
        try:
            return os.listdir(directory or ".")  # noqa: PTH208 - names, not Paths: this is the sweep
        except OSError as error:
            raise trouble_of(error) from error

    def is_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        kind = "" if is_unc(path) else _filesystem(path)
        return is_unc(path) or kind in SHARE_TYPES or kind.startswith(_USER_SPACE)


def is_unc(path: str) -> bool:
    r"""Tell whether ``path`` is of the form ``\\server\share``."""
    device = path.startswith(("\\\\?\\", "\\\\.\\"))
    return path.startswith("\\\\") and (not device or path[4:8].upper() == "UNC\\")


def trouble_of(error: OSError) -> LookError:
    """Turn a system error into what it says about the file."""
    detail = error.strerror or str(error)
    windows = getattr(error, "winerror", None)
    if windows in winopen.LOCKED:
        return LookError(Trouble.LOCKED, detail)
    if windows in winopen.UNREACHABLE:
        return LookError(Trouble.UNREACHABLE, detail)
    return LookError(_TROUBLES.get(error.errno or 0, Trouble.UNREACHABLE), detail)


def _filesystem(path: str) -> str:
    if not sys.platform.startswith("linux"):
        return ""
    best, kind = "", ""
    real = os.path.realpath(path)
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123 - not a path of ours
        for line in mounts:
            _, escaped, found, *_ = line.split(" ")
            point = escaped.replace("\\040", " ")
            inside = real == point or real.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, found
    return kind
