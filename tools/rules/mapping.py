# SPDX-License-Identifier: Apache-2.0
"""Which fields there are, by our own templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipper.stack import Kind, assets

_KINDS = (Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE)


def _leaves(members: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, member in members.items():
        if "properties" in member:
            yield from _leaves(member["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", member["type"]


#: Type by dotted name.
TYPES = {
    name: kind
    for asset in assets()
    if asset.kind in _KINDS
    for name, kind in _leaves(
        asset.body.get("template", {}).get("mappings", {}).get("properties", {})
    )
}
