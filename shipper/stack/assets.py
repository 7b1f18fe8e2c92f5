# SPDX-License-Identifier: Apache-2.0
"""The objects Elasticsearch runs, as shipped in the top-level folder ``pipelines``.

A folder is a kind, a file is an object, the file's stem is the object's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from shipper.errors import ShipperError

#: ``managed_by`` of everything that is ours to change.
OWNER = "clisvc-shipper"

_SUFFIX = ".json"


class Kind(StrEnum):
    """Kinds of objects, in the order in which they are installed."""

    ILM_POLICY = "ilm-policy"
    INGEST_PIPELINE = "ingest-pipeline"
    COMPONENT_TEMPLATE = "component-template"
    INDEX_TEMPLATE = "index-template"
    TRANSFORM = "transform"
    ROLE = "role"

    @property
    def plural(self) -> str:
        """Name of its folder, and what it is called on the command line."""
        return f"{self[:-1]}ies" if self.endswith("y") else f"{self}s"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One object, as it would be sent to a server that supports all of it.

    Attributes:
        kind: what it is.
        name: what Elasticsearch calls it.
        body: the request's JSON.
    """

    kind: Kind
    name: str
    body: dict[str, Any]

    @property
    def version(self) -> int:
        """Its revision; raised with every change."""
        return version(self.kind, self.body)

    @property
    def stream_patterns(self) -> tuple[str, ...]:
        """Names of the data streams it is the template of."""
        if self.kind is Kind.INDEX_TEMPLATE and "data_stream" in self.body:
            return tuple(self.body["index_patterns"])
        return ()


def label(kind: Kind, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of an object that says whose it is, and which revision."""
    match kind:
        case Kind.ILM_POLICY:
            found = body.get("policy", {}).get("_meta")
        case Kind.ROLE:
            found = body.get("metadata")
        case _:
            found = body.get("_meta")
    return found or {}


def owner(kind: Kind, body: Mapping[str, Any]) -> str:
    """Return whose an object is, or an empty text."""
    return str(label(kind, body).get("managed_by", ""))


def version(kind: Kind, body: Mapping[str, Any]) -> int:
    """Return an object's revision, or 0."""
    found = label(kind, body).get("version")
    return found if isinstance(found, int) else 0


def folder(name: str = "pipelines") -> Traversable:
    """Return a folder of assets: of the wheel, else of the source checkout.

    Args:
        name: ``pipelines`` or ``dashboards``.

    Raises:
        ShipperError: the installation has neither.
    """
    package = files("shipper")
    wheel = package.joinpath("assets", name)
    if wheel.is_dir():
        return wheel
    checkout = Path(str(package)).parent / name
    if checkout.is_dir():
        return checkout
    raise ShipperError(
        f"Part of it is missing: there is no folder {wheel}.",
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
        if (place := root.joinpath(kind.plural)).is_dir()
        for file in sorted(place.iterdir(), key=lambda file: file.name)
        if file.name.endswith(_SUFFIX)
    )


def asset(kind: Kind, name: str) -> Asset:
    """Return one object by its name.

    Raises:
        KeyError: there is none.
    """
    for found in assets():
        if (found.kind, found.name) == (kind, name):
            return found
    raise KeyError(name)


def _read(kind: Kind, file: Traversable) -> Asset:
    return Asset(
        kind=kind,
        name=file.name.removesuffix(_SUFFIX),
        body=msgspec.json.decode(file.read_bytes(), type=dict[str, Any]),
    )
