# SPDX-License-Identifier: Apache-2.0
"""Records to events: each record's document, and the state documents it causes."""

from __future__ import annotations

from zlib import crc32

from shipper.enrich import agents
from shipper.enrich.document import Composer, incident_members, remedy_members
from shipper.enrich.incidents import (
    attempt,
    forget,
    join,
    launcher_of,
    list_done,
)
from shipper.enrich.sense import (
    Sense,
    Senses,
    agent_members,
    leading,
    program,
    trailing,
)
from shipper.enrich.state_document import state_document
from shipper.enrich.trail import Incident, Trail
from shipper.knowledge import Launcher, Match, for_cause
from shipper.records import Event, Generation, Record, Source, Stream

CLISVC = Stream.CLISVC
_Changes = list[agents.Change | None]


class Enricher:
    """Gives the records of one generation their meaning.

    Args:
        source: whose log it is.
        generation: which life of it.
        namespace: data stream namespace.
        trail: what is remembered of the source; changed as records come.
        senses: shared cache of what messages say.
    """

    def __init__(
        self,
        source: Source,
        generation: Generation,
        namespace: str,
        trail: Trail,
        senses: Senses,
    ) -> None:
        self.trail = trail
        self._source = source
        self._generation = generation
        self._namespace = namespace
        self._composer = Composer(source, generation, namespace)
        self._senses = senses

    def enrich(self, records: list[Record]) -> list[Event]:
        """Return the events of ``records``, state documents after their cause."""
        events: list[Event] = []
        add = events.append
        compose = self._composer.record
        sense_of = self._senses.of
        gen_id = self._generation.gen_id
        for record in records:
            start, sub = record.start, record.sub
            ident = f"{gen_id}-{start:09x}-{crc32(record.raw):08x}"
            if sub:
                ident = f"{ident}.{sub}"
            sense = sense_of(record.message)
            size = 0 if sub > 1 else record.end - start
            if sense.match is None:
                if sense.level == "error":
                    forget(self.trail, record)
                document = compose(record, sense)
                add(Event(id=ident, stream=CLISVC, document=document, size=size))
            else:
                self._meaningful(record, sense, sense.match, ident, size, events)
        return events

    def _meaningful(
        self,
        record: Record,
        sense: Sense,
        match: Match,
        ident: str,
        size: int,
        events: list[Event],
    ) -> None:
        incident = join(self.trail, record, match, ident)
        changes: _Changes = []
        if incident is None:
            process = None
            if sense.launch:
                process = self._composer.launched(record, sense.program)
            self._evidence(record, sense, match, ident, changes)
            document = self._composer.record(
                record, sense, process=process, top=sense.file, more=sense.agent
            )
        else:
            document = self._of_incident(record, sense, match, ident, incident, changes)
        events.append(Event(id=ident, stream=CLISVC, document=document, size=size))
        if changes:
            self._add_states(record, ident, incident, changes, events)

    def _add_states(
        self,
        record: Record,
        ident: str,
        incident: Incident | None,
        changes: _Changes,
        events: list[Event],
    ) -> None:
        """Add a document for each change of an agent's state."""
        events += (
            Event(
                id=f"{ident}.s{number}",
                stream=Stream.STATE,
                document=state_document(
                    self._source,
                    self._generation,
                    self._namespace,
                    record,
                    change,
                    incident,
                ),
            )
            for number, change in enumerate(filter(None, changes), start=1)
        )

    def _of_incident(
        self,
        record: Record,
        sense: Sense,
        match: Match,
        ident: str,
        incident: Incident,
        changes: _Changes,
    ) -> bytes:
        """Return the document of a record that belongs to an incident."""
        launcher = launcher_of(incident.app, incident.executable)
        refused = self._refusal(
            incident, launcher, match, _occasion(record, ident), changes
        )
        executable = match.exe or incident.executable
        process = None
        if sense.launch:
            process = self._composer.launched(record, program(executable))
        top: dict[str, object] = {}
        if executable and match.signature.role == "integrity":
            top["file"] = {"path": executable}
        agent = agent_members(launcher)
        if refused:
            agent["refused"] = True
        more: dict[str, object] = {
            "incident": incident_members(incident),
            "agent": agent,
        }
        if match.outcome == "failure":
            more["remedy"] = remedy_members(for_cause(incident.cause or "unknown"))
        return self._composer.record(
            record, sense, process=process, top=leading(top), more=trailing(more)
        )

    def _refusal(
        self,
        incident: Incident,
        launcher: Launcher | None,
        match: Match,
        cause: agents.Occasion,
        changes: _Changes,
    ) -> bool:
        """Move the agent's state; tell whether this record is the refusal counted."""
        if launcher is None:
            return False
        role, trail = match.signature.role, self.trail
        failing = role in {"launch", "echo", "integrity"} and match.code != 0
        first = failing and not incident.refused
        if first:
            incident.refused = True
            changes.append(agents.refused(trail, launcher, incident, cause))
        elif failing and incident.cause == "integrity":
            changes.append(agents.integrity_failed(trail, launcher, incident))
        elif failing:
            agents.learned_cause(trail, launcher, incident)
        verifying = "verify" in incident.roles and (first or role == "verify")
        if verifying and incident.refused and incident.cause != "integrity":
            changes.append(agents.verifying(trail, launcher, incident))
        return first

    def _evidence(
        self,
        record: Record,
        sense: Sense,
        match: Match,
        ident: str,
        changes: _Changes,
    ) -> None:
        """Take note of what shows that an agent works."""
        signature = match.signature
        proven: Launcher | None = None
        if signature.role == "attempt":
            proven = attempt(self.trail, record, match)
        elif signature.role == "started":
            proven = sense.launcher
        elif signature.role == "list" and match.code == 0:
            proven = list_done(self.trail, record)
        elif signature.action == "launch-deferred":
            forget(self.trail, record)
        if proven is not None and not agents.is_healthy(self.trail, proven):
            occasion = _occasion(record, ident)
            changes.append(agents.healthy(self.trail, proven, occasion))


def _occasion(record: Record, ident: str) -> agents.Occasion:
    return agents.Occasion(
        id=ident, ms=record.epoch_ms, time_source=record.moment.source
    )
