# SPDX-License-Identifier: Apache-2.0
"""A record as an ECS document: with ``sense`` the only place that spells field names.

Documents are put together from ready-made JSON text, because their size is the cost:
what is the same for a source, a writer or a message is encoded once.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring as quote

import msgspec

from shipper.enrich.sense import Sense, basename
from shipper.enrich.trail import Incident
from shipper.knowledge import VERSION, Launcher, Remedy
from shipper.records import Generation, Moment, Record, Source, Stream

ECS_VERSION = "9.4.0"
_WRITERS = 1024
_PROGRAM = re.compile(r"\.(exe|com)$", re.IGNORECASE)


class Writer:
    """Ready-made members about the component that wrote a record.

    Attributes:
        event: member of ``event``.
        log: member of ``log``.
        process: inside of a process object without its end, or empty when the writer
            is not a program.
        component: as JSON text.
    """

    __slots__ = ("component", "event", "log", "process")

    def __init__(self, component: str) -> None:
        name = basename(component)
        self.event = f'"provider":{quote(name)},' if name else ""
        self.log = f'"logger":{quote(name)},' if name else ""
        self.component = f'"component":{quote(component)}' if component else ""
        self.process = ""
        if _PROGRAM.search(name):
            self.process = f'"name":{quote(name)}'
            if name != component:
                self.process += f',"executable":{quote(component)}'


class Composer:
    """Puts the documents of one generation together.

    Args:
        source: whose log it is.
        generation: which life of it.
        namespace: data stream namespace.
    """

    def __init__(self, source: Source, generation: Generation, namespace: str) -> None:
        self.source = source
        self._sms_log = (
            f'"log":{{"name":{quote(source.log)},"generation":"{generation.gen_id}"'
        )
        path = printable(source.path)
        self._file = f',"file":{{"path":{quote(path)}}}' if path else ""
        self._place = common(source, namespace, Stream.CLISVC)
        self._stream = f'"module":"sms","dataset":"{Stream.CLISVC}",'
        self._writers: dict[str, Writer] = {}
        self._second: Moment | None = None
        self._zone = self._time = ""

    def record(
        self,
        record: Record,
        sense: Sense,
        *,
        process: str | None = None,
        top: str = "",
        more: str = "",
    ) -> str:
        """Return the document of a record.

        Args:
            record: the record.
            sense: what its message says.
            process: the member ``process`` in place of the writer's.
            top: more members of the document, each with a comma behind it.
            more: more members of ``sms``, each with a comma before it.
        """
        writer = self.writer(record.component)
        moment = record.moment
        if moment is not self._second:
            self._second = moment
            self._zone = f'"timezone":{quote(moment.timezone)},'
            again = ',"ambiguous":true' if moment.ambiguous else ""
            self._time = f',"time":{{"source":"{moment.source}"{again}}}'
        thread = record.thread
        if process is None and writer.process:
            inside = "" if thread is None else f',"thread":{{"id":{thread}}}'
            process = f'"process":{{{writer.process}{inside}}},'
        if thread is None:
            written = f',"record":{{{writer.component}}}' if writer.component else ""
        elif writer.component:
            written = f',"record":{{{writer.component},"thread":{thread}}}'
        else:
            written = f',"record":{{"thread":{thread}}}'
        flags = ""
        if record.flags:
            flags = f',"flags":{msgspec.json.encode(record.flags).decode()}'
        return (
            f'{{"event":{{"kind":"event",{sense.event}{self._stream}{writer.event}'
            f'{self._zone}"sequence":{record.start},'
            f'"original":{quote(record.original)}}},'
            f'"@timestamp":"{moment.text}.{record.millis:03d}Z",'
            f'"message":{sense.message},"log":{{{writer.log}"level":"{sense.level}"'
            f"{self._file}}},{process or ''}{sense.error}{top}{self._place}"
            f'"sms":{{{self._sms_log},"offset":{record.start}{flags}}}{written}'
            f'{self._time},"parse":{{"dialect":"{record.dialect}",'
            f'"quality":"{record.quality}"}}{sense.sms}{more},'
            f'"knowledge":{{"version":"{VERSION}"}}}}}}'
        )

    def writer(self, component: str) -> Writer:
        """Return the members about the component that wrote a record."""
        writer = self._writers.get(component)
        if writer is None:
            if len(self._writers) >= _WRITERS:
                self._writers.clear()
            writer = self._writers[component] = Writer(component)
        return writer

    def launched(self, record: Record, executable: str) -> str:
        """Return the member ``process`` for a record about a launched program."""
        parent = self.writer(record.component).process
        if parent and record.thread is not None:
            parent += f',"thread":{{"id":{record.thread}}}'
        members = []
        if executable:
            members.append(f'"name":{quote(basename(executable))}')
            members.append(f'"executable":{quote(executable)}')
        if parent:
            members.append(f'"parent":{{{parent}}}')
        return f'"process":{{{",".join(members)}}},' if members else ""


def printable(path: str) -> str:
    """Return a path as valid text, whatever bytes the file system has in it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def common(source: Source, namespace: str, stream: Stream) -> str:
    """Return the members every document of a source has, each with a comma behind."""
    host: dict[str, object] = {"name": source.host}
    if source.domain:
        host["domain"] = source.domain
    host["os"] = {"type": "windows"}
    members = {
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": "logs", "dataset": stream, "namespace": namespace},
        "host": host,
        "related": {"hosts": [source.host]},
    }
    return msgspec.json.encode(members).decode()[1:-1] + ","


def incident_members(incident: Incident) -> dict[str, object]:
    """Return ``sms.incident``: what is known of it up to this record."""
    members: dict[str, object] = {"id": incident.id, "seq": incident.seq}
    if incident.root_code:
        members["root_code"] = incident.root_code
    return members


def agent_members(launcher: Launcher | None) -> dict[str, object]:
    """Return the part of ``sms.agent`` that says which one it is."""
    if launcher is None:
        return {"id": "unresolved"}
    return {"id": launcher.agent.id, "name": launcher.agent.name}


def remedy_members(remedy: Remedy) -> dict[str, object]:
    """Return ``sms.remedy``."""
    members: dict[str, object] = {"id": remedy.id, "summary": remedy.summary}
    if remedy.rights:
        members["rights"] = remedy.rights
    if remedy.account:
        members["account"] = remedy.account
    if remedy.references:
        members["references"] = remedy.references
    if remedy.windows_events:
        members["events"] = remedy.windows_events
    return members
