# SPDX-License-Identifier: Apache-2.0
"""A change of an agent's state as an ECS document of its own data stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from shipper.enrich.agents import Change
from shipper.enrich.members import (
    agent_members,
    common_members,
    error_members,
    incident_members,
    printable,
    remedy_members,
    rule_members,
)
from shipper.enrich.standing import FAILING
from shipper.enrich.trail import AgentState, Incident
from shipper.knowledge import explain, for_cause, read
from shipper.records import Generation, Record, Source, Stream

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Severity on Elastic's ladder by state, where the state is bad news.
_SEVERITY = {
    "integrity_failed": 73,
    "install_pending": 47,
    "launch_failed": 47,
    "repair_pending": 47,
}
#: Cycles after which a refusal that comes back is graver, as rule R1 has it.
_REMINDERS = frozenset({7, 30})
_GRAVE = 73
#: That something is still to be installed is what every new client says.
_EXPECTED = 21


class StateComposer:
    """Writes the state documents of one generation.

    Args:
        source: whose log it is.
        generation: which life of it.
        namespace: data stream namespace.
        version: of the knowledge.
    """

    def __init__(
        self, source: Source, generation: Generation, namespace: str, version: str
    ) -> None:
        self._source = source
        self._generation = generation
        self._version = version
        self._common = common_members(source, namespace, Stream.STATE)

    def document(
        self, record: Record, change: Change, incident: Incident | None
    ) -> bytes:
        """Return the document of a change of state.

        Args:
            record: the record that caused it.
            change: what changed.
            incident: the incident it belongs to, if any.
        """
        now = change.now
        failing = now.state in FAILING
        document: dict[str, object] = {
            "event": _event(record, change),
            "@timestamp": f"{record.moment.text}.{record.millis:03d}Z",
            "message": _prose(self._source, change),
            "log": self._log(now),
            **self._common,
            "rule": rule_members(change.rule, self._version),
        }
        time: dict[str, object] = {"source": record.moment.source}
        if record.moment.ambiguous:
            time["ambiguous"] = True
        sms: dict[str, object] = {
            "log": {
                "name": self._source.log,
                "generation": self._generation.gen_id,
                "offset": record.start,
            },
            "time": time,
            "agent": _agent(change),
            "knowledge": {"version": self._version},
        }
        if change.rule.status == "assumed":
            sms["signature"] = {"status": change.rule.status}
        cause = now.cause
        if incident is not None and failing:
            sms["incident"] = incident_members(incident)
            if incident.executable:
                document["file"] = {"path": incident.executable}
            if incident.root_code:
                value = read(incident.root_code)[0].value
                error = error_members(value, "launch", None)
                document["error"], sms["error"] = error["error"], error["sms"]
            # What else is refused says nothing about a checksum.
            if incident.cause != "unknown" and now.state != "integrity_failed":
                cause = incident.cause
        if failing:
            sms["remedy"] = remedy_members(for_cause(cause or "unknown"))
        elif now.root_code and change.previous in FAILING:
            # Whoever chooses a code wants to see what it ended with, too.
            sms["incident"] = {"root_code": now.root_code}
        document["sms"] = sms
        return msgspec.json.encode(document)

    def _log(self, now: AgentState) -> dict[str, object]:
        grave = now.state == "integrity_failed"
        level = "error" if grave else "warning" if now.state in FAILING else "info"
        log: dict[str, object] = {"level": level}
        if self._source.path:
            log["file"] = {"path": printable(self._source.path)}
        return log


def _event(record: Record, change: Change) -> dict[str, object]:
    now = change.now
    event: dict[str, object] = {
        "kind": "state",
        "category": ["package"],
        "type": ["info"],
        "action": _action(change),
        "module": "sms",
        "dataset": Stream.STATE,
        "timezone": record.moment.timezone,
        "sequence": record.start + record.sub,  # the pieces of a line have an order
    }
    if now.state in _SEVERITY:
        expected = now.cause == "not_installed"
        severity = _GRAVE if now.cycles in _REMINDERS else _SEVERITY[now.state]
        event["severity"] = _EXPECTED if expected else severity
    return event


def _action(change: Change) -> str:
    if change.explained:
        return "agent-cause-learned"
    if change.cycle_opened and not change.began:
        return "agent-cycle-opened"
    return f"agent-{change.now.state.replace('_', '-')}"


def _agent(change: Change) -> dict[str, object]:
    now = change.now
    members = agent_members(change.agent) | {
        "state": now.state,
        "previous_state": change.previous,
        "confidence": "reported" if now.reported else "inferred",
        "scope": change.launcher.agent.scope if change.launcher else "agent",
        "order": now.order,
    }
    if now.episode:
        members |= {
            "cause": now.cause,
            "episode": now.episode,
            "episode_id": now.episode_id,
            "cycles": now.cycles,
            "cycle_opened": change.cycle_opened,
            "relapse": now.relapse,
            "refusals": now.refusals,
            "pending_since": _iso(now.pending_since_ms),
            "pending_since_source": now.pending_since_source,
        }
    return members


def _prose(source: Source, change: Change) -> str:
    now = change.now
    who = f"{source.host}: {change.agent.name}"
    if now.state not in FAILING:
        if now.state == "recovered" and now.cycles:
            often = _times(now.cycles, "cycle")
            return f"{who} works again after {often} since {_day(now)}"
        return f"{who} is {now.state}"
    if change.launcher is not None and change.launcher.agent is not change.agent:
        who = f"{who}, for want of {change.launcher.agent.name},"
    state = now.state.replace("_", " ")
    why = f"cause {now.cause}"
    if now.root_code:
        symbol = explain(read(now.root_code)[0].value)[0].symbol
        why = f"cause {now.root_code} {symbol}".rstrip()
    if not now.cycles:
        return f"{who} is {state} since {_day(now)}, {why}"
    cycles = _times(now.cycles, "cycle")
    if now.state == "integrity_failed":
        return (
            f"{who} failed its integrity check, refused in {cycles} since {_day(now)}"
        )
    return f"{who} refused in {cycles} since {_day(now)}, {why}: {state}"


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _day(now: AgentState) -> str:
    return _iso(now.pending_since_ms)[:10]


def _iso(ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
