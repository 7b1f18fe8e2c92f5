# SPDX-License-Identifier: Apache-2.0
"""One at a time: a lock between processes that ends with its holder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def _wait(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _wait(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def adopt(path: Path, model: Path) -> None:
    """Give a file to whom another one or a folder belongs to, where that is permitted.

    What root has made beside the files of a service must not keep the service out.
    """
    if sys.platform != "win32":
        theirs, ours = model.stat(), path.stat()
        if (theirs.st_uid, theirs.st_gid) != (ours.st_uid, ours.st_gid):
            with suppress(OSError):
                os.chown(path, theirs.st_uid, theirs.st_gid)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``, waiting for it; the empty file stays.

    Raises:
        OSError: the file cannot be made, or, on Windows, is held for 10 s.
    """
    with path.open("ab") as file:
        adopt(path, path.parent)
        _wait(file)
        yield
