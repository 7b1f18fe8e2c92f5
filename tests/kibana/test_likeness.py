# SPDX-License-Identifier: Apache-2.0
"""When an object in Kibana counts as ours, unchanged."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from shipper.kibana.likeness import changes
from shipper.kibana.objects import Kind, Object

SEARCH = Object(
    kind=Kind.SEARCH,
    id="sms-x",
    name="X",
    body={
        "attributes": {"title": "X", "columns": ["a", "b"], "grid": {}},
        "references": [{"name": "r", "type": "index-pattern", "id": "sms-records"}],
    },
)
RULE = Object(
    kind=Kind.DETECTION,
    id="d",
    name="D",
    body={"name": "D", "note": "", "tags": [], "enabled": False, "risk_score": 47},
)


def changed(one: Object, **members: object) -> tuple[str, ...]:
    """Return what differs when members of the body are replaced, or taken (None)."""
    theirs = copy.deepcopy(one.body) | members
    return changes(one, {k: v for k, v in theirs.items() if v is not None}, {})


def test_same() -> None:
    """What was sent, and came back, is the same."""
    assert changed(SEARCH) == ()
    assert changed(RULE) == ()


def test_added_members() -> None:
    """What Kibana adds does not count, at any depth."""
    attributes = SEARCH.body["attributes"] | {"grid": {"columns": {}}}

    assert changed(SEARCH, attributes=attributes, updated_at="2026") == ()
    assert changed(RULE, revision=3, enabled=True, actions=[{"id": "mail"}]) == ()


@pytest.mark.parametrize(
    "above",
    [{"title": "X", "columns": ["a", "b"], "grid": {}}, {"title": "X"}],
    ids=["copied", "moved"],
)
def test_attributes_in_a_tab(above: dict[str, Any]) -> None:
    """What a search shows is in its first tab, and compared there."""
    tab = {"id": "t1", "label": "Untitled", "attributes": {"columns": ["a", "b"]}}
    other = {"id": "t1", "label": "Untitled", "attributes": {"columns": ["a"]}}

    assert changed(SEARCH, attributes=above | {"tabs": [tab]}) == ()
    assert changed(SEARCH, attributes=above | {"tabs": [other]}) == (
        "attributes.columns: [a], not [a, b]",
    )


def test_omitted_members() -> None:
    """What is empty may be left out; what is not may not."""
    assert changed(RULE, note=None, tags=None) == ()
    assert changed(RULE, risk_score=None) == ("risk_score: nothing, not 47",)


@pytest.mark.parametrize(
    ("attributes", "change"),
    [
        ({"title": "Y"}, "attributes.title: Y, not X"),
        ({"columns": ["a"]}, "attributes.columns: [a], not [a, b]"),
        ({"columns": ["b", "a"]}, "attributes.columns: [b, a], not [a, b]"),
    ],
)
def test_changed_attribute(attributes: dict[str, Any], change: str) -> None:
    """A changed value, a shorter list and another order count."""
    theirs = SEARCH.body["attributes"] | attributes

    assert changed(SEARCH, attributes=theirs) == (change,)


def test_changed_reference() -> None:
    """An object that refers to something else is not what was sent."""
    references = [{"name": "r", "type": "index-pattern", "id": "logs-*"}]

    assert changed(SEARCH, references=references) == (
        "references.r: index-pattern logs-*, not index-pattern sms-records",
    )


def test_long_change() -> None:
    """A text that would fill pages is cut."""
    (change,) = changed(RULE, name=json.dumps(["x" * 1000]))

    assert len(change) == 301
    assert change.endswith("…")
