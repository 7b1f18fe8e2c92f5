# SPDX-License-Identifier: Apache-2.0
"""Which client agent a launched program belongs to."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from msgspec import Struct

from shipper.knowledge import library

_FILE = "agents.toml"
_SEPARATOR = re.compile(r"[\\/]+")
_EXTENSION = re.compile(r"\.(?:exe|dll|com)$", re.IGNORECASE)


class Agent(Struct, frozen=True, kw_only=True):
    """A client agent as the Control Panel lists it.

    Attributes:
        id: ``advertised-programs``.
        name: ``Advertised Programs Client Agent``.
        scope: ``agent``, or ``host`` for base components: their failure concerns every
            agent of the host.
    """

    id: str
    name: str
    scope: Literal["agent", "host"]


class Launcher(Struct, frozen=True, kw_only=True):
    """A program the client service starts for an agent.

    Attributes:
        id: base name of its executable, lower case, without extension.
        agent: whom it serves.
    """

    id: str
    agent: Agent


class _Names(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One launcher in ``agents.toml``."""

    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    executables: tuple[str, ...] = ()


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent in ``agents.toml``."""

    name: str
    launchers: dict[str, _Names]
    scope: Literal["agent", "host"] = "agent"
    folders: tuple[str, ...] = ()


class Roster:
    """All launchers, by every name they have.

    Attributes:
        agents: all agents in the file's order.
        launchers: all launchers, likewise.
    """

    def __init__(self, content: str) -> None:
        """Read the text of ``agents.toml``.

        Args:
            content: TOML, one table an agent.

        Raises:
            ShipperError: an entry cannot be used; names file, entry and reason.
        """
        self.agents: list[Agent] = []
        self.launchers: list[Launcher] = []
        self._names: dict[str, Launcher] = {}
        self._executables: dict[str, Launcher] = {}
        self._prefixes: list[tuple[str, Launcher]] = []
        self._suffixes: list[tuple[str, Launcher]] = []
        self._folders: dict[tuple[str, ...], Agent] = {}
        for key, raw in library.tables(_FILE, content).items():
            entry = library.entry(_FILE, key, raw, _Entry)
            agent = Agent(id=key, name=entry.name, scope=entry.scope)
            self.agents.append(agent)
            for folder in entry.folders:
                self._folders[tuple(_segments(folder))] = agent
            for ident, names in entry.launchers.items():
                self._enlist(Launcher(id=ident, agent=agent), names)

    def by_app(self, name: str) -> Launcher | None:
        """See :func:`by_app`."""
        wanted = " ".join(name.lower().split())
        known = self._names.get(wanted) or self._executables.get(_base(wanted))
        if known or not wanted:
            return known
        for prefix, launcher in self._prefixes:
            if wanted.startswith(prefix):
                return launcher
        for suffix, launcher in self._suffixes:
            if wanted.endswith(suffix):
                return launcher
        return None

    def by_executable(self, path: str) -> Launcher | None:
        """See :func:`by_executable`."""
        *folders, file = _segments(path) or [""]
        base = _base(file)
        known = self._executables.get(base)
        if known or not base:
            return known
        for folder, agent in self._folders.items():
            width = len(folder)
            # From the right: the deepest folder decides, whatever is above MS\SMS.
            for start in range(len(folders) - width, -1, -1):
                if tuple(folders[start : start + width]) == folder:
                    return Launcher(id=base, agent=agent)
        return None

    def _enlist(self, launcher: Launcher, names: _Names) -> None:
        self.launchers.append(launcher)
        for table, keys in (
            (self._names, names.names),
            (self._executables, (launcher.id, *names.executables)),
        ):
            for key in keys:
                if key.lower() in table:
                    raise library.broken(_FILE, launcher.id, f"{key!r} is taken")
                table[key.lower()] = launcher
        self._prefixes += [(prefix.lower(), launcher) for prefix in names.prefixes]
        self._suffixes += [(suffix.lower(), launcher) for suffix in names.suffixes]


def by_app(name: str) -> Launcher | None:
    """Find a launcher by the name the log calls it.

    Args:
        name: such as ``WNet User Groups Offer Data Provider`` or ``APM``, any case.
    """
    return _roster().by_app(name)


def by_executable(path: str) -> Launcher | None:
    r"""Find a launcher by its program: by base name, else by the folder it lies in.

    Args:
        path: such as ``C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe``, any case.
    """
    return _roster().by_executable(path)


def agents() -> tuple[Agent, ...]:
    """All client agents."""
    return tuple(_roster().agents)


def launchers() -> tuple[Launcher, ...]:
    """All programs the client service starts for agents."""
    return tuple(_roster().launchers)


@cache
def _roster() -> Roster:
    return Roster(library.text(_FILE))


def _segments(path: str) -> list[str]:
    return [part for part in _SEPARATOR.split(path.strip(' "').lower()) if part]


def _base(file: str) -> str:
    return _EXTENSION.sub("", file.strip())
