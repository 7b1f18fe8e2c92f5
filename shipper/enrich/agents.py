# SPDX-License-Identifier: Apache-2.0
"""What state each client agent is in, as far as the log tells.

The log hardly ever says "Install Pending"; that is what the Control Panel shows. The
state is inferred from refused launches, and only evidence ends it: never silence, a
restart or a rotation. It is kept for each launcher application, and an agent is as bad
as the worst of its own. What the transition table leaves open is decided so:

- A base component (scope ``host``) serves every agent: its failure fails them all, and
  its success ends only that failure. That it works says nothing about an agent.
- A component that has to be upgraded or verified is ``repair_pending`` *together with a
  failure*: a refusal of the same application at most one cycle before or after. One
  that comes after counts only if it begins a failure, because a refusal of what is
  failing already keeps the state.
- A removed agent's launchers are forgotten; what is installed anew begins as unknown.
- A launcher nothing was heard of for 30 days, by the records' own time, is forgotten
  unless it is failing.
- An echo (1003) never replaces a cause known in the same episode.
- A cycle begins 20 hours after its predecessor by the clock as it stands: a clock that
  was set back begins none, but the next is counted from where it stands now. What is
  within 20 hours of the refusal that opened a cycle is of that cycle, whatever the
  clock showed in between.
- A cause that comes after its echo has a document of its own. If the incident is the
  one that opened the first cycle, that document says so, too, because who counts first
  refusals for a cause (rule R2) could not see this one otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from shipper.enrich.standing import (
    DAY_MS,
    FAILING,
    HOUR_MS,
    Evidence,
    follow,
    launcher_of,
    number,
    settle,
    state_of,
    worst,
)
from shipper.enrich.trail import AgentState, LauncherState, Trail
from shipper.knowledge import Agent, Launcher, Signature, agents

#: The 23 hours of the CCIM cycle less 3 hours of slack (KB320235).
CYCLE_MS = 20 * HOUR_MS
RELAPSE_MS = 7 * DAY_MS

#: A verification that follows a refusal makes neither worse nor better what is so.
_STAYS = frozenset({"integrity_failed", "install_pending"})


class Change(Struct, frozen=True, kw_only=True):
    """Something about an agent's state that deserves a document.

    Attributes:
        agent: whose state it is.
        launcher: what moved it, the agent's own or a base component; ``None`` when all
            of the agent is removed.
        rule: signature of the evidence.
        previous: the agent's state before.
        now: a copy of its state after, without the launchers.
        cycle_opened: this refusal opened a cycle.
        began: the episode began with this record.
        explained: the cause of a refusal that was told already has come to light.
    """

    agent: Agent
    launcher: Launcher | None
    rule: Signature
    previous: str
    now: AgentState
    cycle_opened: bool = False
    began: bool = False
    explained: bool = False


def refused(trail: Trail, launcher: Launcher, evidence: Evidence) -> Iterator[Change]:
    """Count a refusal (once an incident) and move the launcher's state."""
    for agent, known in _served(trail, launcher):
        previous = known.state
        began = _begin(known, evidence)
        opened = _open_cycle(known, evidence.ms)
        known.refusals += 1
        one = launcher_of(known, launcher)
        again = opened and known.cycles > 1
        settle(known, launcher, _after_refusal(one, evidence, again=again), evidence)
        one.refused_ms = evidence.ms
        yield from _changed(
            agent, known, launcher, previous, evidence, opened=opened, began=began
        )


def learned_cause(
    trail: Trail, launcher: Launcher, evidence: Evidence
) -> Iterator[Change]:
    """Let a cause that comes after its echo replace what the echo left open."""
    for agent, known in _served(trail, launcher):
        state = launcher_of(known, launcher).state
        if not evidence.root_code or state not in FAILING:
            continue
        before = known.cause, known.root_code
        settle(known, launcher, state, evidence)
        if before != (known.cause, known.root_code):
            number(known, evidence)
            yield Change(
                agent=agent,
                launcher=launcher,
                rule=evidence.rule,
                previous=known.state,
                now=replace(known, launchers={}),
                cycle_opened=known.refusals == 1,
                explained=True,
            )


def install_pending(
    trail: Trail, launcher: Launcher, evidence: Evidence
) -> Iterator[Change]:
    """The application waits to be installed: verification, CCIM or the log says so."""
    for agent, known in _served(trail, launcher):
        if launcher_of(known, launcher).state not in _STAYS:
            yield from _moved(agent, known, launcher, "install_pending", evidence)


def integrity_failed(
    trail: Trail, launcher: Launcher, evidence: Evidence
) -> Iterator[Change]:
    """A checksum failure came to light in an incident already counted."""
    for agent, known in _served(trail, launcher):
        yield from _moved(agent, known, launcher, "integrity_failed", evidence)


def repair_needed(
    trail: Trail, launcher: Launcher, evidence: Evidence
) -> Iterator[Change]:
    """The component has to be upgraded or verified; alone that is no bad news."""
    for agent, known in _served(trail, launcher):
        one = launcher_of(known, launcher)
        one.needed_ms = one.last_ms = evidence.ms
        if one.state in FAILING and evidence.within(CYCLE_MS, one.refused_ms):
            yield from _moved(agent, known, launcher, "repair_pending", evidence)


def still_healthy(trail: Trail, launcher: Launcher, ms: int) -> bool:
    """Take note of evidence of health that is no news, as most of it is.

    Args:
        trail: what is remembered; changed in place.
        launcher: whose application runs.
        ms: time of the record that shows it, milliseconds UTC.

    Returns:
        Whether it is none; if not, :func:`healthy` has to be told.
    """
    known = trail.agents.get(launcher.agent.id)
    one = known.launchers.get(launcher.id) if known is not None else None
    if known is None or one is None or not one.state == known.state == "healthy":
        return False
    one.last_ms = ms
    return True


def healthy(trail: Trail, launcher: Launcher, evidence: Evidence) -> Iterator[Change]:
    """Evidence that the launcher's application runs."""
    if launcher.agent.scope == "host":
        yield from _base_healthy(trail, launcher, evidence)
        return
    known = state_of(trail, launcher.agent)
    failing = launcher_of(known, launcher).state in FAILING
    to = "recovered" if failing else "healthy"
    yield from _moved(launcher.agent, known, launcher, to, evidence)


def removed(trail: Trail, evidence: Evidence) -> Iterator[Change]:
    """The host has left its site: every agent known of it is removed."""
    for agent in agents():
        known = trail.agents.get(agent.id)
        if known is not None:
            previous, known.state = known.state, "removed"
            known.launchers.clear()
            yield from _changed(agent, known, None, previous, evidence)


def _base_healthy(
    trail: Trail, launcher: Launcher, evidence: Evidence
) -> Iterator[Change]:
    """End what the failure of a base component did to the agents."""
    for agent in agents():
        known = trail.agents.get(agent.id)
        one = known.launchers.get(launcher.id) if known is not None else None
        if known is None or one is None or one.state not in FAILING:
            continue
        previous = known.state
        del known.launchers[launcher.id]
        other = worst(known)
        if other is not None and other.state in FAILING:
            follow(known, other)
        else:
            known.state = "recovered"
        yield from _changed(agent, known, launcher, previous, evidence)


def _after_refusal(one: LauncherState, evidence: Evidence, *, again: bool) -> str:
    if evidence.cause == "integrity":
        return "integrity_failed"
    now = one.state
    if now not in FAILING:
        repair = evidence.within(CYCLE_MS, one.needed_ms)
        now = "repair_pending" if repair else "launch_failed"
    return "install_pending" if again and now == "launch_failed" else now


def _open_cycle(known: AgentState, ms: int) -> bool:
    """Count a refusal's cycle; tell whether the refusal opened it."""
    since = known.cycle_ms if known.back_ms is None else known.back_ms
    later = ms - since >= CYCLE_MS and abs(ms - known.cycle_ms) >= CYCLE_MS
    if known.cycles and not later:
        if ms < since:
            known.back_ms = ms
        return False
    known.cycles += 1
    known.cycle_ms, known.back_ms = ms, None
    return True


def _begin(known: AgentState, evidence: Evidence) -> bool:
    """Open an episode unless one is open; tell whether this was done."""
    if known.state in FAILING:
        return False
    # A clock that was years ahead when the last episode ended makes no relapse.
    known.relapse = evidence.within(RELAPSE_MS, known.ended_ms)
    known.episode += 1
    known.episode_id = evidence.id
    known.pending_since_ms = evidence.ms
    known.pending_since_source = evidence.time_source
    known.cycles = 0
    known.refusals = 0
    return True


def _moved(
    agent: Agent, known: AgentState, launcher: Launcher, to: str, evidence: Evidence
) -> Iterator[Change]:
    previous = known.state
    began = to in FAILING and _begin(known, evidence)
    settle(known, launcher, to, evidence)
    yield from _changed(agent, known, launcher, previous, evidence, began=began)


def _changed(
    agent: Agent,
    known: AgentState,
    launcher: Launcher | None,
    previous: str,
    evidence: Evidence,
    *,
    opened: bool = False,
    began: bool = False,
) -> Iterator[Change]:
    if previous in FAILING and known.state not in FAILING:
        known.ended_ms = evidence.ms
    if opened or known.state != previous:
        number(known, evidence)
        yield Change(
            agent=agent,
            launcher=launcher,
            rule=evidence.rule,
            previous=previous,
            now=replace(known, launchers={}),
            cycle_opened=opened,
            began=began,
        )


def _served(trail: Trail, launcher: Launcher) -> Iterator[tuple[Agent, AgentState]]:
    """Yield the agents a launcher serves, in the roster's order."""
    if launcher.agent.scope == "agent":
        yield launcher.agent, state_of(trail, launcher.agent)
        return
    for agent in agents():
        if agent.scope == "agent":
            yield agent, state_of(trail, agent)
