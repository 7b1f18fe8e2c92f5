# SPDX-License-Identifier: Apache-2.0
"""What a collector reports of itself and its sources."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shipper.app import Reporter
from shipper.deliver import Outage, Verdict
from shipper.enrich import Trail
from shipper.errors import SinkUnavailable
from shipper.records import Observation, Outcome, Progress, Source, Ticket
from shipper.store import Database, Reader, Settled
from tests.fakes.clock import START_MS, ManualClock
from tests.fakes.sink import MemorySink, ScriptedSink
from tests.store.made import generation, sighting, source

#: 2003-02-12 10:14:00 UTC, when the newest record was written.
RECORD_MS = START_MS - 60_000


class Site:
    """A collector's store, and its reporter."""

    def __init__(self, folder: Path, sink: MemorySink) -> None:
        self.clock = ManualClock()
        self.path = folder / "state.db"
        self.database = Database(self.path, self.clock)
        self.sink = sink
        self.down = False
        self.saw(0)
        self.reporter = self.begin()
        self.reader = Reader(self.path)

    def begin(self) -> Reporter:
        """Return a reporter, as each start of the shipper makes one."""
        return Reporter(
            self.sink,
            self.path,
            self.path.with_name("told.json"),
            self.clock,
            collector="collector1",
            namespace="default",
            down=lambda: self.down,
        )

    def saw(self, size: int, *, lost: int = 0, of: Source | None = None) -> None:
        """Note that a log has so many bytes."""
        of = of or source()
        seen = Observation(path=of.path, seen=size, lost=lost)
        self.database.save([sighting(of=of, observation=seen)], [], [(of, "ok", "")])

    def dealt(self, offset: int, *, dead: int = 0) -> None:
        """Note that so many bytes are dealt with."""
        trail = Trail()
        trail.neighbour_ms = RECORD_MS
        progress = Progress(offset=offset, snapshot=trail.encode())
        ticket = Ticket(
            source=source(),
            generation=generation(),
            progress=progress,
            events=1,
            records=1,
        )
        settled = Settled(ticket=ticket, records=1, duplicates=0, dead_lettered=dead)
        self.database.save([], [settled], [])

    def report(self, minutes: int = 1) -> list[dict[str, Any]]:
        """Let time pass, report, and return the documents that arrived."""
        before = len(self.sink.documents)
        self.clock.advance(60 * minutes)
        self.reporter.report(self.reader)
        texts = list(self.sink.documents.values())[before:]
        return [json.loads(text) for text in texts]

    def close(self) -> None:
        """Close the store."""
        self.reader.close()
        self.database.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Give a collector that follows one log."""
    made = Site(tmp_path, MemorySink())
    yield made
    made.close()


def actions(documents: list[dict[str, Any]]) -> list[str]:
    """Return what documents are."""
    return [document["event"]["action"] for document in documents]


def shipper(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the collector's own report says."""
    found: dict[str, Any] = documents[0]["sms"]["shipper"]
    return found


def test_collector(site: Site) -> None:
    """Once a minute the collector tells how many logs there are, and what is unread."""
    site.saw(500)
    site.dealt(200)

    (document,) = [d for d in site.report() if "shipper" in d["sms"]]

    assert document["event"]["dataset"] == "sms.shipper"
    assert document["@timestamp"] == "2003-02-12T10:16:00.000Z"
    assert document["sms"]["shipper"] == {
        "sources": 1,
        "sources_by_status": [{"status": "ok", "count": 1}],
        "unread_bytes": 300,
        "oldest_unread": "2003-02-12T10:16:00.000Z",
        "lag": 0,
        "dead_lettered_delta": 0,
        "lost_bytes_delta": 0,
    }


def test_source_once_an_hour(site: Site) -> None:
    """Within sixty reports a log has its turn exactly once."""
    found = [action for _ in range(60) for action in actions(site.report())]

    assert found.count("collector-status") == 60
    assert found.count("source-status") == 1


def test_source(site: Site) -> None:
    """A log's report tells its newest record, its last look and what is unread."""
    site.saw(500)
    site.dealt(200)

    _, document = site.report(minutes=60)

    assert document["host"]["name"] == "pc0417"
    assert document["sms"]["host"]["name"] == "pc0417"
    assert document["log"]["file"]["path"] == "/logs/pc0417/Clisvc.log"
    assert document["sms"]["source"] == {
        "status": "ok",
        "first_seen": "2003-02-12T10:15:00.000Z",
        "last_read_ok": "2003-02-12T10:15:00.000Z",
        "last_record": "2003-02-12T10:14:00.000Z",
        "unread_bytes": 300,
        "oldest_unread": "2003-02-12T11:15:00.000Z",
    }


def test_fleet_reports_evenly(site: Site) -> None:
    """Six hundred logs do not report all at once."""
    for number in range(600):
        site.saw(0, of=source(f"pc{number:04}"))

    counts = [len(site.report()) - 1 for _ in range(60)]

    assert sum(counts) == 600
    assert max(counts) < 40


def test_unread_since(site: Site) -> None:
    """Bytes are old from when they were seen first, until they are dealt with.

    A collector with nothing unread says that nothing older than its report waits.
    """
    site.saw(500)
    first = shipper(site.report())
    site.saw(900)
    second = shipper(site.report())
    site.dealt(500)
    third = shipper(site.report())
    site.dealt(900)
    fourth = shipper(site.report())

    assert first["oldest_unread"] == "2003-02-12T10:16:00.000Z"
    assert second["oldest_unread"] == "2003-02-12T10:16:00.000Z"
    assert third["oldest_unread"] == "2003-02-12T10:18:00.000Z"
    assert fourth["oldest_unread"] == "2003-02-12T10:19:00.000Z"
    assert [each["lag"] for each in (first, second, third, fourth)] == [0, 60_000, 0, 0]


def test_deltas(site: Site) -> None:
    """What was refused or lost is told once."""
    site.saw(500, lost=40)
    site.dealt(100, dead=30)
    first, second = shipper(site.report()), shipper(site.report())

    assert (first["dead_lettered_delta"], first["lost_bytes_delta"]) == (30, 40)
    assert (second["dead_lettered_delta"], second["lost_bytes_delta"]) == (0, 0)


def test_nothing_is_tried_while_down(site: Site) -> None:
    """During an outage nothing is sent; what was lost in it is told after it."""
    site.down = True
    site.saw(500, lost=40)
    during = site.report()
    site.down = False
    after = site.report()

    assert during == []
    assert shipper(after)["lost_bytes_delta"] == 40


def test_report_that_does_not_arrive(tmp_path: Path) -> None:
    """A loss whose report was refused is in the next one."""
    site = Site(tmp_path, ScriptedSink([Outage(SinkUnavailable("away"))]))
    try:
        site.saw(500, lost=40)
        refused = site.report()
        taken = site.report()
    finally:
        site.close()

    assert refused == []
    assert shipper(taken)["lost_bytes_delta"] == 40


def test_loss_is_told_across_a_restart(site: Site) -> None:
    """What was lost while nothing could be told is told by the next run, once."""
    with site.reporter:
        site.down = True
        site.saw(500, lost=40)
        site.report()
    site.down = False
    site.reporter = site.begin()
    with site.reporter:
        first, second = shipper(site.report()), shipper(site.report())
    site.reporter = site.begin()
    with site.reporter:
        third = shipper(site.report())

    found = [each["lost_bytes_delta"] for each in (first, second, third)]
    assert found == [40, 0, 0]


def test_what_was_there_before_is_not_told(site: Site) -> None:
    """The first reporter of an older state folder begins with what there is."""
    site.saw(500, lost=40)

    with site.reporter:
        assert shipper(site.report())["lost_bytes_delta"] == 0


def test_refused_reports_are_complained_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That reports are refused is said once, and that is all."""
    refused = Verdict(outcome=Outcome.RETRY, status=404, error_type="no_such_index")
    answer = lambda events: [refused for _ in events]  # noqa: E731 - a step
    site = Site(tmp_path, ScriptedSink([answer, answer]))
    try:
        site.report()
        site.report()
    finally:
        site.close()

    said = capsys.readouterr()
    assert (said.out + said.err).count("reports of the collector are refused") == 1


def test_thread(site: Site) -> None:
    """Entered and left at once, it leaves no thread and sends nothing."""
    with site.reporter as entered:
        assert entered is site.reporter

    assert site.sink.documents == {}
