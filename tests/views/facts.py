# SPDX-License-Identifier: Apache-2.0
"""What is true of the hosts, in plain Python: nothing of it was asked of a server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from shipper.demo.fleet.wording import Application
from shipper.enrich import CollectorReport, SourceReport
from shipper.knowledge import Cause, agents

FAILING = frozenset(
    {"launch_failed", "install_pending", "repair_pending", "integrity_failed"}
)
#: Codes that say that the client's account cannot be used, by Microsoft's winerror.h:
#: the service, the logon, the account, its password, disabled, the right, locked out.
ACCOUNT_CODES = ("1069", "1326", "1327", "1330", "1331", "1385", "1909")
AGENTS = {agent.id: agent.name for agent in agents()}


class Record(Struct, frozen=True, kw_only=True):
    """A record of a log.

    Attributes:
        host: whose log it is.
        collector: who read it, or empty.
        at: its time, UTC.
        broken: a pipeline could not process it.
        quality: how well it could be read.
        action: what it says, or empty.
        outcome: how that ended, or empty.
        code: the code in it, or empty.
        operation: what a component needs, or empty.
        incident: number of the launch attempt that failed; 0 is none.
        root_code: code that caused it, as far as known by then.
        cause: its kind.
        app: application that is launched, as far as known by then.
        path: its program.
    """

    host: str
    collector: str
    at: datetime
    broken: bool = False
    quality: str = "exact"
    action: str = ""
    outcome: str = ""
    code: str = ""
    operation: str = ""
    incident: int = 0
    root_code: str = ""
    cause: Cause | Literal[""] = ""
    app: Application | None = None
    path: str = ""

    @property
    def agent(self) -> str:
        """Name of the agent the application serves, or nothing."""
        return AGENTS.get(self.app.agent, "") if self.app else ""


class Change(Struct, frozen=True, kw_only=True):
    """A change of an agent's state, or a cycle that opened.

    Attributes:
        host: the machine.
        domain: its domain, or empty.
        agent: the agent's name.
        at: time of the record that caused it, UTC.
        before: state before.
        state: state after.
        cause: why it fails or failed, or empty.
        root_code: code of the incident, or of what ended; or empty.
        cycles: cycles with a refusal in the episode.
        cycle_opened: a cycle opened.
        episode: number of the episode; 0 before the first.
        relapse: the episode began within a week of the end of the one before.
        refusals: refused launches in the episode.
        since: begin of the episode.
    """

    host: str
    domain: str
    agent: str
    at: datetime
    before: str
    state: str
    cause: Cause | Literal[""] = ""
    root_code: str = ""
    cycles: int = 0
    cycle_opened: bool = False
    episode: int = 0
    relapse: bool = False
    refusals: int = 0
    since: datetime | None = None

    @property
    def failing(self) -> bool:
        """The state is one of those that need help."""
        return self.state in FAILING

    @property
    def began(self) -> bool:
        """An episode began."""
        return self.failing and self.before not in FAILING

    @property
    def ended(self) -> bool:
        """An episode ended."""
        return self.before in FAILING and not self.failing

    @property
    def severity(self) -> int:
        """How urgent it is, on Elastic's ladder: from the cycles of rule R1 on graver.

        That something is still to be installed is what every new client says.
        """
        if self.cause == "not_installed":
            return 21
        return 73 if self.state == "integrity_failed" or self.cycles in {7, 30} else 47


class Reported(Struct, frozen=True, kw_only=True):
    """A report, by whom and when, on a log or on the collector itself."""

    collector: str
    at: datetime
    report: SourceReport | CollectorReport

    @property
    def source(self) -> SourceReport | None:
        """What it says of a log, if it does."""
        return self.report if isinstance(self.report, SourceReport) else None

    @property
    def itself(self) -> CollectorReport | None:
        """What the collector says of itself, if it does."""
        return self.report if isinstance(self.report, CollectorReport) else None

    @property
    def host(self) -> str:
        """Whose log is reported on, or nothing."""
        return self.source.host if self.source else ""


class HostNow(Struct, frozen=True, kw_only=True):
    """How a host's log is seen. Times are milliseconds since 1970; 0 is never.

    Attributes:
        host: the machine.
        record: its newest record, as far as a collector says so.
        read: when it was last read.
        seen: when it was first looked for.
    """

    host: str
    record: int
    read: int
    seen: int


def _none(_one: object) -> bool:
    return False


class Choice(Struct, frozen=True, kw_only=True):
    """What somebody chose; what does not know of it, shows nothing."""

    record: Callable[[Record], bool] = _none
    change: Callable[[Change], bool] = _none
    report: Callable[[Reported], bool] = _none
    host: Callable[[HostNow], bool] = _none


class Facts(Struct, frozen=True, kw_only=True):
    """All that is true, or the part of it that somebody chose.

    Attributes:
        now: the instant that dashboards are looked at.
        records: of the logs, within the chosen time.
        changes: of states, within the chosen time.
        agents: newest change of each agent of a host, whatever time is chosen.
        reports: of the collectors, within the chosen time.
        hosts: how each host's log is seen, whatever time is chosen.
    """

    now: datetime
    records: tuple[Record, ...]
    changes: tuple[Change, ...]
    agents: tuple[Change, ...]
    reports: tuple[Reported, ...]
    hosts: tuple[HostNow, ...]

    @property
    def failing(self) -> list[Change]:
        """Agents whose newest state is a failing one."""
        return [one for one in self.agents if one.failing]

    def during(self, start: datetime, end: datetime) -> Facts:
        """Return what a chosen time leaves."""
        return replace(
            self,
            records=tuple(one for one in self.records if start <= one.at <= end),
            changes=tuple(one for one in self.changes if start <= one.at <= end),
            reports=tuple(one for one in self.reports if start <= one.at <= end),
        )

    def of_host(self, name: str) -> Facts:
        """Return what is true of one host."""
        return self._only(
            Choice(
                record=lambda one: one.host == name,
                change=lambda one: one.host == name,
                report=lambda one: one.host == name,
                host=lambda one: one.host == name,
            )
        )

    def of_agent(self, agent: str) -> Facts:
        """Return what is true of an agent, by its id."""
        return self._only(
            Choice(
                record=lambda one: one.app is not None and one.app.agent == agent,
                change=lambda one: one.agent == AGENTS[agent],
            )
        )

    def of_root_code(self, code: str) -> Facts:
        """Return what one code caused."""
        return self._only(
            Choice(
                record=lambda one: one.root_code == code,
                change=lambda one: one.root_code == code,
            )
        )

    def of_collector(self, name: str) -> Facts:
        """Return what a collector read and said."""
        return self._only(
            Choice(
                record=lambda one: one.collector == name,
                report=lambda one: one.collector == name,
            )
        )

    def _only(self, choice: Choice) -> Facts:
        return replace(
            self,
            records=tuple(filter(choice.record, self.records)),
            changes=tuple(filter(choice.change, self.changes)),
            agents=tuple(filter(choice.change, self.agents)),
            reports=tuple(filter(choice.report, self.reports)),
            hosts=tuple(filter(choice.host, self.hosts)),
        )
