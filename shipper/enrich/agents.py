# SPDX-License-Identifier: Apache-2.0
"""What state each client agent is in, as far as the log tells.

The log never says "Install Pending"; that is what the Control Panel shows. The state is
inferred from refused launches, and only evidence ends it: never silence, a restart or a
rotation.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from shipper.enrich.trail import (
    AgentState,
    Incident,
    LauncherState,
    Trail,
    remember,
)
from shipper.knowledge import Launcher

HOUR_MS = 3_600_000
#: The 23 hours of the CCIM cycle less 3 hours of slack (KB320235).
CYCLE_MS = 20 * HOUR_MS
RELAPSE_MS = 7 * 24 * HOUR_MS

#: Worst first: an agent is as bad as the worst of its launchers.
_WORST_FIRST = (
    "integrity_failed",
    "install_pending",
    "launch_failed",
    "repair_pending",
    "recovered",
    "healthy",
    "removed",
    "unknown",
)
FAILING = frozenset(_WORST_FIRST[:4])


class Change(Struct, frozen=True, kw_only=True):
    """Something about an agent's state that deserves a document.

    Attributes:
        launcher: the launcher it came from, with its agent.
        previous: the agent's state before.
        now: a copy of its state after.
        cycle_opened: this refusal opened a cycle.
        began: the episode began with this record.
    """

    launcher: Launcher
    previous: str
    now: AgentState
    cycle_opened: bool = False
    began: bool = False


class Occasion(Struct, frozen=True, kw_only=True):
    """The record that moves a state.

    Attributes:
        id: its id.
        ms: its time, milliseconds UTC.
        time_source: where the time zone came from.
    """

    id: str
    ms: int
    time_source: str


def refused(
    trail: Trail, launcher: Launcher, incident: Incident, record: Occasion
) -> Change | None:
    """Count a refusal (once an incident) and move the launcher's state."""
    agent = _agent(trail, launcher)
    previous = agent.state
    began = previous not in FAILING
    if began:
        _open_episode(agent, record)
    opened = began or record.ms - agent.cycle_ms >= CYCLE_MS
    if opened:
        agent.cycles += 1
        agent.cycle_ms = record.ms
    agent.refusals += 1
    now = _state(agent, launcher)
    if incident.cause == "integrity":
        now = "integrity_failed"
    elif now not in FAILING:
        now = "launch_failed"
    if opened and agent.cycles > 1 and now == "launch_failed":
        now = "install_pending"
    _set(agent, launcher, now, incident)
    if agent.state == previous and not opened:
        return None
    return Change(
        launcher=launcher,
        previous=previous,
        now=_copy(agent),
        cycle_opened=opened,
        began=began,
    )


def learned_cause(trail: Trail, launcher: Launcher, incident: Incident) -> None:
    """Let a cause that comes after its echo replace what the echo left open."""
    agent = _agent(trail, launcher)
    state = _state(agent, launcher)
    if incident.root_code and state in FAILING:
        _set(agent, launcher, state, incident)


def verifying(trail: Trail, launcher: Launcher, incident: Incident) -> Change | None:
    """A verification was asked for after a refusal: installation is pending."""
    agent = _agent(trail, launcher)
    if _state(agent, launcher) in {"integrity_failed", "install_pending"}:
        return None
    return _moved(agent, launcher, "install_pending", incident)


def integrity_failed(
    trail: Trail, launcher: Launcher, incident: Incident
) -> Change | None:
    """A checksum failure came to light in an incident already counted."""
    agent = _agent(trail, launcher)
    return _moved(agent, launcher, "integrity_failed", incident)


def is_healthy(trail: Trail, launcher: Launcher) -> bool:
    """Tell whether evidence of health would be no news, as most of it is."""
    agent = trail.agents.get(launcher.agent.id)
    return agent is not None and _state(agent, launcher) == "healthy"


def healthy(trail: Trail, launcher: Launcher, record: Occasion) -> Change | None:
    """Evidence that the launcher's application runs."""
    agent = _agent(trail, launcher)
    failing = _state(agent, launcher) in FAILING
    was_failing = agent.state in FAILING
    change = _moved(agent, launcher, "recovered" if failing else "healthy")
    if was_failing and agent.state not in FAILING:
        agent.ended_ms = record.ms
    return change


def _open_episode(agent: AgentState, record: Occasion) -> None:
    # A clock that was years ahead when the last episode ended makes no relapse.
    agent.relapse = (
        agent.ended_ms is not None and abs(record.ms - agent.ended_ms) <= RELAPSE_MS
    )
    agent.episode += 1
    agent.episode_id = record.id
    agent.pending_since_ms = record.ms
    agent.pending_since_source = record.time_source
    agent.cycles = 0
    agent.refusals = 0


def _moved(
    agent: AgentState, launcher: Launcher, state: str, incident: Incident | None = None
) -> Change | None:
    previous = agent.state
    _set(agent, launcher, state, incident)
    if agent.state == previous:
        return None
    return Change(launcher=launcher, previous=previous, now=_copy(agent))


def _agent(trail: Trail, launcher: Launcher) -> AgentState:
    agent = trail.agents.get(launcher.agent.id)
    if agent is None:
        agent = AgentState()
        remember(trail.agents, launcher.agent.id, agent)
    return agent


def _state(agent: AgentState, launcher: Launcher) -> str:
    known = agent.launchers.get(launcher.id)
    return "unknown" if known is None else known.state


def _set(
    agent: AgentState, launcher: Launcher, state: str, incident: Incident | None
) -> None:
    """Set a launcher's state, and the agent's with the cause of the worst, latest."""
    now = replace(agent.launchers.get(launcher.id) or LauncherState(), state=state)
    # A missing right is no news of a program whose checksum is wrong.
    if incident and (state != "integrity_failed" or incident.cause == "integrity"):
        now = replace(now, cause=incident.cause, root_code=incident.root_code)
    remember(agent.launchers, launcher.id, now)
    worst = min(
        reversed(agent.launchers.values()),
        key=lambda one: _WORST_FIRST.index(one.state),
    )
    agent.state = worst.state
    if worst.state in FAILING:
        agent.cause, agent.root_code = worst.cause, worst.root_code


def _copy(agent: AgentState) -> AgentState:
    return replace(agent, launchers=dict(agent.launchers))
