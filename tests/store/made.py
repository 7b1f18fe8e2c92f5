# SPDX-License-Identifier: Apache-2.0
"""Sources, tickets and sightings for tests."""

from __future__ import annotations

from shipper.records import (
    Event,
    Generation,
    Observation,
    Progress,
    Source,
    Stream,
    Ticket,
)
from shipper.store import Sighting


def source(host: str = "pc0417") -> Source:
    """Return a source."""
    return Source(
        host=host, log="clisvc", directory="/logs", path=f"/logs/{host}/Clisvc.log"
    )


def generation(name: str = "g0", *, ordinal: int = 0, life: int = 0) -> Generation:
    """Return a generation."""
    return Generation(gen_id=name, ordinal=ordinal, life=life)


def ticket(
    offset: int,
    *,
    events: int = 1,
    records: int | None = None,
    of: Source | None = None,
    life: Generation | None = None,
) -> Ticket:
    """Return a chunk's entry that ends at ``offset``."""
    return Ticket(
        source=of or source(),
        generation=life or generation(),
        progress=Progress(offset=offset, anchor=b"a", snapshot=b"s%d" % offset),
        events=events,
        records=events if records is None else records,
    )


def sighting(
    *,
    of: Source | None = None,
    life: Generation | None = None,
    observation: Observation | None = None,
) -> Sighting:
    """Return what a visit found."""
    return Sighting(
        source=of or source(),
        generation=life or generation(),
        origin=Progress(),
        observation=observation or Observation(path="/logs/Clisvc.log"),
    )


def event(name: str = "e0", *, padding: int = 0, size: int = 10) -> Event:
    """Return a document of 33 bytes and ``padding``."""
    text = b"x" * padding
    return Event(
        id=name,
        stream=Stream.CLISVC,
        document=b'{"event":{"kind":"event"},"m":"%s"}' % text,
        size=size,
    )
