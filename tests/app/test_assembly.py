# SPDX-License-Identifier: Apache-2.0
"""Readings to tickets and events: what was cut, stopped or moved changes nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shipper.app import Assembly
from shipper.app.assembly import zones_of
from shipper.config import InputSettings, OutputSettings, Settings
from shipper.enrich import Trail
from shipper.errors import ConfigError
from shipper.parse import Zones
from shipper.records import (
    Chunk,
    Event,
    Generation,
    Observation,
    Progress,
    Source,
    Stream,
    Ticket,
)
from shipper.tail import Life, Reading
from tests.enrich.story import (
    COPIER,
    HARDWARE,
    HOUR,
    INTEGRITY,
    OFFERS,
    READ_MS,
    SOFTWARE,
    SOURCE,
    SYSTEM,
    VERIFY,
    Program,
    StillClock,
    assembly,
    attempt,
    echo,
    failed,
    line,
    lines,
    triple,
    unverified,
    verifying,
)

CALM = line("Working set trimmed to 812 KB~", -60)
GLUED = f'"{OFFERS.exe} " - Error : 1314{echo(OFFERS)}{VERIFY}'
OLDER = Generation(gen_id="0" * 20)
NEWER = Generation(gen_id="1" * 20, ordinal=1)


def life_of(generation: Generation, progress: Progress) -> Life:
    """Return a generation as the store gives it back."""
    return Life(generation, progress, Observation(path=SOURCE.path))


def take(
    made_by: Assembly, life: Life, data: bytes, source: Source = SOURCE
) -> tuple[Ticket, list[Event]]:
    """Hand on the next bytes of a generation as one chunk."""
    end = life.position + len(data)
    chunk = Chunk(start=life.position, data=data, end=end)
    life.remember(data, end)
    ((ticket, events),) = made_by.make(
        source, Reading(life=life, chunks=(chunk,), more=False)
    )
    return ticket, events


def in_one_go(log: bytes) -> tuple[Ticket, list[Event]]:
    """Read a log without interruption."""
    return take(assembly(), life_of(OLDER, Progress()), log)


PROGRAMS = st.sampled_from([OFFERS, SYSTEM, SOFTWARE, HARDWARE, COPIER])


def story_of(program: Program) -> st.SearchStrategy[str]:
    """Draw what a log may say about a program."""
    return st.sampled_from(
        [
            *attempt(program),
            *attempt(program),
            *triple(program),
            verifying(program),
            INTEGRITY,
            echo(program, "0x5"),
            unverified(program),
            failed(program, 2),
            GLUED,
            "Finished list processing, return code = 0x0",
            "ERROR: something else",
            "Working set trimmed to 812 KB~",
        ]
    )


@st.composite
def logs(draw: st.DrawFn) -> list[bytes]:
    """Draw the lines of a log: bursts of records, hours or seconds apart."""
    rows = [CALM]
    seconds = 0.0
    for _ in range(draw(st.integers(1, 25))):
        seconds += draw(
            st.sampled_from([0.0, 0.06, 0.06, 1.0, 4.999, 6.0, HOUR, 23 * HOUR, -HOUR])
        )
        thread = draw(st.sampled_from([52, 52, 52, 4_294_798_339, None]))
        rows.append(line(draw(PROGRAMS.flatmap(story_of)), seconds, thread))
    return rows


@given(logs(), st.data())
def test_interruptions_change_nothing(rows: list[bytes], data: st.DataObject) -> None:
    """Stopped anywhere and taken up by another process, a log gives the same bytes."""
    cuts = data.draw(st.sets(st.integers(1, len(rows))))
    edges = sorted({0, len(rows), *cuts})
    whole, expected = in_one_go(b"".join(rows))

    progress = Progress()
    events: list[Event] = []
    for begin, end in pairwise(edges):
        life = life_of(OLDER, progress)
        ticket, some = take(assembly(), life, b"".join(rows[begin:end]))
        events += some
        progress = ticket.progress

    assert events == expected
    assert progress.snapshot == whole.progress.snapshot


@given(logs(), st.data())
def test_chunks_change_nothing(rows: list[bytes], data: st.DataObject) -> None:
    """A process that goes on reading gives the same bytes however much it gets."""
    life, made_by = life_of(OLDER, Progress()), assembly()
    _, expected = in_one_go(b"".join(rows))

    events: list[Event] = []
    pending = b""
    for row in rows:
        pending += row
        if data.draw(st.booleans()):
            events += take(made_by, life, pending)[1]
            pending = b""
    if pending:
        events += take(made_by, life, pending)[1]

    assert events == expected


@given(logs())
def test_a_snapshot_is_the_whole_memory(rows: list[bytes]) -> None:
    """What is remembered comes back as it was."""
    ticket, _ = in_one_go(b"".join(rows))
    snapshot = ticket.progress.snapshot

    assert Trail.decode(snapshot).encode() == snapshot


def test_ticket() -> None:
    """A ticket counts documents and records and tells where reading goes on."""
    log = CALM + lines(triple(OFFERS), 0) + line(GLUED, HOUR)
    ticket, events = in_one_go(log)

    assert (ticket.source, ticket.generation) == (SOURCE, OLDER)
    assert (ticket.records, ticket.events, len(events)) == (7, 9, 9)
    assert ticket.progress.offset == len(log)
    assert sum(event.size for event in events) == len(log)


def test_agents_outlive_a_rotation() -> None:
    """The next generation goes on with the agents' states and open incidents."""
    made_by = assembly()
    ticket, _ = take(
        made_by,
        life_of(OLDER, Progress()),
        CALM + lines(triple(OFFERS), 0) + line(failed(SOFTWARE), HOUR),
    )
    heir = life_of(NEWER, Progress(snapshot=ticket.progress.snapshot))
    _, events = take(
        made_by,
        heir,
        line(echo(SOFTWARE), HOUR + 1) + lines(triple(OFFERS), 23 * HOUR),
    )
    states = [one.document for one in events if one.stream is Stream.STATE]

    assert b'"seq":2,"root_code":"1314"' in events[0].document
    assert len(states) == 1
    assert b'"cycles":2,"cycle_opened":true' in states[0]


def test_places_do_not_outlive_a_rotation() -> None:
    """Lines of two files are not adjacent, and a time is no neighbour of another's."""
    made_by = assembly()
    ticket, _ = take(
        made_by,
        life_of(OLDER, Progress()),
        CALM + line(verifying(HARDWARE), 0, None) + line(failed(OFFERS), 0, None),
    )
    heir = life_of(NEWER, Progress(snapshot=ticket.progress.snapshot))
    log = line(echo(OFFERS), 0, None) + line("Sleeping", -57)
    _, events = take(made_by, heir, log)

    assert b'"seq":1' in events[0].document
    assert b'"@timestamp":"2003-02-12T05:59:03.000Z"' in events[0].document


def test_place_and_time_of_reading_leave_no_trace() -> None:
    """Neither folder nor clock of the collector shows in a document."""
    log = b"".join(
        [
            CALM,
            lines([*attempt(OFFERS), *triple(OFFERS)], 0),
            line("plain", 0, None),
            line(GLUED, 23 * HOUR),
        ]
    )
    elsewhere = replace(SOURCE, directory="//relay/fleet/pc0417")
    later = assembly(StillClock(READ_MS + 86_400_000))

    _, events = take(later, life_of(OLDER, Progress()), log, elsewhere)

    assert events == in_one_go(log)[1]


def test_the_machines_zone_is_for_its_own_logs() -> None:
    """A host somebody named has its own zone, the default, or none; never ours."""
    settings = Settings(
        input=InputSettings(timezone="Europe/Paris"),
        host_timezones={"PC04*": "Asia/Tokyo", "*.Corp.Example": "Asia/Seoul"},
    )
    named = replace(SOURCE, host="srv1")
    other = replace(named, domain="", explicit_host=False)

    assert zones_of(SOURCE, settings, "UTC") == Zones(
        host_zone="Asia/Tokyo", default_zone="Europe/Paris"
    )
    assert zones_of(named, settings, "UTC") == Zones(
        host_zone="Asia/Seoul", default_zone="Europe/Paris"
    )
    assert zones_of(other, Settings(), "UTC") == Zones(machine_zone="UTC")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (Settings(input=InputSettings(timezone="Mars/Olympus")), "input.timezone"),
        (Settings(input=InputSettings(code_page="cp0")), "input.code_page"),
        (
            Settings(host_timezones={"pc*": "Mars/Olympus"}),
            'host_timezones."pc*"',
        ),
    ],
)
def test_unknown_names_are_refused_at_once(settings: Settings, key: str) -> None:
    """Zones and code pages nobody knows are refused by the name of their setting."""
    with pytest.raises(ConfigError) as refused:
        Assembly(settings, StillClock())

    assert key in refused.value.message
    assert refused.value.remedy


def test_namespace() -> None:
    """All documents name the data stream's namespace."""
    settings = Settings(
        input=InputSettings(timezone="UTC"), output=OutputSettings(namespace="archive")
    )
    made_by = Assembly(settings, StillClock())
    _, events = take(
        made_by, life_of(OLDER, Progress()), CALM + lines(triple(OFFERS), 0)
    )

    assert len(events) == 6
    assert all(b'"namespace":"archive"' in event.document for event in events)
