# SPDX-License-Identifier: Apache-2.0
"""Names a log may go by: the active file and its rotated siblings.

Names only say where to look; what a file holds is decided by its content.
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from types import ModuleType

from msgspec import Struct

#: ``Clisvc.lo_``, ``Clisvc-20030212-101500.log``, ``Clisvc.log.1``, ``Clisvc.1``
_NAME = re.compile(
    r"(?P<stem>.+?)(?P<dated>-\d{8}-\d{6})?\.(?P<kind>lo_|log|log\.\d+|\d+)",
    re.IGNORECASE,
)


class LogName(Struct, frozen=True, kw_only=True):
    """A file name taken apart.

    Attributes:
        log: logical name, lower case.
        active: it is the name the log is written under.
    """

    log: str
    active: bool


def log_name(name: str) -> LogName:
    """Take a file name apart; a name of no known form is its own log."""
    match = _NAME.fullmatch(name)
    if match is None:
        return LogName(log=name.lower(), active=True)
    rotated = match["dated"] is not None or match["kind"].lower() != "log"
    return LogName(log=match["stem"].lower(), active=not rotated)


def belongs(name: str, log: str) -> bool:
    """Tell whether a file of this name may belong to ``log`` (in lower case)."""
    return name.lower().startswith(log) and log_name(name).log == log


class Siblings(Struct, frozen=True, kw_only=True):
    """The files that may hold generations of one log.

    Attributes:
        path: path of the active log.
        only: if not empty, just these paths (``ship`` of named files).
    """

    path: str
    only: tuple[str, ...] = ()

    @property
    def log(self) -> str:
        """The log's name, lower case."""
        return log_name(flavour(self.path).basename(self.path)).log

    def select(self, names: list[str]) -> list[str]:
        """Return the paths among a folder's ``names``, the active one first."""
        active = flavour(self.path).basename(self.path)
        folder = self.path[: len(self.path) - len(active)]  # slashes as they are
        log = self.log
        found = [folder + name for name in sorted(names) if belongs(name, log)]
        if self.only:
            only = {path.lower() for path in self.only}
            found = [path for path in found if path.lower() in only]
        return sorted(found, key=self.rotated)

    def rotated(self, path: str) -> bool:
        """Tell whether ``path`` is not the active one; Windows ignores case."""
        return path.lower() != self.path.lower()

    def merge(self, other: Siblings) -> Siblings:
        """Return the files of the same log that this one or the other selects."""
        only = self.only + other.only if self.only and other.only else ()
        return Siblings(path=self.path, only=only)


def active_path(path: str) -> str:
    """Return the path of the active log for any file of it."""
    paths = flavour(path)
    folder, name = paths.split(path)
    match = _NAME.fullmatch(name)
    if match is None or log_name(name).active:
        return path
    suffix = ".LOG" if match["stem"].isupper() else ".log"
    return str(paths.join(folder, match["stem"] + suffix))


def flavour(path: str) -> ModuleType:
    r"""Return the path rules ``path`` follows: a backslash or a drive means Windows."""
    windows = path[1:2] == ":" or ("\\" in path and not path.startswith("/"))
    return ntpath if windows else posixpath
