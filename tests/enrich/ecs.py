# SPDX-License-Identifier: Apache-2.0
"""What a document may hold: ECS, where its definition is at hand, and our mapping."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shipper.stack.assets import Kind, assets
from tests.enrich.story import Shipped
from tests.stack.fields import leaves

DEFINITION = Path(__file__).parents[3] / "shared" / "specs" / "ecs_flat-9.4.0.yml.gz"
_LONG = range(-(2**63), 2**63)
_WORDS = {"keyword", "constant_keyword", "match_only_text", "wildcard", "text"}


@cache
def definition() -> dict[str, Any]:
    """Read the definition of ECS: dotted name to field."""
    fields: dict[str, Any] = yaml.safe_load(gzip.decompress(DEFINITION.read_bytes()))
    return fields


@cache
def mapping(stream: str) -> dict[str, str]:
    """Return dotted name to type as the templates of a data stream map it."""
    bodies = {(one.kind, one.name): one.body for one in assets()}
    kinds: dict[str, str] = {}
    for name in bodies[Kind.INDEX_TEMPLATE, f"logs-{stream}"]["composed_of"]:
        part = bodies.get((Kind.COMPONENT_TEMPLATE, name), {}).get("template", {})
        properties = part.get("mappings", {}).get("properties", {})
        kinds |= {field: found["type"] for field, found in leaves(properties)}
    return kinds


def flatten(members: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted name and value of everything in a document."""
    for name, value in members.items():
        if isinstance(value, dict):
            assert value, f"{prefix}{name} is empty"
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def fits(kind: str, value: object) -> bool:
    """Tell whether a value, or each of an array, is of a mapped type."""
    if isinstance(value, list):
        return bool(value) and all(fits(kind, one) for one in value)
    if kind in _WORDS:
        return isinstance(value, str)
    if kind == "long":
        return type(value) is int and value in _LONG
    if kind == "boolean":
        return type(value) is bool
    assert kind == "date", kind
    return isinstance(value, str) and bool(datetime.fromisoformat(value))


def misfits(shipped: Shipped) -> list[str]:
    """Name the members that are not mapped, or not as what they are."""
    kinds = mapping(shipped.stream)
    return [
        f"{name}: {value!r}"
        for name, value in flatten(shipped.body)
        if name not in kinds or not fits(kinds[name], value)
    ]


def strangers(shipped: Shipped) -> list[str]:
    """Name what ECS does not know: fields, shapes, words and pairs of words."""
    fields = definition()
    found = []
    for name, value in flatten(shipped.body):
        if name.startswith("sms."):
            continue
        field = fields.get(name)
        if field is None:
            found.append(name)
            continue
        several = "array" in field["normalize"]
        allowed = {word["name"] for word in field.get("allowed_values", ())}
        words = value if isinstance(value, list) else [value]
        if isinstance(value, list) != several or not fits(field["type"], value):
            found.append(f"{name}: {value!r}")
        if allowed and not allowed.issuperset(words):
            found.append(f"{name}: {value!r}")
    return found + _unexpected(shipped.body["event"])


def _unexpected(event: dict[str, Any]) -> list[str]:
    categories = {
        one["name"]: set(one["expected_event_types"])
        for one in definition()["event.category"]["allowed_values"]
    }
    chosen = [categories.get(name, set()) for name in event.get("category", ())]
    return [
        f"event.type: {kind} of {event.get('category')}"
        for kind in event.get("type", ())
        if not any(kind in expected for expected in chosen)
    ] + [
        f"event.category: {name} without a type of its own"
        for name, expected in zip(event.get("category", ()), chosen, strict=True)
        if expected.isdisjoint(event.get("type", ()))
    ]
