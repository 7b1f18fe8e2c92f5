# SPDX-License-Identifier: Apache-2.0
"""The page for analysts names what is there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.views.panels import objects

PAGE = (Path(__file__).parents[2] / "docs" / "kibana.md").read_text(encoding="utf-8")


def test_every_panel_is_sketched() -> None:
    """The sketches have the panels of each dashboard, row by row, and no others."""
    blocks = [block.split("```")[0] for block in PAGE.split("\n```\n")[1:]]
    sketched = {
        frozenset(
            cell.split(" (")[0].strip()
            for line in block.splitlines()
            for cell in line.split("│")
        )
        for block in blocks
        if "│" in block
    }

    assert sketched == {
        frozenset(
            panel["title"]
            for panel in json.loads(one["attributes"]["panelsJSON"])
            if panel["type"] != "visualization"
        )
        for one in objects("dashboard")
    }


def test_every_data_view_is_named() -> None:
    """The table of data views has all of them, with their patterns."""
    views = [one["attributes"] for one in objects("index-pattern")]
    lines = [line for line in PAGE.splitlines() if line.startswith("| SMS: ")]
    expected = [
        f"| {one['name']} | `{one['title'].replace(',', '`, `')}`" for one in views
    ]

    assert [line.rpartition(" | ")[0] for line in lines] == expected
