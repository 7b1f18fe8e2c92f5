# SPDX-License-Identifier: Apache-2.0
"""The data files beside the code: found, read and checked here and nowhere else."""

from __future__ import annotations

import mmap
import tomllib
from importlib import resources
from pathlib import Path
from typing import TypeVar

import msgspec

from shipper.errors import ShipperError

T = TypeVar("T", bound=msgspec.Struct)

#: What a person does about a damaged data file that came with the package.
_REMEDY = "Install the package again, or correct the entry if the file was edited."


def text(name: str) -> str:
    """Read a data file.

    Args:
        name: file name in the package's ``data`` folder.
    """
    return (resources.files(__package__) / "data" / name).read_text("utf-8")


def mapped(name: str) -> bytes | mmap.mmap:
    """Map a data file into memory; inside an archive, which has no files, read it.

    Args:
        name: file name in the package's ``data`` folder.
    """
    place = resources.files(__package__) / "data" / name
    if not isinstance(place, Path):
        return place.read_bytes()
    with place.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def tables(name: str, content: str) -> dict[str, object]:
    """Parse TOML; TOML itself forbids two tables of one name.

    Args:
        name: file name for messages.
        content: the file's text.

    Raises:
        ShipperError: the text is not TOML; names the file, the place and the reason.
    """
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ShipperError(f"{name}: {error}.", remedy=_REMEDY) from error


def entry(name: str, key: str, raw: object, kind: type[T]) -> T:
    """Turn one table into its type.

    Args:
        name: file name for messages.
        key: the table's name in the file; it fills the field ``id`` of types that
            have one.
        raw: the table.
        kind: a struct that forbids unknown fields.

    Raises:
        ShipperError: a field is missing, unknown or of the wrong type; names the
            file, the entry and the reason.
    """
    if isinstance(raw, dict) and "id" in kind.__struct_fields__:
        if "id" in raw:
            raise broken(name, key, "has an id, which the table's name already is")
        raw = {"id": key, **raw}
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise broken(name, key, str(error)) from error


def broken(name: str, key: str, reason: str) -> ShipperError:
    """Make the error for an entry that cannot be used.

    Args:
        name: file name.
        key: the table's name in the file.
        reason: what is wrong with it, with the value seen.
    """
    return ShipperError(f"{name}: {key}: {reason}.", remedy=_REMEDY)
