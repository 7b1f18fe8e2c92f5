# SPDX-License-Identifier: Apache-2.0
"""Records of several lines from the file to the documents."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from shipper.app import documents
from shipper.parse import first_time
from shipper.parse.text import Decoder, Line
from shipper.records import Chunk, Event, Stream
from shipper.tail import Harvester, Pacing, Siblings
from shipper.tail.reading import Status
from tests.enrich.story import SOURCE, assembly, line
from tests.fakes.clock import ManualClock
from tests.fakes.files import MemoryFiles

ENDED = (
    b']LOG]!><time="08:15:30.500-60" date="03-04-2015" component="execmgr"'
    b' context="CORP\\anna" type="3" thread="8744" file="execreqmgr.cpp:2083">\r\n'
)
ONE = b"<![LOG[One" + ENDED
OPEN = b"<![LOG[Two\r\nlines\r\n"
LIMIT = 4096
PATH = "/logs/execmgr.log"
OLD = "/logs/execmgr.lo_"


class Following:
    """A log being followed, with the clock in the test's hand."""

    def __init__(self, *, once: bool = False) -> None:
        self.files = MemoryFiles()
        self.clock = ManualClock()
        self.events: list[Event] = []
        self.position = 0
        self.source = type(SOURCE)(
            host="pc0417", log="execmgr", directory="/logs", path=PATH
        )
        self._assembly = assembly()
        self.harvester = Harvester(
            self.source,
            Siblings(path=PATH),
            self.files,
            first_time,
            self.clock,
            Pacing(read_bytes=LIMIT, max_line_bytes=LIMIT, once=once),
        )

    def look(self, after_s: float = 1.0) -> bool:
        """Look once; tell whether anything was handed on."""
        self.clock.advance(after_s)
        reading = self.harvester.visit()
        if reading is None:
            return False
        for ticket, events in self._assembly.make(self.source, reading):
            assert ticket.progress.offset > ticket.start
            self.events += events
        self.position = reading.life.position
        return True

    def says(self) -> list[str]:
        """Return the messages so far."""
        return [json.loads(event.document)["message"] for event in self.events]


def of(log: bytes) -> list[Event]:
    """Return the events of a whole log."""
    source = Following().source
    return list(documents(io.BytesIO(log), source, assembly(), max_line_bytes=LIMIT))


def test_document() -> None:
    """The record's own level, user and source file are in its document."""
    (event,) = of(OPEN + b"}" + ENDED)
    document: dict[str, Any] = json.loads(event.document)

    assert event.stream is Stream.CCM
    assert event.size == len(OPEN + b"}" + ENDED)
    assert document["event"]["dataset"] == "sms.ccm"
    assert document["data_stream"]["dataset"] == "sms.ccm"
    assert document["message"] == "Two\nlines\n}"
    assert document["event"]["original"] == (OPEN + b"}" + ENDED).decode().rstrip()
    assert document["@timestamp"] == "2015-03-04T07:15:30.500Z"
    assert document["log"]["level"] == "error"
    assert document["log"]["logger"] == "execmgr"
    assert document["log"]["origin"] == {
        "file": {"name": "execreqmgr.cpp", "line": 2083}
    }
    assert document["user"] == {"name": "CORP\\anna"}
    assert document["sms"]["parse"] == {"dialect": "ccm", "quality": "exact"}


def test_legacy_lines_of_the_same_log_keep_their_data_set() -> None:
    """Each record goes where its dialect does."""
    events = of(ONE + line("Working", 0) + b"plain\r\n")

    streams = [event.stream for event in events]
    assert streams == [Stream.CCM, Stream.CLISVC, Stream.CLISVC]


def test_open_record_waits_without_work() -> None:
    """It is taken when its end is there; until then nothing new means no work."""
    log = Following()
    log.files.write(PATH, ONE + OPEN)

    assert log.look()
    assert not log.look()
    assert (log.says(), log.position) == (["One"], len(ONE))
    log.files.append(PATH, b"and mo")
    assert not log.look()
    log.files.append(PATH, b"re" + ENDED)
    assert log.look()
    assert not log.look()
    assert log.says() == ["One", "Two\nlines\nand more"]
    assert sum(event.size for event in log.events) == log.position


def test_open_record_ends_with_its_generation() -> None:
    """Once the rotated file rests, what there is of it is taken; the next begins."""
    log = Following()
    log.files.write(PATH, ONE + OPEN)
    log.look()
    log.files.rename(PATH, OLD)
    log.files.write(PATH, b"rest" + ENDED + ONE)
    for _ in range(6):
        log.look(after_s=6)

    assert log.says() == ["One", "Two\nlines", "rest", "One"]
    flags = [
        json.loads(event.document)["sms"]["log"].get("flags") for event in log.events
    ]
    assert flags == [None, ["partial"], None, None]


def test_ship_takes_an_open_record() -> None:
    """At the end of a file that is taken as it is."""
    log = Following(once=True)
    log.files.write(PATH, ONE + OPEN)
    while log.look():
        pass

    assert log.says() == ["One", "Two\nlines"]
    assert log.position == len(ONE + OPEN)
    assert log.harvester.status is Status.FINISHED


def test_nul_bytes_within_a_record() -> None:
    """They may be text tomorrow; when they have stayed, they belong to the record."""
    log = Following()
    log.files.write(PATH, ONE + OPEN + b"\0" * 20 + b"\n" + b"}" + ENDED)
    log.look()
    for _ in range(3):
        assert not log.look(after_s=10) or log.says() == ["One"]
    for _ in range(6):
        log.look(after_s=30)

    assert log.says() == ["One", "Two\nlines\n" + "\0" * 20 + "\n}"]
    assert log.position == len(ONE + OPEN) + 20 + 1 + 1 + len(ENDED)


@pytest.mark.parametrize("rows", [1, 30, 200])
def test_long_logs_leave_no_seam(rows: int) -> None:
    """However records lie across blocks and visits, they are the same."""
    dump = b"".join(b"\tProperty%d = 1;\r\n" % row for row in range(rows))
    record = b"<![LOG[instance of X\r\n" + dump + b"};" + ENDED
    log = (record + ONE) * (1 + 600_000 // len(record + ONE))
    whole = of(log)
    followed = Following()
    followed.files.write(PATH, log)
    while followed.look():
        pass

    assert [event.id for event in followed.events] == [event.id for event in whole]
    assert sum(event.size for event in whole) == len(log)
    assert followed.position == len(log)
    assert len(whole) == 2 * log.count(b"instance")


def test_log_grows_bit_by_bit() -> None:
    """Whatever a look finds of a record, it becomes one document."""
    log = ONE + OPEN + b"}" + ENDED + b"<![LOG[open\r\n" + line("Working", 0) + ONE
    followed = Following()
    followed.files.write(PATH, b"")
    for at in range(0, len(log), 7):
        followed.files.append(PATH, log[at : at + 7])
        followed.look()

    assert followed.events == of(log)


@pytest.mark.parametrize("first", [1, 300, 500])
@pytest.mark.parametrize(
    "end", [b"}" + ENDED + ONE, ONE, b"<![LOG[Two\r\n}" + ENDED, line("Working", 0)]
)
def test_beginning_does_not_depend_on_looks(first: int, end: bytes) -> None:
    """A log whose first lines have no time gives the same documents, looks or none."""
    log = b"".join(b"\tProp%d = 1;\r\n" % row for row in range(40)) + end
    followed = Following()
    followed.files.write(PATH, log[:first])
    followed.look()
    followed.files.append(PATH, log[first:-40])
    followed.look()
    followed.files.append(PATH, log[-40:])
    while followed.look():
        pass

    assert followed.events == of(log)
    assert followed.position == len(log)


def test_lines_without_any_time_are_taken_in_the_end() -> None:
    """They wait for a time until their file is rotated and rests."""
    rows = b"".join(b"Row %d\r\n" % row for row in range(40))
    log = Following()
    log.files.write(PATH, rows)
    log.look()
    assert (log.position, log.events) == (0, [])

    log.files.rename(PATH, OLD)
    log.files.write(PATH, ONE)
    for _ in range(6):
        log.look(after_s=6)

    assert log.says() == [*(f"Row {row}" for row in range(40)), "One"]


def test_flags_outlast_the_wait() -> None:
    """A line of NUL bytes that waits for a time still says what it is."""
    rows = b"Row\r\n" + b"\0" * 16 + b"\r\n" + b"Row\r\n"
    flags = [
        json.loads(event.document)["sms"]["log"].get("flags")
        for event in of(rows + line("Working", 0))
    ]

    assert flags == [None, ["nul"], None, None]


@pytest.mark.parametrize("begin", [b"<![LOG[Two\r\n", b"Row\r\n", ONE + b"Row\r\n"])
def test_lines_set_apart_are_parsed_once(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of lines of NUL bytes take as long as as many others."""
    parsed: list[int] = []
    lines = Decoder.lines

    def counted(self: Decoder, chunk: Chunk) -> list[Line]:
        parsed.append(len(chunk.data))
        return lines(self, chunk)

    monkeypatch.setattr(Decoder, "lines", counted)
    log = begin + (b"\0" * 16 + b"\n") * 5000 + b"}" + ENDED
    events = list(documents(io.BytesIO(log), SOURCE, assembly(), max_line_bytes=65_536))

    assert parsed == [len(log)]
    assert sum(event.size for event in events) == len(log)
