# SPDX-License-Identifier: Apache-2.0
"""The questions are those Kibana asks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.views.asked import MISSING, asked, interval_of
from tests.views.panels import Panel, panels
from tests.views.planted import NAMESPACE
from tests.views.stories import NOW


@pytest.mark.parametrize(
    ("asked_for", "shown", "taken"),
    [
        ("auto", timedelta(hours=24), "30m"),
        ("auto", timedelta(days=7), "3h"),
        ("auto", timedelta(days=30), "12h"),
        ("1h", timedelta(hours=24), "1h"),
        ("1m", timedelta(hours=24), "30m"),
    ],
)
def test_intervals(asked_for: str, shown: timedelta, taken: str) -> None:
    """About fifty columns are shown, and never more than a hundred."""
    assert interval_of(asked_for, shown) == taken


def test_the_data_view_names_the_indices() -> None:
    """A panel asks the pattern of the data view its dashboard refers to."""
    asks = {one.view: asked(one, NOW, NAMESPACE)["index"] for one in panels()}

    assert asks == {
        "sms-records": "logs-sms.clisvc-views,logs-sms.ccm-views",
        "sms-states": "logs-sms.state-views",
        "sms-shipper": "logs-sms.shipper-views",
        "sms-agent-state": "sms-agent-state-views",
        "sms-host-state": "sms-host-state-views",
    }


def test_missing_values_are_asked_for_beside_others_only() -> None:
    """Without the bucket of the others there is none for what has no value."""
    (panel,) = (one for one in panels() if one.title == "Incidents by agent")
    (agent,) = (
        column["params"]
        for column in panel.layer["columns"].values()
        if column["operationType"] == "terms"
    )
    before = _terms(panel)
    agent["otherBucket"] = False

    assert (before["missing"], "missing" in _terms(panel)) == (MISSING, False)


def _terms(panel: Panel) -> dict[str, object]:
    name, *_ = panel.layer["columnOrder"]
    found: dict[str, object] = asked(panel, NOW, NAMESPACE)["aggs"][name]["terms"]
    return found
