# SPDX-License-Identifier: Apache-2.0
"""Dead letters sent again: each once, into its own namespace, none lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.audit import Redelivered, Redelivery
from shipper.config import OutputSettings
from shipper.deliver import Outage, Sink, Verdict
from shipper.deliver.sink import UNCHECKED
from shipper.errors import NotPermitted, SinkUnavailable
from shipper.records import DeadLetter, Event, Outcome, Stream
from shipper.store import DeadLetters, Letter
from tests.fakes.clock_deliver import StillClock
from tests.fakes.sink import DELIVERED, MemorySink, ScriptedSink
from tests.store.made import source

REFUSED = Verdict(outcome=Outcome.REJECTED, status=400, error_type="bad", reason="no")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the letters are."""
    return tmp_path / "dead-letters.ndjson"


@pytest.fixture
def letters(path: Path) -> DeadLetters:
    """Return dead letters that are written at a known time."""
    return DeadLetters(path, StillClock(now_ms=1))


def bury(letters: DeadLetters, *names: str, namespace: str = "ops") -> None:
    """Write a letter for each name."""
    document = '{"event":{"kind":"event"},"data_stream":{"namespace":"%s"}}'
    letters.add(
        [
            DeadLetter(
                source=source(),
                event=Event(
                    id=name,
                    stream=Stream.CLISVC,
                    document=(document % namespace).encode(),
                ),
                status=400,
                error_type="bad",
                reason="before",
            )
            for name in names
        ]
    )


def run(
    letters: DeadLetters, sink: Sink, *wanted: str, batch_events: int = 100
) -> Redelivered:
    """Send the letters again."""
    output = OutputSettings(batch_events=batch_events)
    redelivery = Redelivery(letters, lambda _: sink, output, lambda _: None)
    return redelivery.run(frozenset(wanted))


def left(letters: DeadLetters) -> list[str]:
    """Return the ids of the letters there are."""
    found, _ = letters.summary()
    return [letter.id for letter in found]


def test_taken(letters: DeadLetters) -> None:
    """What is taken, or there already, is no letter any more; doubles are sent once."""
    sink = ScriptedSink([])
    bury(letters, "1")
    run(letters, sink)
    bury(letters, "1", "2", "2")

    assert run(letters, sink) == Redelivered(
        indexed=1, duplicates=1, refused=0, damaged=()
    )
    assert sink.requests == [["1"], ["1", "2"]]
    assert left(letters) == []


def test_refused_again(letters: DeadLetters) -> None:
    """What is refused again stays, with the reason of now."""
    bury(letters, "1", "2")
    result = run(letters, ScriptedSink([lambda _: [DELIVERED, REFUSED]]))
    (letter,), _ = letters.summary()

    assert (result.indexed, result.refused) == (1, 1)
    assert (letter.id, letter.reason) == ("2", "no")


def test_named_ones(letters: DeadLetters) -> None:
    """Only those named are sent, and the others stay."""
    bury(letters, "1", "2", "3")
    run(letters, MemorySink(), "2")

    assert left(letters) == ["1", "3"]


def put_off(error_type: str) -> Verdict:
    """Return the verdict on a document that may be taken later."""
    return Verdict(outcome=Outcome.RETRY, status=403, error_type=error_type)


def test_put_off(letters: DeadLetters) -> None:
    """One that is only put off stays, keeps no other back, and is told at the end."""
    bury(letters, "1", "2", "3", "4")
    block, lack = put_off("cluster_block_exception"), put_off("security_exception")
    sink = ScriptedSink(
        [lambda _: [block], lambda _: [lack], lambda _: [block], lambda _: [DELIVERED]]
    )
    result = run(letters, sink, batch_events=1)

    assert (result.indexed, result.put_off) == (1, 3)
    assert isinstance(result.problem, NotPermitted)
    assert left(letters) == ["1", "2", "3"]


def test_last_version(letters: DeadLetters) -> None:
    """Of letters with the same key the last is sent, and stays if it is refused."""
    bury(letters, "1", "2")
    newer = b'{"event":{"n":2},"data_stream":{"namespace":"ops"}}'
    event = Event(id="1", stream=Stream.CLISVC, document=newer)
    letters.add(
        [
            DeadLetter(
                source=source(), event=event, status=400, error_type="x", reason="y"
            )
        ]
    )
    sent: list[Event] = []

    def refuse(events: list[Event]) -> list[Verdict]:
        sent.extend(events)
        return [REFUSED] * len(events)

    run(letters, ScriptedSink([refuse]))
    kept = {each.id: each for each in letters.read() if isinstance(each, Letter)}

    assert [(each.id, each.document == newer) for each in sent] == [
        ("2", False),
        ("1", True),
    ]
    assert kept["1"].document == newer
    assert (letters.count(), kept["1"].reason) == (2, "no")


def test_unchecked(letters: DeadLetters) -> None:
    """What was sent without a look into older indices is counted."""
    bury(letters, "1", "2")

    assert run(letters, ScriptedSink([lambda _: [UNCHECKED, DELIVERED]])).unchecked == 1


def test_outage(letters: DeadLetters) -> None:
    """When the server goes away, only what it had taken is taken out."""
    bury(letters, "1", "2", "3")
    sink = ScriptedSink(
        [lambda _: [DELIVERED], Outage(SinkUnavailable("Elasticsearch is away."))]
    )

    with pytest.raises(SinkUnavailable):
        run(letters, sink, batch_events=1)
    assert left(letters) == ["2", "3"]


def test_crash_after_sending(letters: DeadLetters, path: Path) -> None:
    """A crash before the file is changed sends again, and nothing is doubled."""
    bury(letters, "1", "2")
    before = path.read_bytes()
    sink = MemorySink()
    run(letters, sink)
    path.write_bytes(before)

    assert run(letters, sink).duplicates == 2
    assert len(sink.documents) == 2
    assert left(letters) == []


def test_each_to_its_namespace(letters: DeadLetters) -> None:
    """Each letter goes to the sink of the namespace it names itself."""
    bury(letters, "1", namespace="a")
    bury(letters, "2", namespace="b")
    bury(letters, "3", namespace="a")
    sinks = {"a": MemorySink(), "b": MemorySink()}
    Redelivery(letters, sinks.__getitem__, OutputSettings(), lambda _: None).run()

    found = {name: [key[1] for key in sink.documents] for name, sink in sinks.items()}
    assert found == {"a": ["1", "3"], "b": ["2"]}


def test_what_cannot_be_sent(letters: DeadLetters, path: Path) -> None:
    """Damage is told by its line, and no document that breaks a request is sent."""
    path.write_bytes(b"damage\n")
    bury(letters, "1")
    broken = Event(id="2", stream=Stream.CLISVC, document=b'{"event":{\n}}')
    letters.add(
        [
            DeadLetter(
                source=source(), event=broken, status=400, error_type="x", reason="y"
            )
        ]
    )
    sink = ScriptedSink([])

    assert run(letters, sink) == Redelivered(
        indexed=1, duplicates=0, refused=1, damaged=(1,)
    )
    assert sink.requests == [["1"]]
    assert left(letters) == ["2"]
    assert path.read_bytes().startswith(b"damage\n")
