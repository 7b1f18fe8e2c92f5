# SPDX-License-Identifier: Apache-2.0
"""One step of a plan, in Elasticsearch or in Kibana."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from shipper.errors import ShipperError
from shipper.stack.assets import Asset

Action = Literal[
    "create",
    "update",
    "start",
    "roll over",
    "remove",
    "unchanged",
    "kept",
    "skipped",
    "refused",
]


class Step(Struct, frozen=True, kw_only=True):
    """What set-up does with one object, or why it does nothing.

    Attributes:
        kind: kind of object (``index-template``, ``dashboard``), ``data-stream``,
            ``index``, or what a server lacks (``field-type``, ``failure-store``).
        name: the object's name.
        action: what is done.
        reason: why, in words; empty if it needs none.
        asset: what Elasticsearch is sent; only with ``create`` and ``update``.
        changes: what ``update`` changes: path, value now, value then.
        error: what went wrong; only with ``refused``.
    """

    kind: str
    name: str
    action: Action
    reason: str = ""
    asset: Asset | None = None
    changes: tuple[str, ...] = ()
    error: ShipperError | None = None
