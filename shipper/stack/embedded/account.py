# SPDX-License-Identifier: Apache-2.0
"""Who the server runs as: Elasticsearch refuses to run as root."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

if sys.platform == "win32":
    pwd = None
else:
    import pwd

_NAME = "nobody"
_NUMBER = 65534  # what "nobody" is where the user database lacks it


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user and group of the operating system.

    Attributes:
        uid: user id.
        gid: group id.
    """

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Return whether this account may enter every folder down to a path.

        Parts that do not exist yet are taken as reachable: we make them so.
        """
        return all(
            self._may_enter(folder)
            for folder in (path, *path.parents)
            if folder.is_dir()
        )

    def _may_enter(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        if status.st_gid == self.gid:
            return bool(status.st_mode & 0o010)
        return bool(status.st_mode & 0o001)

    def own(self, folder: Path) -> None:
        """Hand a folder and everything in it over to this account."""
        if sys.platform == "win32":
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def unprivileged() -> Account | None:
    """Return the account to run as when we are root, else None: run as we are."""
    if sys.platform == "win32":
        return None
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        return Account(uid=_NUMBER, gid=_NUMBER)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
