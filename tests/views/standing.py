# SPDX-License-Identifier: Apache-2.0
"""What becomes of agents, from records and by definition.

The definitions are those of ``docs/design.md``, written once more, and plainer than the
shipper has them: no echo hides a cause here, and no clock goes back. That the fleet
ends as its writer says is a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from shipper.demo.fleet.truth import CYCLE
from shipper.demo.fleet.wording import Application
from shipper.knowledge import Cause
from tests.views.facts import FAILING, Change, Record

_RELAPSE = timedelta(days=7)
_REFUSING = frozenset({"launch-failed", "integrity-check-failed", "launch-error"})
_WORST_FIRST = (
    *("integrity_failed", "install_pending", "launch_failed", "repair_pending"),
    *("recovered", "healthy", "unknown"),
)


class _Agent(Struct, kw_only=True):
    """An agent, as bad as the worst of its applications."""

    now: Change
    apps: dict[str, str] = {}
    opened: datetime | None = None
    ended: datetime | None = None


class Standing:
    """Follows the agents of a host.

    Args:
        host: the machine.
        domain: its domain, or empty.
    """

    def __init__(self, host: str, domain: str) -> None:
        self.changes: list[Change] = []
        self._host, self._domain = host, domain
        self._agents: dict[str, _Agent] = {}
        self._counted: set[int] = set()
        self._launched: Application | None = None
        self._verified: dict[str, datetime] = {}

    @property
    def newest(self) -> list[Change]:
        """The newest change of each agent."""
        return list({one.agent: one for one in self.changes}.values())

    def follow(self, records: Iterable[Record]) -> None:
        """Follow records, in the order of the log."""
        for one in records:
            if one.incident:
                self._launched = None
                self._fails(one)
            match one.action:
                case "launch-attempt":
                    self._launched = one.app
                case "launch-scheduled":
                    self._works(one)
                case "component-action-needed" if one.operation == "installed":
                    self._fall(one, "install_pending", "not_installed")
                case "component-action-needed" if one.app:
                    self._verified[one.app.name] = one.at
                case "site-unassigned":
                    for agent in self._agents.values():
                        agent.apps.clear()
                        self._told(agent, one, "removed")
                case _:
                    pass

    def _fails(self, one: Record) -> None:
        """An incident is counted once; a verification leaves its agent waiting."""
        if one.app is None:
            return
        integrity = one.cause == "integrity"
        if one.incident not in self._counted and one.action in _REFUSING:
            self._counted.add(one.incident)
            state = "integrity_failed" if integrity else self._refused(one)
            self._fall(one, state, one.cause, refused=True)
        if one.action == "app-verify" and not integrity:
            self._fall(one, "install_pending", one.cause)

    def _refused(self, one: Record) -> str:
        """What has to be verified within a cycle of its refusal is being repaired."""
        assert one.app is not None
        verified = self._verified.get(one.app.name)
        repaired = verified is not None and one.at - verified <= CYCLE
        return "repair_pending" if repaired else "launch_failed"

    def _fall(
        self, one: Record, to: str, cause: Cause | Literal[""], *, refused: bool = False
    ) -> None:
        """Let an application fail, at least as badly as it does."""
        assert one.app is not None
        agent = self._agent(one)
        before = agent.now
        if not before.failing:
            relapse = agent.ended is not None and one.at - agent.ended <= _RELAPSE
            agent.opened = None
            agent.now = replace(
                before,
                episode=before.episode + 1,
                since=one.at,
                cycles=0,
                refusals=0,
                relapse=relapse,
            )
        opened = refused and (agent.opened is None or one.at - agent.opened >= CYCLE)
        if opened:
            agent.opened = one.at
        agent.now = replace(
            agent.now,
            cycles=agent.now.cycles + opened,
            refusals=agent.now.refusals + refused,
            cause=cause,
        )
        worse = min(to, agent.apps.get(one.app.name, "unknown"), key=_WORST_FIRST.index)
        agent.apps[one.app.name] = worse
        self._told(agent, one, _worst(agent), opened=opened)

    def _works(self, one: Record) -> None:
        """The next application's turn shows that the one before is running."""
        app, self._launched = self._launched, None
        if app is None or not app.agent or app == one.app:
            return
        agent = self._agent(replace(one, app=app))
        failing = agent.apps.get(app.name) in FAILING
        agent.apps[app.name] = "recovered" if failing else "healthy"
        self._told(agent, one, _worst(agent))

    def _told(
        self, agent: _Agent, one: Record, state: str, *, opened: bool = False
    ) -> None:
        """Note a change, if it is one."""
        before = agent.now.state
        ends = before in FAILING and state not in FAILING
        if ends:
            agent.ended = one.at
        if not opened and state == before:
            return
        code = one.root_code if state in FAILING else agent.now.root_code
        agent.now = replace(
            agent.now,
            at=one.at,
            before=before,
            state=state,
            cycle_opened=opened,
            root_code=code if ends or state in FAILING else "",
        )
        self.changes.append(agent.now)

    def _agent(self, one: Record) -> _Agent:
        return self._agents.setdefault(
            one.agent,
            _Agent(
                now=Change(
                    host=self._host,
                    domain=self._domain,
                    agent=one.agent,
                    at=one.at,
                    before="unknown",
                    state="unknown",
                )
            ),
        )


def _worst(agent: _Agent) -> str:
    return min(agent.apps.values(), key=_WORST_FIRST.index)
