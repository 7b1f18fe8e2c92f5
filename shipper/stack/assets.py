# SPDX-License-Identifier: Apache-2.0
"""The objects Elasticsearch runs, as shipped in the top-level folder ``pipelines``.

A folder is a kind, a file is an object, the file's stem is the object's name.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from shipper.errors import ShipperError

#: ``_meta.managed_by`` of everything that is ours to change.
OWNER = "clisvc-shipper"

_SUFFIX = ".json"


class Kind(StrEnum):
    """Kinds of objects, in the order in which they are installed."""

    COMPONENT_TEMPLATE = "component-template"
    INDEX_TEMPLATE = "index-template"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One object, as it would be sent to a server that supports all of it.

    Attributes:
        kind: what it is.
        name: what Elasticsearch calls it.
        version: its revision; raised with every change.
        body: the request's JSON.
    """

    kind: Kind
    name: str
    version: int
    body: dict[str, Any]


def folder() -> Traversable:
    """Return the folder ``pipelines``: of the wheel, else of the source checkout.

    Raises:
        ShipperError: the installation has neither.
    """
    package = files("shipper")
    wheel = package.joinpath("assets", "pipelines")
    if wheel.is_dir():
        return wheel
    checkout = Path(str(package)).parent / "pipelines"
    if checkout.is_dir():
        return checkout
    raise ShipperError(
        f"The index templates are missing: there is no folder {wheel}.",
        remedy="Install clisvc-shipper again.",
    )


@cache
def assets() -> tuple[Asset, ...]:
    """Return everything there is to install, in order.

    Raises:
        ShipperError: the installation has no assets.
    """
    root = folder()
    return tuple(
        _read(kind, file)
        for kind in Kind
        for file in sorted(
            root.joinpath(f"{kind}s").iterdir(), key=lambda file: file.name
        )
        if file.name.endswith(_SUFFIX)
    )


def _read(kind: Kind, file: Traversable) -> Asset:
    body = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    return Asset(
        kind=kind,
        name=file.name.removesuffix(_SUFFIX),
        version=body["version"],
        body=body,
    )
