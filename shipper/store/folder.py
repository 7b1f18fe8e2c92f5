# SPDX-License-Identifier: Apache-2.0
"""The state folder: made, locked against a second instance, and told apart by name."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from shipper.errors import StateError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


class StateFolder:
    """A folder that only one process uses at a time.

    Args:
        path: the folder; made if it is not there.

    Raises:
        StateError: it cannot be made or written, or another process holds it.

    Attributes:
        sent_ms: wall clock of the last sending of whoever had it before, if requests
            of theirs may still be under way.
        abandoned: requests of ours may be; the next one is told.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._file = (path / "lock").open("a+b")
        except OSError as error:
            raise StateError(
                f"state.dir: {path} cannot be used: {error.strerror or error}.",
                remedy="Name a folder on a local disk with --state.",
            ) from error
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            holder = self._holder()
            raise StateError(
                f"state.dir: {path} is in use by process {holder}.",
                remedy="Stop that one first, or name another folder with --state.",
            ) from error
        self.sent_ms = self._sent_ms()
        self.abandoned = False
        # The holder's number stands beside the lock: Windows lets nobody read a locked
        # range.
        with contextlib.suppress(OSError):
            (path / "pid").write_text(str(os.getpid()), encoding="ascii")

    @property
    def database(self) -> Path:
        """Path of the checkpoint store."""
        return self.path / "state.db"

    @property
    def told(self) -> Path:
        """Path of the file with what reports have told."""
        return self.path / "told.json"

    @property
    def spool(self) -> Path:
        """Path of the folder with rests of logs."""
        return self.spool_in(self.path)

    @staticmethod
    def spool_in(folder: Path) -> Path:
        """Return the path of the folder with rests of logs in a state folder."""
        return folder / "spool"

    @property
    def dead_letters(self) -> Path:
        """Path of the file with refused documents."""
        return self.letters_in(self.path)

    @staticmethod
    def letters_in(folder: Path) -> Path:
        """Return the path of the refused documents in a state folder."""
        return folder / "dead-letters.ndjson"

    def sending(self) -> None:
        """Note that something is being sent now."""
        with contextlib.suppress(OSError):
            (self.path / "sent").touch()

    def _sent_ms(self) -> int | None:
        try:
            return (self.path / "sent").stat().st_mtime_ns // 1_000_000
        except OSError:
            return None

    def _holder(self) -> str:
        try:
            return (self.path / "pid").read_text(encoding="ascii").strip() or "?"
        except OSError:
            return "?"

    def close(self) -> None:
        """Let another process use the folder."""
        left = ("pid",) if self.abandoned else ("pid", "sent")
        for name in left:
            with contextlib.suppress(OSError):
                (self.path / name).unlink()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
