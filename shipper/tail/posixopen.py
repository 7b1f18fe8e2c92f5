# SPDX-License-Identifier: Apache-2.0
"""Opening on Linux: regular files only, and none that a link leads to from outside.

A file is taken hold of without being opened (``O_PATH``), looked at, and only then
opened, by way of the hold: between look and opening nobody can exchange it.
"""

from __future__ import annotations

import errno
import os
import stat

_KINDS = {
    stat.S_IFLNK: "a symbolic link, which is not followed",
    stat.S_IFDIR: "a folder, not a log",
    stat.S_IFIFO: "a named pipe, not a log",
    stat.S_IFSOCK: "a socket, not a log",
}


def open_shared(path: str, root: str) -> int:
    """Open a regular file for reading and return its descriptor.

    Args:
        path: the file.
        root: it must lie below this folder, whatever links are on the way; empty:
            anywhere.

    Raises:
        OSError: ``ENXIO`` if it is no regular file, ``ELOOP`` if it lies elsewhere.
    """
    hold = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        mode = os.fstat(hold).st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "a device, not a log")
            raise OSError(errno.ENXIO, kind)
        _stay(hold, path, root)
        # Non-blocking: a lease on the file must not hang the reader.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{hold}", flags)
    finally:
        os.close(hold)


def open_folder(path: str, root: str) -> int:
    """Open a folder for listing and return its descriptor.

    Args:
        path: the folder.
        root: as for :func:`open_shared`.

    Raises:
        OSError: ``ENOTDIR`` if it is none, ``ELOOP`` if it lies elsewhere.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _stay(fd, path, root)
    except OSError:
        os.close(fd)
        raise
    return fd


def _stay(fd: int, path: str, root: str) -> None:
    """Raise unless the open file is below ``root``, which itself may be a link."""
    if not root:
        return
    real = os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - text, not a Path
    if real == path:
        return
    home = os.path.realpath(root)
    if real != home and not real.startswith(home.rstrip("/") + "/"):
        raise OSError(errno.ELOOP, f"a link on the way leads out of {root}: to {real}")
