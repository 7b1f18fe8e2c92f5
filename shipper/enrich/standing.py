# SPDX-License-Identifier: Apache-2.0
"""How an agent stands: as bad as the worst of the applications that serve it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from shipper.enrich.trail import AgentState, LauncherState, Trail, remember
from shipper.knowledge import Agent, Cause, Launcher, Signature

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: A launcher nothing was heard of for so long is forgotten, unless it is failing.
FORGOTTEN_MS = 30 * DAY_MS
#: Changes of an agent within one millisecond that have an order.
_IN_ONE_MS = 1000

#: Worst first.
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


class Evidence(Struct, frozen=True, kw_only=True):
    """What a record says that may move a state.

    Attributes:
        id: the record's id.
        ms: its time, milliseconds UTC.
        time_source: where the time zone came from.
        rule: the signature it fits, or S26 where a launch's success is inferred.
        cause: why something fails, or empty.
        root_code: the causing code as written in documents; never an echo's.
        reported: the record itself names the state.
    """

    id: str
    ms: int
    time_source: str
    rule: Signature
    cause: Cause | Literal[""] = ""
    root_code: str = ""
    reported: bool = False

    def within(self, span_ms: int, of: int | None) -> bool:
        """Tell whether it is at most ``span_ms`` off, whatever way the clock went."""
        return of is not None and abs(self.ms - of) <= span_ms


def state_of(trail: Trail, agent: Agent) -> AgentState:
    """Return what is known of an agent; from now on it is remembered."""
    known = trail.agents.get(agent.id)
    if known is None:
        known = AgentState()
        remember(trail.agents, agent.id, known)
    return known


def launcher_of(known: AgentState, launcher: Launcher) -> LauncherState:
    """Return what is known of a launcher; from now on it is remembered."""
    one = known.launchers.get(launcher.id)
    if one is None:
        _make_room(known)
        one = LauncherState()
        remember(known.launchers, launcher.id, one)
    return one


def settle(known: AgentState, launcher: Launcher, to: str, evidence: Evidence) -> None:
    """Set a launcher's state, and the agent's with the cause of the worst."""
    one = launcher_of(known, launcher)
    if to in FAILING and _explains(evidence, one, to):
        one.cause, one.root_code = evidence.cause, evidence.root_code
    if to != one.state:
        one.state, one.reported = to, evidence.reported
    one.last_ms = evidence.ms
    remember(known.launchers, launcher.id, one)
    _forget(known, evidence)
    follow(known, worst(known) or one)


def worst(known: AgentState) -> LauncherState | None:
    """Return the worst launcher, of several the latest."""
    return _worst(reversed(known.launchers.values()))


def follow(known: AgentState, one: LauncherState) -> None:
    """Let the agent be as bad as its worst launcher, and for the worst known reason."""
    known.state, known.reported = one.state, one.reported
    if one.state in FAILING:
        others = reversed(known.launchers.values())
        why = _worst(
            other for other in others if other.state in FAILING and _explained(other)
        )
        known.cause, known.root_code = (why or one).cause, (why or one).root_code


def number(known: AgentState, evidence: Evidence) -> None:
    """Give a change its place among the agent's changes.

    It is the time in milliseconds, followed by three digits that count the changes of
    one millisecond: the records of a glued line share their time, and of two documents
    with one ``@timestamp`` nobody could tell which is newer. A number rather than the
    position in the log, which begins anew when the log is rotated. It stays below
    2^53, what JSON readers keep exactly, until the year 2255.
    """
    first = evidence.ms * _IN_ONE_MS
    last = first + _IN_ONE_MS - 1
    known.order = min(known.order + 1, last) if first <= known.order <= last else first


def _make_room(known: AgentState) -> None:
    """Forget one that works rather than one that fails."""
    if len(known.launchers) >= Trail.LIMIT:
        others = known.launchers.items()
        sound = (name for name, one in others if one.state not in FAILING)
        known.launchers.pop(next(sound, ""), None)


def _worst(launchers: Iterable[LauncherState]) -> LauncherState | None:
    return min(launchers, key=lambda one: _WORST_FIRST.index(one.state), default=None)


def _forget(known: AgentState, evidence: Evidence) -> None:
    for name, one in list(known.launchers.items()):
        recent = one.last_ms is None or evidence.within(FORGOTTEN_MS, one.last_ms)
        if not recent and one.state not in FAILING:
            del known.launchers[name]


def _explains(evidence: Evidence, one: LauncherState, to: str) -> bool:
    # A missing right is no news of a program whose checksum is wrong.
    if to == "integrity_failed" and evidence.cause != "integrity":
        return False
    # Nor is an echo of one whose cause is known.
    echo = evidence.cause == "unknown" and not evidence.root_code
    return not (echo and one.state in FAILING and _explained(one))


def _explained(one: LauncherState) -> bool:
    return bool(one.root_code) or one.cause not in {"", "unknown"}
