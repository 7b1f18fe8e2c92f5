# SPDX-License-Identifier: Apache-2.0
"""Records to events: each record's document, and the state documents it causes."""

from __future__ import annotations

from zlib import crc32

from shipper.enrich.document import Composer
from shipper.enrich.incidents import disturb, join, launcher_of
from shipper.enrich.members import (
    agent_members,
    incident_members,
    leading,
    program,
    remedy_members,
    trailing,
)
from shipper.enrich.sense import Sense, Senses
from shipper.enrich.state_document import StateComposer
from shipper.enrich.trail import Incident, Trail
from shipper.enrich.witness import Witness
from shipper.knowledge import Launcher, Match, by_app, by_executable, for_cause
from shipper.records import Event, Generation, Record, Source, Stream

CCM, CLISVC = Stream.CCM, Stream.CLISVC


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
        self._generation = generation
        self._composer = Composer(source, generation, namespace, senses.version)
        self._states = StateComposer(source, generation, namespace, senses.version)
        self._senses = senses
        self._witness = Witness(trail)

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
            stream = CLISVC
            if record.dialect == "ccm":
                stream = CCM
                if record.level == "error" and sense.match is None:
                    sense = self._senses.trouble(record.message)
            if sense.match is None:
                if (record.level or sense.level) == "error":
                    disturb(self.trail, record)
                document = compose(record, sense)
                add(Event(id=ident, stream=stream, document=document, size=size))
            else:
                document, states = self._meaningful(record, sense, sense.match, ident)
                add(Event(id=ident, stream=stream, document=document, size=size))
                events += states
        return events

    def _meaningful(
        self, record: Record, sense: Sense, match: Match, ident: str
    ) -> tuple[bytes, list[Event]]:
        """Return the document of a record with a signature, and the states it moves."""
        process: str | None = None
        incident: Incident | None = None
        if match.signature.role == "attempt":  # most of them
            changes = self._witness.attempt(record, ident, match)
            process = self._composer.launched(record, sense.program)
            document = self._composer.record(
                record, sense, process=process, top=sense.file, more=sense.agent
            )
        elif (incident := join(self.trail, record, match, ident)) is None:
            launcher = _whose(record, sense, match)
            changes = self._witness.report(record, ident, match, launcher)
            if sense.launch:
                process = self._composer.launched(record, sense.program)
            agent = sense.agent
            if launcher is not None and not agent:
                agent = trailing({"agent": agent_members(launcher.agent)})
            document = self._composer.record(
                record, sense, process=process, top=sense.file, more=agent
            )
        else:
            launcher = launcher_of(incident.app, incident.executable)
            refused, changes = self._witness.launch(
                record, ident, match, incident, launcher
            )
            members = agent_members(launcher.agent if launcher else None)
            if refused:
                members["refused"] = True
            document = self._of_incident(record, sense, match, incident, members)
        if not changes:
            return document, []
        return document, [
            Event(
                id=f"{ident}.s{number}",
                stream=Stream.STATE,
                document=self._states.document(record, change, incident),
            )
            for number, change in enumerate(changes, start=1)
        ]

    def _of_incident(
        self,
        record: Record,
        sense: Sense,
        match: Match,
        incident: Incident,
        agent: dict[str, object],
    ) -> bytes:
        """Return the document of a record that belongs to an incident."""
        executable = match.exe or incident.executable
        process = None
        if sense.launch:
            process = self._composer.launched(record, program(executable))
        top: dict[str, object] = {}
        if executable and match.signature.role == "integrity":
            top["file"] = {"path": executable}
        more: dict[str, object] = {
            "incident": incident_members(incident),
            "agent": agent,
        }
        if match.outcome == "failure":
            more["remedy"] = remedy_members(for_cause(incident.cause or "unknown"))
        return self._composer.record(
            record, sense, process=process, top=leading(top), more=trailing(more)
        )


def _whose(record: Record, sense: Sense, match: Match) -> Launcher | None:
    """Tell whom a record is about: by its words, or the agent that tells of itself."""
    if sense.launcher or match.app or match.signature.role != "reported":
        return sense.launcher
    component = record.component
    writer = by_executable(component) if "\\" in component else by_app(component)
    return writer if writer and writer.agent.scope == "agent" else None
