# SPDX-License-Identifier: Apache-2.0
"""The page for analysts names what is there."""

from __future__ import annotations

from pathlib import Path

from tests.views.panels import objects, panels

PAGE = (Path(__file__).parents[2] / "docs" / "kibana.md").read_text(encoding="utf-8")


def test_every_panel_is_named() -> None:
    """A panel that is on a dashboard is on the page."""
    assert [one.title for one in panels() if one.title not in PAGE] == []


def test_every_data_view_is_named() -> None:
    """The table of data views has all of them, with their patterns."""
    views = [one["attributes"] for one in objects("index-pattern")]
    lines = [line for line in PAGE.splitlines() if line.startswith("| SMS: ")]
    expected = [
        f"| {one['name']} | `{one['title'].replace(',', '`, `')}`" for one in views
    ]

    assert [line.rpartition(" | ")[0] for line in lines] == expected
