# SPDX-License-Identifier: Apache-2.0
"""Kill, replay and rotation: wherever a log is cut, the same is said of it."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.enrich import Enricher, Senses, Trail
from shipper.parse import Parser, Zones
from shipper.records import Chunk, Event, Generation, Record, Stream
from tests.enrich.story import (
    HARDWARE,
    HOUR,
    INSTALLER,
    OFFERS,
    READ_MS,
    SOFTWARE,
    SOURCE,
    attempt,
    denied,
    echo,
    line,
    lines,
    needed,
    scheduled,
    triple,
    trouble,
    unverified,
)

FIRST, SECOND = Generation(gen_id="0" * 20), Generation(gen_id="1" * 20)
SENSES = Senses()

#: What a line of a random log may say.
TEXTS = [
    *triple(OFFERS),
    *triple(SOFTWARE),
    *denied(HARDWARE),
    *attempt(OFFERS),
    *attempt(SOFTWARE),
    *attempt(INSTALLER),
    *triple(INSTALLER, 5),
    scheduled(HARDWARE),
    unverified(HARDWARE),
    echo(OFFERS, "0x5"),
    needed(SOFTWARE.app),
    needed(OFFERS.app, "verified"),
    "AppRegisterI returned error 1018 for component Software Inventory Agent",
    "An exception was raised in the application 'SINV32.EXE'",
    "Finished list processing, return code = 0x0",
    "Hardware Inventory Agent cycle started",
    "Remote Control: Install Pending",
    "No longer assigned to S01",
    "SMS Client Service is starting",
    "ERROR: No token for this",
    "Working set trimmed to 812 KB~",
]
#: Steps of the clock between two lines; it may go back.
STEPS = st.sampled_from([0.0, 0.01, 1.0, 6.0, 700.0, HOUR, 23 * HOUR, -HOUR])
LOGS = st.lists(
    st.tuples(st.sampled_from(TEXTS), STEPS, st.sampled_from([52, 53, None])),
    min_size=1,
    max_size=40,
)


def parsed(log: bytes) -> list[Record]:
    """Return the records of a whole log."""
    parser = Parser(Zones(default_zone="UTC"))
    chunk = Chunk(start=0, data=log, end=len(log))
    return parser.parse(chunk, None, READ_MS, final=True).records


def written(log: list[tuple[str, float, int | None]]) -> bytes:
    """Write a random log; it begins with a timed line."""
    seconds, data = 0.0, line("Working set trimmed to 812 KB~", 0)
    for text, step, thread in log:
        seconds += step
        data += line(text, seconds, thread)
    return data


def enriched(
    records: list[Record], snapshot: bytes, generation: Generation = FIRST
) -> tuple[list[Event], bytes]:
    """Return the events of records, and the state behind them."""
    trail = Trail.decode(snapshot)
    events = Enricher(SOURCE, generation, "default", trail, SENSES).enrich(records)
    return events, trail.encode()


@given(LOGS, st.data())
def test_cuts(log: list[tuple[str, float, int | None]], data: st.DataObject) -> None:
    """Stopped and started again behind any records, the documents are the same."""
    records = parsed(written(log))
    positions = st.integers(0, len(records))
    cuts = sorted(data.draw(st.lists(positions, max_size=5)))

    whole, end = enriched(records, b"")
    events: list[Event] = []
    snapshot = b""
    for start, stop in pairwise([0, *cuts, len(records)]):
        more, snapshot = enriched(records[start:stop], snapshot)
        events += more

    assert events == whole
    assert snapshot == end


@given(LOGS, st.data())
def test_generations(
    log: list[tuple[str, float, int | None]], data: st.DataObject
) -> None:
    """Replayed after a kill, the next generation says the same as without one."""
    records = parsed(written(log))
    rotated = data.draw(st.integers(0, len(records)))
    killed = data.draw(st.integers(rotated, len(records)))

    _, origin = enriched(records[:rotated], b"")
    heir = Trail.decode(origin).inherit().encode()
    whole, end = enriched(records[rotated:], heir, SECOND)
    before, snapshot = enriched(records[rotated:killed], heir, SECOND)
    after, again = enriched(records[killed:], snapshot, SECOND)

    assert before + after == whole
    assert again == end


@pytest.mark.parametrize("cut", [1, 2])
def test_rotation_in_the_middle_of_a_triple(cut: int) -> None:
    """A refusal whose records lie in two generations is one incident, refused once."""
    records = parsed(lines(triple(OFFERS), 0))
    before, origin = enriched(records[:cut], b"")
    rest, _ = enriched(
        parsed(lines(triple(OFFERS)[cut:], cut / 100)),
        Trail.decode(origin).inherit().encode(),
        SECOND,
    )
    bodies = [msgspec.json.decode(one.document) for one in (*before, *rest)]
    incidents = [body["sms"]["incident"] for body in bodies]

    assert {one["id"] for one in incidents} == {before[0].id}
    assert {one["root_code"] for one in incidents} == {"1314"}
    assert [
        body["sms"]["agent"]["state"]
        for body in bodies
        if body["event"]["kind"] == "state"
    ] == ["launch_failed", "install_pending"]
    assert rest[-1].id.startswith(f"{SECOND.gen_id}-")


def test_kill_in_the_middle_of_a_triple() -> None:
    """What was read again after a kill has the ids it had, byte for byte."""
    records = parsed(lines([*attempt(OFFERS), *triple(OFFERS)], 0))
    whole, _ = enriched(records, b"")

    _, saved = enriched(records[:4], b"")
    lost, _ = enriched(records[4:5], saved)
    again, _ = enriched(records[4:], saved)

    assert again[: len(lost)] == lost
    assert again == whole[-len(again) :]


def test_newer_clients_log_is_replayed_alike() -> None:
    """The same holds for the records of a newer client's log."""
    records = parsed(
        b"".join(trouble(f"Step {turn} failed", turn) for turn in (1, 2, 3))
    )
    whole, _ = enriched(records, b"")
    first, saved = enriched(records[:1], b"")
    rest, _ = enriched(records[1:], saved)

    assert first + rest == whole
    assert {one.stream for one in whole} == {Stream.CCM}
