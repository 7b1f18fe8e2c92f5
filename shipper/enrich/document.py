# SPDX-License-Identifier: Apache-2.0
"""A record as an ECS document.

Documents are put together from ready-made JSON text, because their size is the cost:
what is the same for a source, a writer or a message is encoded once.
"""

from __future__ import annotations

import re

import msgspec

from shipper.enrich.members import basename, common_members, printable, text
from shipper.enrich.sense import Sense
from shipper.records import Generation, Moment, Record, Source, Stream

_WRITERS = 64
_ROOM = 1 << 18  # characters of ready-made text kept for a writer
_LINE_DIGITS = 9  # at most; longer ones are no numbers of lines
_CLISVC, _CCM = (
    f'"module":"sms","dataset":"{stream}",' for stream in (Stream.CLISVC, Stream.CCM)
)
_encode = msgspec.json.Encoder().encode
_PROGRAM = re.compile(r"\.(exe|com)$", re.IGNORECASE)


class Writer:
    """Ready-made members about the component that wrote a record.

    Attributes:
        event: member of ``event``.
        log: member of ``log``.
        process: inside of a process object without its end, or empty when the writer
            is not a program.
        component: member of ``sms.record``, or empty.
        most: threads kept at a time.
        threads: by thread, the members ``process`` of the document, ``process.parent``
            without its name, and ``sms.record``.
    """

    __slots__ = ("component", "event", "log", "most", "process", "threads")

    def __init__(self, component: str) -> None:
        name = basename(component)
        self.event = f'"provider":{text(name)},' if name else ""
        self.log = f'"log":{{"logger":{text(name)},' if name else '"log":{'
        self.component = f'"component":{text(component)}' if component else ""
        self.process = ""
        self.threads: dict[int | None, tuple[str, str, str]] = {}
        if _PROGRAM.search(name):
            self.process = f'"name":{text(name)}'
            if name != component:
                self.process += f',"executable":{text(component)}'
        self.most = _ROOM // (150 + 2 * len(self.process) + len(self.component))

    def on(self, thread: int | None) -> tuple[str, str, str]:
        """Return ``process``, the inside of ``process.parent``, and ``sms.record``."""
        if len(self.threads) >= self.most:
            self.threads.clear()
        inside = self.process
        written = self.component
        if thread is not None:
            inside = inside and f'{inside},"thread":{{"id":{thread}}}'
            written = f'{written}{"," if written else ""}"thread":{thread}'
        process = inside and f'"process":{{{inside}}},'
        written = written and f',"record":{{{written}}}'
        found = self.threads[thread] = (process, inside, written)
        return found


#: Writers by component: a fleet has few, and thousands of logs share them.
_writers: dict[str, Writer] = {}


class Composer:
    """Puts the documents of one generation together.

    Args:
        source: whose log it is.
        generation: which life of it.
        namespace: data stream namespace.
        version: of the knowledge.
    """

    def __init__(
        self, source: Source, generation: Generation, namespace: str, version: str
    ) -> None:
        self.source = source
        self._end = f',"knowledge":{{"version":{text(version)}}}}}}}'
        path = printable(source.path)
        self._file = f',"file":{{"path":{text(path)}}}}},' if path else "},"
        # All of them up to the last member of the last one, which is ``related``.
        self._clisvc, self._ccm = (
            _encode(common_members(source, namespace, stream)).decode()[1:-2]
            for stream in (Stream.CLISVC, Stream.CCM)
        )
        self._place = (
            f'}},"sms":{{"log":{{"name":{text(source.log)},'
            f'"generation":"{generation.gen_id}","offset":'
        )
        self._readings: dict[tuple[str, str], str] = {}
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
    ) -> bytes:
        """Return the document of a record.

        Args:
            record: the record.
            sense: what its message says.
            process: the member ``process`` in place of the writer's.
            top: more members of the document, each with a comma behind it.
            more: more members of ``sms``, each with a comma before it.
        """
        writer = _writers.get(record.component) or self.writer(record.component)
        moment, start, thread = record.moment, record.start, record.thread
        if moment is not self._second:
            self._turn(moment)
        own, _, written = writer.threads.get(thread) or writer.on(thread)
        dialect = record.dialect
        how = (dialect, record.quality)
        reading = self._readings.get(how) or self._reading(how)
        stream, shared, level, origin = _CLISVC, self._clisvc, sense.level, ""
        related = sense.related
        if dialect == "ccm":
            stream, shared, level = _CCM, self._ccm, record.level or level
            origin = _origin(record.origin)
            if record.user:
                user = text(record.user)
                top += f'"user":{{"name":{user}}},'
                related = f"{related[:-1]},{user}]" if related else f',"user":[{user}]'
        flags = ""
        if record.flags:
            flags = f',"flags":{_encode(record.flags).decode()}'
        return (
            f'{{"event":{{"kind":"event",{sense.event}{stream}{writer.event}'
            f'{self._zone}"sequence":{start + record.sub},'
            f'"original":{_encode(record.original).decode()}}},'
            f'"@timestamp":"{moment.text}.{record.millis:03d}Z",'
            f'"message":{sense.message},{writer.log}"level":"{level}"{origin}'
            f"{self._file}{own if process is None else process}{sense.error}{top}"
            f"{shared}{related}{self._place}{start}{flags}}}{written}"
            f"{self._time}{reading}{sense.sms}{more}{self._end}"
        ).encode()

    def _turn(self, moment: Moment) -> None:
        """Prepare what the records of one second have in common."""
        self._second = moment
        self._zone = f'"timezone":{text(moment.timezone)},'
        again = ',"ambiguous":true' if moment.ambiguous else ""
        self._time = f',"time":{{"source":"{moment.source}"{again}}}'

    def _reading(self, how: tuple[str, str]) -> str:
        dialect, quality = how
        made = f',"parse":{{"dialect":"{dialect}","quality":"{quality}"}}'
        self._readings[how] = made
        return made

    def writer(self, component: str) -> Writer:
        """Return the members about the component that wrote a record."""
        writer = _writers.get(component)
        if writer is None:
            if len(_writers) >= _WRITERS:
                _writers.clear()
            writer = _writers[component] = Writer(component)
        return writer

    def launched(self, record: Record, inside: str) -> str:
        """Return the member ``process`` for a record about a launched program.

        Args:
            record: the record.
            inside: what is known of the program, as :func:`program` gives it.
        """
        writer = self.writer(record.component)
        _, parent, _ = writer.threads.get(record.thread) or writer.on(record.thread)
        if parent:
            inside += f'{"," if inside else ""}"parent":{{{parent}}}'
        return inside and f'"process":{{{inside}}},'


def _origin(written: str) -> str:
    """Return the member ``origin`` of ``log``, with a comma before it, or nothing."""
    if not written:
        return ""
    name, _, line = written.rpartition(":")
    if name and line.isascii() and line.isdecimal() and len(line) <= _LINE_DIGITS:
        return f',"origin":{{"file":{{"name":{text(name)},"line":{int(line)}}}}}'
    return f',"origin":{{"file":{{"name":{text(written)}}}}}'
