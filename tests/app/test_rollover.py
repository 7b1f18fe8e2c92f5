# SPDX-License-Identifier: Apache-2.0
"""The whole shipper over runs and rollovers: every document is there once.

Ids are unique only within one backing index (elastic/elasticsearch#44794).
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from elasticsearch import Elasticsearch

from shipper.app import Backfill, Engine, Progress
from shipper.clock import SystemClock
from shipper.config import OutputSettings, Settings
from shipper.deliver import Counts, ElasticSink, Outage, Verdict
from shipper.errors import SinkUnavailable
from shipper.records import Event
from shipper.store import Reader, StateFolder
from shipper.tail import Discovery, HostList, Pattern
from tests.fakes.cluster import Body, Cluster, Operation, Take
from tests.fakes.faults import cut
from tests.tail.following import line, lines

STREAM = "logs-sms.clisvc-default"
RECORDS = 20
BATCH = 5


class Failing(ElasticSink):
    """The real sink, which is cut off after some requests.

    Args:
        cluster: the server.
        requests: so many succeed.
    """

    def __init__(self, cluster: Cluster, requests: int) -> None:
        super().__init__(
            cast("Elasticsearch", cluster),
            namespace="default",
            url="http://es",
            clock=SystemClock(),
        )
        self._left = requests

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
        """Send as long as it goes."""
        if not self._left:
            raise Outage(SinkUnavailable("http://es cannot be reached."))
        self._left -= 1
        return super().send(events, since)


class Runs:
    """Runs of the shipper over one log and one cluster.

    Attributes:
        cluster: the server.
        log: the log.
    """

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster()
        self.log = folder / "Clisvc.log"
        self.log.write_bytes(lines(*range(RECORDS)))
        self._state = folder / "state"

    def run(
        self, *, requests: int = 1_000, batch: int = BATCH, lost: bool = False
    ) -> Counts:
        """Ship what is there, or as much of it as so many requests allow.

        Args:
            requests: bulk requests that reach the server.
            batch: documents in each.
            lost: the reply to the first one is lost.
        """
        if lost:
            self.cluster.faults.append(cut(1.0))
        stop = threading.Event()

        def tick(progress: Progress) -> None:
            if progress.waiting_for:
                stop.set()

        output = OutputSettings(
            batch_events=batch,
            linger=1.0 if lost else 0.02,
            senders=1,
            shutdown_grace=0,
        )
        settings = Settings(output=output)
        pattern = Pattern(str(self.log), HostList())
        discovery = Discovery((pattern,), "pc0417", explicit=True)
        with (
            StateFolder(self._state) as state,
            Engine(
                settings,
                Failing(self.cluster, requests),
                state,
                once=True,
                tick=tick,
            ) as engine,
        ):
            Backfill(engine, discovery, stop).run()
        return engine.progress().counts

    @property
    def since(self) -> list[int]:
        """Epochs saved with the checkpoints."""
        reader = Reader(self._state / "state.db")
        found = [
            each.since for status in reader.sources() for each in status.checkpoints
        ]
        reader.close()
        return found

    @property
    def acked(self) -> int:
        """Bytes acknowledged."""
        reader = Reader(self._state / "state.db")
        found = sum(
            each.acked for status in reader.sources() for each in status.checkpoints
        )
        reader.close()
        return found

    @property
    def doubled(self) -> list[str]:
        """Ids that are there more than once."""
        count = Counter(name for _, name, _ in self.cluster.documents())
        return [name for name, times in count.items() if times > 1]

    @property
    def there(self) -> int:
        """Record documents there are."""
        return len(list(self.cluster.documents()))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Return runs over a log of twenty records."""
    monkeypatch.setattr("shipper.deliver.gate.FIRST_S", 0.01)
    # Nothing goes on here after a request has been given up.
    monkeypatch.setattr("shipper.deliver.backing.SETTLE_S", 0.0)
    return Runs(tmp_path)


def test_reply_lost_before_the_end(runs: Runs) -> None:
    """What was indexed, and not acknowledged when a run ended, is found again."""
    runs.run(requests=1, lost=True)
    assert runs.there == BATCH
    runs.cluster.rollover(STREAM)

    counts = runs.run()

    assert (runs.there, runs.doubled) == (RECORDS, [])
    assert (counts.duplicates, counts.indexed) == (BATCH, RECORDS - BATCH)


def test_rollover_while_it_is_sent_again(runs: Runs) -> None:
    """What is there is not sent: the data stream may roll over before that arrives."""
    runs.run(requests=1, lost=True)
    there = runs.there

    def rolled_over(take: Take, operations: list[Operation]) -> list[Body]:
        runs.cluster.rollover(STREAM)
        return take(operations)

    runs.cluster.faults.append(rolled_over)
    counts = runs.run(batch=RECORDS)

    assert there == BATCH
    assert (runs.there, runs.doubled) == (RECORDS, [])
    assert (counts.duplicates, counts.indexed) == (BATCH, RECORDS - BATCH)


def test_two_runs_that_fail(runs: Runs) -> None:
    """A checkpoint in the middle of what was sent before does not forget its epoch.

    Run 1 has all indexed and nothing acknowledged; run 2, after a rollover, gets to
    the middle; run 3 still looks into the first index for the rest.
    """
    size = 200 * 1024  # a little less than a chunk
    long = [line(number, "x" * 400) for number in range(2_000)]
    runs.log.write_bytes(b"".join(long))
    runs.run(batch=10_000, requests=1, lost=True)
    there = runs.there
    runs.cluster.rollover(STREAM)
    runs.run(batch=100, requests=8)
    assert size < runs.acked < len(b"".join(long)) - size

    runs.run(batch=100)

    assert there == 2_000
    assert (runs.there, runs.doubled) == (2_000, [])


def test_nothing_is_assumed(runs: Runs) -> None:
    """Of what was there before the first run nothing is known: epoch 0 stays."""
    runs.run()

    assert runs.since == [0]
    # A second run, in which nothing new is there, changes nothing.
    runs.run()
    assert runs.since == [0]


def test_without_the_right_to_look(runs: Runs) -> None:
    """With an append-only key all is delivered, and what may be doubled is counted."""
    runs.cluster.look_up_faults.extend([403] * 100)

    counts = runs.run()

    assert (counts.indexed, counts.unchecked) == (RECORDS, RECORDS)
    assert runs.there == RECORDS
