# SPDX-License-Identifier: Apache-2.0
"""The server that runs in a folder, as any process can find it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shipper.errors import EmbeddedError
from shipper.stack.embedded.cache import disk_problems
from shipper.stack.embedded.lifeline import Child


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answered.

    Attributes:
        version: such as ``9.2.0``.
        url: where it answers, such as ``http://127.0.0.1:41234``.
        home: its folder, with data and logs.
        process: its launcher, whose group holds the server.
    """

    version: str
    url: str
    home: Path
    process: Child


def record_path(home: Path) -> Path:
    """Return the file that says who runs in a folder."""
    return home / "server.json"


def write_record(server: RunningServer) -> None:
    """Say who runs in its folder: whole, or not at all.

    Raises:
        EmbeddedError: the disk is full, or the folder cannot be written.
    """
    path = record_path(server.home)
    with disk_problems(server.home):
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(server, enc_hook=str))
        partial.replace(path)


def status(home: Path) -> RunningServer | None:
    """Return the server that runs in a folder, or None.

    Args:
        home: the folder it was started in.

    Raises:
        EmbeddedError: the folder's ``server.json`` is not ours.
    """
    server = _read_record(home)
    return server if server and server.process.alive() else None


def stop(home: Path) -> RunningServer | None:
    """Stop the server that runs in a folder; its data stay.

    Args:
        home: the folder it was started in.

    Returns:
        The server that ran, or None.

    Raises:
        EmbeddedError: it belongs to another user, or ``server.json`` is not ours.
    """
    server = status(home)
    if server is not None:
        try:
            server.process.end()
        except PermissionError:
            raise EmbeddedError(
                f"Process {server.process.pid} in {home} belongs to another user.",
                remedy="Stop it as the user who started it.",
            ) from None
    with disk_problems(home):
        record_path(home).unlink(missing_ok=True)
    return server


def _read_record(home: Path) -> RunningServer | None:
    path = record_path(home)
    try:
        return msgspec.json.decode(
            path.read_bytes(), type=RunningServer, dec_hook=_to_path
        )
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as problem:
        raise EmbeddedError(
            f"{path} cannot be read: {problem}.",
            remedy="Remove it if no server runs there.",
        ) from problem


def _to_path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
