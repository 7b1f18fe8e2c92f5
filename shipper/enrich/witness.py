# SPDX-License-Identifier: Apache-2.0
"""What a record is evidence of: from a signature's role to the states of agents."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.enrich import agents
from shipper.enrich.agents import Change
from shipper.enrich.incidents import REFUSING, attempt, disturb, list_done, put_off
from shipper.enrich.standing import Evidence
from shipper.enrich.trail import Incident, Trail
from shipper.knowledge import Cause, Launcher, Match, Signature, signature
from shipper.records import Record

#: Why an application waits to be installed.
_CAUSES: dict[str, Cause] = {
    "needed": "not_installed",
    "blocked": "distribution",
    "reported": "unknown",
}
#: The application launched just now waits, be it for itself or for another.
_PUTTING_OFF = frozenset({"launch-deferred", "verify-pending"})


class Witness:
    """Tells what records say about agents.

    Args:
        trail: what is remembered of the source; changed as records come.
    """

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._unopposed = signature("S26")

    def launch(
        self,
        record: Record,
        record_id: str,
        match: Match,
        incident: Incident,
        launcher: Launcher | None,
    ) -> tuple[bool, list[Change]]:
        """Judge a record of an incident.

        Args:
            record: the record.
            record_id: its id.
            match: what it means.
            incident: the incident, which knows the record already.
            launcher: whose incident it is, ``None`` if that is not known.

        Returns:
            Whether it is the refusal that counts for the incident, and what changed.
        """
        role, trail = match.signature.role, self._trail
        # What a verification returns is news only if it tells whose incident it is.
        if launcher is None or (role == "appverify" and incident.judged):
            return False, []
        incident.judged = True
        evidence = Evidence(
            id=record_id,
            ms=record.epoch_ms,
            time_source=record.moment.source,
            rule=match.signature,
            cause=incident.cause,
            root_code=incident.root_code,
        )
        changes: list[Change] = []
        failing = role in REFUSING and match.code != 0
        first = incident.failing and not incident.refused
        if first:
            incident.refused = True
            changes += agents.refused(trail, launcher, evidence)
        elif failing and incident.cause == "integrity":
            changes += agents.integrity_failed(trail, launcher, evidence)
        elif failing:
            changes += agents.learned_cause(trail, launcher, evidence)
        if "verify" in incident.roles and incident.cause != "integrity":
            changes += agents.install_pending(trail, launcher, evidence)
        return first, changes

    def attempt(self, record: Record, record_id: str, match: Match) -> list[Change]:
        """Judge a launch attempt: it may prove that the one before it succeeded.

        Args:
            record: the record.
            record_id: its id.
            match: what it means.
        """
        trail = self._trail
        changes: list[Change] = []
        for one in attempt(trail, record, match):
            if not agents.still_healthy(trail, one, record.epoch_ms):
                evidence = _evidence(record, record_id, self._unopposed)
                changes += agents.healthy(trail, one, evidence)
        return changes

    def report(
        self, record: Record, record_id: str, match: Match, launcher: Launcher | None
    ) -> list[Change]:
        """Judge a record outside of incidents that is no launch attempt.

        Args:
            record: the record.
            record_id: its id.
            match: what it means.
            launcher: whom it is about, ``None`` if that is not known.
        """
        rule, trail = match.signature, self._trail
        proven: list[Launcher] = []
        if rule.role == "list":
            proven = list_done(trail, record, well=match.code == 0)
        elif rule.role == "service":
            trail.attempts.clear()  # the launch lists of before have come to nothing
        elif rule.action in _PUTTING_OFF:
            put_off(trail, record, match.app)
        elif match.outcome == "failure":
            disturb(trail, record)
        evidence = _evidence(record, record_id, rule)
        changes: list[Change] = []
        for one in proven:
            changes += agents.healthy(trail, one, evidence)
        if rule.role == "unassigned":
            changes += agents.removed(trail, evidence)
        elif launcher is not None:
            changes += _about(trail, launcher, match, evidence)
        return changes


def _evidence(record: Record, record_id: str, rule: Signature) -> Evidence:
    return Evidence(
        id=record_id,
        ms=record.epoch_ms,
        time_source=record.moment.source,
        rule=rule,
        cause=_CAUSES.get(rule.role, ""),
        reported=rule.role == "reported",
    )


def _about(
    trail: Trail, launcher: Launcher, match: Match, evidence: Evidence
) -> Iterator[Change]:
    """Judge a record that names an application and needs no memory of others."""
    role = match.signature.role
    if role == "started":
        yield from agents.healthy(trail, launcher, evidence)
    elif role == "blocked":
        yield from agents.install_pending(trail, launcher, evidence)
    elif launcher.agent.scope == "host":
        return  # what a base component waits for is no failure, and concerns no agent
    elif role == "reported" or (role == "needed" and match.op == "installed"):
        yield from agents.install_pending(trail, launcher, evidence)
    elif role == "needed":
        yield from agents.repair_needed(trail, launcher, evidence)
