# SPDX-License-Identifier: Apache-2.0
"""The demo fleet's answers, reckoned from its plan, against what its logs say."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from shipper.demo.fleet import DEFAULT_TIMEZONE, AgentTruth, Ending, Fleet, Log
from shipper.records import Source, Stream
from tests.enrich.story import Shipped, ship

PLANS = [
    (7, datetime(2003, 3, 14, 12, 30, tzinfo=UTC)),
    (1, datetime(2003, 10, 27, 18, 0, tzinfo=UTC)),  # summer time ended the day before
    (23, datetime(2003, 4, 7, 3, 0, tzinfo=UTC)),  # and begun the day before
]
each_plan = pytest.mark.parametrize(
    ("seed", "end"), PLANS, ids=["plain", "end", "begin"]
)


@cache
def fleet(seed: int, end: datetime) -> Fleet:
    """Plan a fleet, once."""
    return Fleet.plan(seed, end=end)


@cache
def documents(seed: int, end: datetime) -> dict[str, list[Shipped]]:
    """Ship a fleet's logs, once."""
    return {log.host.name: read(log) for log in fleet(seed, end).logs}


def read(log: Log) -> list[Shipped]:
    """Ship one log of a fleet."""
    name = log.host.name
    source = Source(
        host=name,
        log="clisvc",
        directory=f"/fleet/{name}",
        path=f"/fleet/{name}/Clisvc.log",
        explicit_host=True,
    )
    return ship(b"".join(log.truth.lines), source=source, timezone=DEFAULT_TIMEZONE)


def told(shipped: list[Shipped], agent: str) -> AgentTruth:
    """Read off an agent's documents what became of it."""
    states = [
        one
        for one in shipped
        if one.stream is Stream.STATE and one.agent["id"] == agent
    ]
    if not states:
        return AgentTruth()
    last = states[-1].agent
    refusals = [
        one
        for one in shipped
        if one.stream is Stream.CLISVC
        and one.body["sms"].get("agent", {}).get("id") == agent
        and one.agent.get("refused")
        and one.body["@timestamp"] >= last.get("pending_since", "9")
    ]
    since = last.get("pending_since")
    return AgentTruth(
        ending=Ending(last["state"]),
        cycles=last.get("cycles", 0),
        refusals=len(refusals),
        first_refusal=datetime.fromisoformat(since) if since else None,
        root_code=int(refusals[-1].incident["root_code"]) if refusals else None,
    )


@each_plan
def test_agents(seed: int, end: datetime) -> None:
    """State, cycles, refusals, first refusal and cause are those of the plan."""
    plan = fleet(seed, end)
    found = {
        (log.host.name, agent): told(documents(seed, end)[log.host.name], agent)
        for log in plan.logs
        for agent in log.truth.agents
    }

    assert found == {
        (log.host.name, agent): truth
        for log in plan.logs
        for agent, truth in log.truth.agents.items()
    }


@each_plan
def test_documents(seed: int, end: datetime) -> None:
    """Each log makes as many record documents as it has records."""
    found = {
        name: sum(one.stream is Stream.CLISVC for one in shipped)
        for name, shipped in documents(seed, end).items()
    }

    assert found == {
        log.host.name: log.truth.documents for log in fleet(seed, end).logs
    }
