# SPDX-License-Identifier: Apache-2.0
"""Golden pairs: a log, and its documents worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.enrich.story import ship

GOLDEN = Path(__file__).parents[1] / "data" / "documents"

#: Our own words may change; that they are there is enough.
PROSE = (
    ("event", "reason"),
    ("error", "message"),
    ("rule", "name"),
    ("sms", "remedy", "summary"),
    ("sms", "remedy", "lasting"),
    ("sms", "remedy", "references"),
    ("sms", "remedy", "events"),
)


def without_prose(body: dict[str, Any]) -> dict[str, Any]:
    """Take our own words out of a document; where there are some, none is empty."""
    for *parents, name in PROSE:
        members = body
        for parent in parents:
            members = members.get(parent, {})
        assert members.pop(name, None) != ""
    return body


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem
)
def test_golden_pair(path: Path) -> None:
    """A log yields exactly the documents its companion file says, under those ids."""
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))

    shown = [
        {"_id": one.id, "_source": without_prose(one.body)}
        for one in ship(path.read_bytes(), timezone="America/Chicago")
    ]

    assert shown == expected


def test_every_golden_file_has_its_companion() -> None:
    """No log and no expectation stands alone."""
    logs = {path.stem for path in GOLDEN.glob("*.log")}

    assert {
        path.name.removesuffix(".expected.json") for path in GOLDEN.glob("*.json")
    } == logs
    assert logs
