# SPDX-License-Identifier: Apache-2.0
"""Which paths are on network shares: metadata may be stale there, calls may hang."""

from __future__ import annotations

import os
import re
import sys

from shipper.clock import Clock, SystemClock

#: File systems of Linux that are shares, or become one at the first access.
SHARE_TYPES = frozenset({"cifs", "smb3", "nfs", "nfs4", "9p", "afs", "davfs", "autofs"})
_USER_SPACE = "fuse."  # sshfs, rclone and their like; not fuseblk, which is a disk
_TABLE = "/proc/self/mounts"
_FRESH_S = 10.0
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mounts:
    """The kernel's table of mounts.

    With thousands of shares it is long, so it is read for many paths at once.

    Args:
        clock: time.
        table: where it is read.
    """

    def __init__(self, clock: Clock | None = None, table: str = _TABLE) -> None:
        self._clock = clock or SystemClock()
        self._path = table
        self._kinds: dict[str, str] = {}
        self._read_at: float | None = None

    def on_share(self, path: str) -> bool:
        """Tell whether ``path`` is on a network share."""
        kind = "" if is_unc(path) else self._kind(path)
        return is_unc(path) or kind in SHARE_TYPES or kind.startswith(_USER_SPACE)

    def _kind(self, path: str) -> str:
        if not sys.platform.startswith("linux"):
            return ""
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at > _FRESH_S:
            self._read_at, self._kinds = now, self._read()
        real = os.path.realpath(path)
        while real not in self._kinds and real != "/":
            real = os.path.dirname(real)  # noqa: PTH120 - text, not a Path
        return self._kinds.get(real, "")

    def _read(self) -> dict[str, str]:
        kinds = {}
        with open(self._path, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123 - not a path of ours
            for line in lines:
                _, point, kind, *_ = line.split(" ")
                kinds[_ESCAPE.sub(_unescape, point)] = kind
        return kinds


def is_unc(path: str) -> bool:
    r"""Tell whether ``path`` is of the form ``\\server\share``."""
    device = path.startswith(("\\\\?\\", "\\\\.\\"))
    return path.startswith("\\\\") and (not device or path[4:8].upper() == "UNC\\")


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))
