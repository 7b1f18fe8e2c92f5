# SPDX-License-Identifier: Apache-2.0
"""A file's records sent again: the range asked for, with the states of its history."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.app import documents
from shipper.audit import Replaying
from shipper.audit.verification import offset_of
from shipper.clock import SystemClock
from shipper.config import InputSettings, Settings
from shipper.deliver import Verdict
from shipper.deliver.sink import UNCHECKED
from shipper.errors import InputProblem
from shipper.records import Event, Outcome, Source
from shipper.tail import LocalOpener, Siblings
from tests.enrich.story import DAY, OFFERS, assembly, line, lines, triple
from tests.fakes.sink import DELIVERED, MemorySink, ScriptedSink

SETTINGS = Settings(input=InputSettings(timezone="UTC"))
OLDER = lines(triple(OFFERS), 0)
NEWER = lines(triple(OFFERS), DAY)
CALM = line("Working set trimmed to 812 KB~", DAY + 60)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log whose rotated file tells of its first refusal."""
    log = tmp_path / "Clisvc.log"
    log.with_suffix(".lo_").write_bytes(OLDER)
    log.write_bytes(NEWER + CALM)
    return log


def source(log: Path) -> Source:
    """Return whose log it is."""
    return Source(host="pc0417", log="clisvc", directory=str(log.parent), path=str(log))


def replaying(log: Path, path: Path, begin: int = 0) -> Replaying:
    """Return what is replayed of a file of the log."""
    return Replaying(
        SETTINGS,
        source(log),
        Siblings(path=str(log)),
        str(path),
        begin=begin,
        clock=SystemClock(),
        opener=LocalOpener(),
    )


def records(sink: MemorySink) -> list[int]:
    """Return the offsets of the records a sink has."""
    return [offset_of(ident) for _, ident in sink.documents if ".s" not in ident]


def test_the_file_alone(log: Path) -> None:
    """All records of the file are sent, and none of those beside it."""
    sink = MemorySink()
    result = replaying(log, log).send(sink)
    with log.open("rb") as stream:
        alone = documents(stream, source(log), assembly(), max_line_bytes=4096)
        expected = [event.id for event in alone if ".s" not in event.id]

    assert [ident for _, ident in sink.documents if ".s" not in ident] == expected
    assert (result.records, result.indexed, result.duplicates) == (4, 5, 0)


def test_history_counts(log: Path) -> None:
    """A state follows from all generations: a day after the first it is a new cycle."""
    sink = MemorySink()
    result = replaying(log, log).send(sink)
    (state,) = (body for (_, ident), body in sink.documents.items() if ".s" in ident)

    assert result.states == 1
    assert b'"cycles":2' in state


def test_from(log: Path) -> None:
    """Records before the offset are not sent; one that begins at it is."""
    second = len(lines(triple(OFFERS)[:1], DAY))
    sink = MemorySink()
    replaying(log, log, second).send(sink)
    after = MemorySink()
    replaying(log, log, second + 1).send(after)

    assert records(sink)[0] == second
    assert len(records(sink)) == 3
    assert len(records(after)) == 2


def test_again(log: Path) -> None:
    """What is there already is counted as that."""
    sink = MemorySink()
    replaying(log, log).send(sink)
    result = replaying(log, log).send(sink)

    assert (result.indexed, result.duplicates) == (0, 5)


@pytest.mark.parametrize(("name", "sent"), [("Clisvc.log", 4), ("Clisvc.lo_", 4)])
def test_unfinished_line(log: Path, name: str, sent: int) -> None:
    """A line without its end is left to the writer, but taken from a rotated file."""
    path = log.with_name(name)
    with path.open("ab") as file:
        file.write(b"Working")
    sink = MemorySink()
    replaying(log, path).send(sink)

    assert len(records(sink)) == sent


def test_refused(log: Path) -> None:
    """What Elasticsearch does not take is counted, and named with the reason."""
    no = Verdict(outcome=Outcome.REJECTED, status=400, error_type="bad", reason="no")
    sink = ScriptedSink([lambda events: [no, *[DELIVERED] * (len(events) - 1)]])
    result = replaying(log, log).send(sink)

    assert result.refused == 1
    assert [(each.error_type, each.reason) for each in result.first_refused] == [
        ("bad", "no")
    ]


def test_empty_file(log: Path) -> None:
    """There is nothing to send of an empty file, and it is said before anything."""
    log.write_bytes(b"")

    with pytest.raises(InputProblem, match="is empty"):
        replaying(log, log)


def test_no_file(log: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputProblem, match="cannot be read: missing"):
        replaying(log, log.with_name("Clisvc.1"))


def test_too_short_to_be_named(log: Path) -> None:
    """A log that `run` would not name yet is not sent; a rotated one is final."""
    log.write_bytes(b"Working\r\n")
    log.with_suffix(".lo_").write_bytes(b"Working\r\n")

    with pytest.raises(InputProblem, match="has not named it yet"):
        replaying(log, log)
    assert replaying(log, log.with_suffix(".lo_")).end == 9


def test_cut_meanwhile(log: Path) -> None:
    """A replay that ends in the middle of the file is no success."""
    many = b"".join(line(f"{number}~", DAY + number) for number in range(20_000))
    log.write_bytes(NEWER + many)

    def cut(events: list[Event]) -> list[Verdict]:
        log.write_bytes(NEWER)
        return [DELIVERED] * len(events)

    with pytest.raises(InputProblem, match="bytes could be read"):
        replaying(log, log).send(ScriptedSink([cut]))


def test_unchecked(log: Path) -> None:
    """What was sent without a look into older indices is counted."""
    sink = ScriptedSink([lambda events: [UNCHECKED] * len(events)])

    assert replaying(log, log).send(sink).unchecked == 5


def test_replaced_meanwhile(log: Path) -> None:
    """If the file is gone when it is read, that is an error and no empty success."""
    prepared = replaying(log, log)
    log.write_bytes(OLDER)

    with pytest.raises(InputProblem, match="was replaced"):
        prepared.send(MemorySink())
