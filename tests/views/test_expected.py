# SPDX-License-Identifier: Apache-2.0
"""What panels are held against: the fleet writer's truth, told again, and complete."""

from __future__ import annotations

from tests.views.expected import EXPECTED
from tests.views.facts import AGENTS
from tests.views.faults import FAULTS
from tests.views.panels import panels
from tests.views.planted import facts
from tests.views.stories import FLEET


def test_the_fleet_ends_as_its_writer_says() -> None:
    """Every agent ends in the state, with the cycles and since when the writer says."""
    names = {log.host.name for log in FLEET.logs}
    found = {
        (one.host, one.agent): (one.state, one.cycles, one.since, one.root_code)
        for one in facts().agents
        if one.host in names
    }

    assert found == {
        (log.host.name, AGENTS[agent]): (
            truth.ending,
            truth.cycles,
            truth.first_refusal,
            str(truth.root_code or ""),
        )
        for log in FLEET.logs
        for agent, truth in log.truth.agents.items()
    }


def test_no_record_of_the_fleet_is_missing() -> None:
    """There are as many records as the writer says, three on a line that is glued."""
    names = {log.host.name for log in FLEET.logs}

    assert sum(one.host in names for one in facts().records) == FLEET.documents


def test_every_panel_has_an_answer() -> None:
    """What a panel has to show is written down for all of them, and for no other."""
    assert EXPECTED.keys() == {(one.dashboard, one.title) for one in panels()}


def test_every_fault_is_in_one_panel() -> None:
    """A fault that is planted changes the panel it names."""
    there = {(one.dashboard, one.title): one for one in panels()}

    assert [
        fault.panel
        for fault in FAULTS
        if fault.panel == there[fault.dashboard, fault.title]
    ] == []
