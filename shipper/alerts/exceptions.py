# SPDX-License-Identifier: Apache-2.0
"""What no rule is to speak of: ``dashboards/exceptions.yml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from shipper.alerts.kql import globbed
from shipper.errors import ConfigError
from shipper.stack.assets import folder

_NAME = "exceptions.yml"

#: What an entry may name.
Thing: TypeAlias = Literal["host", "agent", "executable"]
_THINGS: tuple[Thing, ...] = get_args(Thing)


class Silence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry. ``*`` stands for any signs.

    Attributes:
        host: lower-case short name.
        agent: id of an agent.
        executable: path of a program, as logs have it.
        until: the first day on which rules speak again, UTC.
        reason: why, for whoever finds it.
    """

    host: str = ""
    agent: str = ""
    executable: str = ""
    until: date
    reason: str

    def expired(self, now_ms: int) -> bool:
        """Tell whether it is of no effect any more.

        Args:
            now_ms: milliseconds since 1970, UTC.
        """
        return self.until <= datetime.fromtimestamp(now_ms / 1000, UTC).date()

    def query(self, named: Mapping[Thing, str]) -> str:
        """Return what it keeps silent about as a query; empty if that is nothing.

        Args:
            named: field by thing, for the things a rule knows.
        """
        given = {name: value for name in _THINGS if (value := getattr(self, name))}
        if not given.keys() <= named.keys():
            return ""
        parts = [f"{named[name]}: {globbed(value)}" for name, value in given.items()]
        return " and ".join([*parts, f'@timestamp < "{self.until.isoformat()}"'])


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    exceptions: list[dict[str, Any]]


def silences(file: Path | None = None) -> list[Silence]:
    """Return the entries of a file.

    Args:
        file: default: the one that comes with the rules.

    Raises:
        ConfigError: it cannot be read, or an entry is wrong.
    """
    place = file or folder("dashboards").joinpath(_NAME)
    try:
        entries = msgspec.yaml.decode(place.read_bytes(), type=_File).exceptions
    except OSError as error:
        raise ConfigError(
            str(place), f"it cannot be read: {error.strerror or error}"
        ) from error
    except msgspec.MsgspecError as error:
        raise ConfigError(str(place), str(error)) from error
    return [_entry(number, entry) for number, entry in enumerate(entries, 1)]


def excepted(query: str, entries: Iterable[Silence], named: Mapping[Thing, str]) -> str:
    """Return a query without what the entries keep silent about.

    Args:
        query: the query.
        entries: what to be silent about.
        named: field by thing, for the things the query's rule knows.
    """
    silent = [part for entry in entries if (part := entry.query(named))]
    return " and ".join([f"({query})", *(f"not ({part})" for part in silent)])


def _entry(number: int, entry: Mapping[str, Any]) -> Silence:
    where = f"exceptions[{number}]"
    shown = ", ".join(f"{name}: {value}" for name, value in entry.items())
    try:
        made = msgspec.convert(entry, Silence)
    except msgspec.ValidationError as error:
        raise ConfigError(where, f"{error} ({shown})") from error
    things = [value for name in _THINGS if (value := getattr(made, name))]
    if not things:
        raise ConfigError(where, f"it names no host, agent or executable ({shown})")
    for thing in things:
        if re.search(r"\s", thing) and "*" in thing:
            raise ConfigError(
                where,
                f"{thing!r} has both a space and a *",
                remedy="Write * in the place of each space.",
            )
    if not made.reason.strip():
        raise ConfigError(where, f"it gives no reason ({shown})")
    return made
