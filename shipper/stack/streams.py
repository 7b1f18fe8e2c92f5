# SPDX-License-Identifier: Apache-2.0
"""The data streams a server has, and which of them still write with old mappings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from elasticsearch import AuthorizationException, Elasticsearch, NotFoundError
from msgspec import Struct

from shipper.stack.assets import Asset, Kind

PATTERN = "logs-sms.*"


class DataStream(Struct, frozen=True, kw_only=True):
    """A data stream.

    Attributes:
        name: such as ``logs-sms.clisvc-default``.
        indices: its backing indices, the newest last.
    """

    name: str
    indices: tuple[str, ...]


def data_streams(client: Elasticsearch, pattern: str = PATTERN) -> list[DataStream]:
    """Return the data streams with such names; none if they may not be seen.

    Raises:
        ApiError: the server refuses for another reason than rights.
        TransportError: it does not answer.
    """
    try:
        reply = client.indices.resolve_index(name=pattern).body
    except (AuthorizationException, NotFoundError):
        return []
    return [
        DataStream(name=each["name"], indices=tuple(each["backing_indices"]))
        for each in reply["data_streams"]
    ]


def template_of(stream: str, templates: Iterable[Asset]) -> Asset | None:
    """Return the template with a pattern that a data stream's name matches."""
    return next(
        (
            one
            for one in templates
            if any(fnmatchcase(stream, pattern) for pattern in one.stream_patterns)
        ),
        None,
    )


def outdated(
    client: Elasticsearch,
    fitted: Iterable[Asset],
    installed: Mapping[str, Mapping[str, Any]],
    left_alone: Collection[str] = (),
) -> Iterator[tuple[str, str]]:
    """Yield data streams whose write index lacks fields, and what is different.

    Args:
        client: the client.
        fitted: all objects, as the server gets them.
        installed: component templates the server has: one called ``@custom`` may give
            a field of ours another type.
        left_alone: templates that are others' or newer: what is made with one of them
            does not become what ours say.
    """
    fitted = tuple(fitted)
    for stream in data_streams(client):
        template = template_of(stream.name, fitted)
        if template is None or not {*left_alone}.isdisjoint(
            (template.name, *template.body["composed_of"])
        ):
            continue
        index = stream.indices[-1]
        try:
            reply = client.indices.get_mapping(index=index).body
        except (AuthorizationException, NotFoundError):
            continue
        mapped = leaves(reply[index]["mappings"].get("properties", {}))
        other = [
            name
            for name, kind in fields(template, fitted, installed).items()
            if mapped.get(name) != kind
        ]
        if other:
            more = f" and {len(other) - 1} more fields" if other[1:] else ""
            yield stream.name, f"its write index maps {other[0]}{more} otherwise"


def fields(
    template: Asset,
    fitted: Iterable[Asset],
    installed: Mapping[str, Mapping[str, Any]],
) -> dict[str, str]:
    """Return dotted name and type of every field a template of ours maps."""
    ours = {one.name: one.body for one in fitted if one.kind is Kind.COMPONENT_TEMPLATE}
    found: dict[str, str] = {}
    for name in template.body["composed_of"]:
        body = ours.get(name) or installed.get(name, {})
        mapped = leaves(
            body.get("template", {}).get("mappings", {}).get("properties", {})
        )
        found |= {
            field: kind
            for field, kind in mapped.items()
            if name in ours or field in found
        }
    return found


def leaves(properties: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return dotted name and type of each field of a mapping."""
    found: dict[str, str] = {}
    for name, definition in properties.items():
        if "properties" in definition:
            found |= leaves(definition["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = definition.get("type", "object")
    return found
