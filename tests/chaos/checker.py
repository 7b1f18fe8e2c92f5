# SPDX-License-Identifier: Apache-2.0
"""Compares what was written with what is indexed, record by record."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from elasticsearch import Elasticsearch
from msgspec import Struct, field

from tests.chaos.journal import Generation, Truth
from tests.chaos.lines import Key, key_of, line
from tests.chaos.server import STREAMS
from tests.live.commands import hits

_EXAMPLES = 20
_MANY = 255


class Events(Struct, frozen=True, kw_only=True):
    """What was done to the processes, as monotonic seconds.

    Attributes:
        shipper_kills: when the shipper was killed.
        server_kills: when Elasticsearch was killed.
        server_stops: when it was asked to stop.
    """

    shipper_kills: list[float] = field(default_factory=list)
    server_kills: list[float] = field(default_factory=list)
    server_stops: list[float] = field(default_factory=list)

    def between(self, begin: float, end: float) -> str:
        """Say what happened in a stretch of time."""
        kinds = {
            "shipper killed": self.shipper_kills,
            "server killed": self.server_kills,
            "server stopped": self.server_stops,
        }
        counts = {
            name: sum(begin <= at <= end for at in moments)
            for name, moments in kinds.items()
        }
        return ", ".join(f"{name} {count}x" for name, count in counts.items() if count)


class Findings(Struct, frozen=True, kw_only=True):
    """What the checker found.

    Attributes:
        records: that were completed.
        lost: of them, not indexed.
        doubled: documents beside the first of each record.
        foreign: documents that are no record as it was written, whole.
        states: state documents.
        states_doubled: of them, beside the first of each id.
        lost_by: lost records by how their generation ended.
        doubled_by: doubled documents by what makes them different.
        examples: some of what is wrong, with what happened at that time.
        lost_bytes: by host.
    """

    records: int
    lost: int = 0
    doubled: int = 0
    foreign: int = 0
    states: int = 0
    states_doubled: int = 0
    lost_by: dict[str, int] = field(default_factory=dict)
    doubled_by: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    lost_bytes: dict[str, int] = field(default_factory=dict)


def compare(truth: Truth, originals: Iterable[str], events: Events) -> Findings:
    """Count every record of the truth among the texts that are indexed.

    Args:
        truth: what was written.
        originals: text of every record document.
        events: what happened meanwhile.
    """
    owners = {host: _owners(lives) for host, lives in truth.items()}
    counts = {host: bytearray(len(owner)) for host, owner in owners.items()}
    foreign = 0
    examples: list[str] = []
    for original in originals:
        key = key_of(original)
        if key is None or not _known(key, owners):
            foreign += 1
            if len(examples) < _EXAMPLES:
                examples.append(f"no record of ours: {original!r}")
            continue
        seen = counts[key.host]
        seen[key.number] = min(_MANY, seen[key.number] + 1)
    lost_by: Counter[str] = Counter()
    lost_bytes: Counter[str] = Counter()
    for host, first, last in _gaps(counts):
        for number, group in groupby(
            range(first, last + 1), key=owners[host].__getitem__
        ):
            numbers = list(group)
            life = truth[host][number]
            lost_by[life.ended or "active"] += len(numbers)
            lost_bytes[host] += _size(host, number, life, numbers[0], numbers[-1])
            if len(examples) < _EXAMPLES:
                examples.append(_lost(host, number, life, numbers, events))
    return Findings(
        records=sum(map(len, owners.values())),
        lost=lost_by.total(),
        doubled=sum(n - 1 for seen in counts.values() for n in seen if n > 1),
        foreign=foreign,
        lost_by=dict(lost_by),
        lost_bytes=dict(lost_bytes),
        examples=examples,
    )


def doubles(client: Elasticsearch) -> tuple[dict[str, int], list[str]]:
    """Return how doubled records differ from their first, and some of them."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for hit in hits(client, STREAMS[0], source=["event.original"]):
        original = hit["_source"]["event"]["original"]
        found[original].append((hit["_index"], hit["_id"]))
    many = {text: copies for text, copies in found.items() if len(copies) > 1}
    kinds: Counter[str] = Counter()
    for copies in many.values():
        same = len({name for _, name in copies}) == 1
        kind = "same id after a rollover" if same else "another id"
        kinds[kind] += len(copies) - 1
    examples = [f"doubled: {text!r}: {copies}" for text, copies in many.items()]
    return dict(kinds), examples[:_EXAMPLES]


def states(client: Elasticsearch) -> tuple[int, int, list[str]]:
    """Return how many state documents there are, ids too many, and some of those."""
    if not client.indices.exists(index=STREAMS[1]):
        return 0, 0, []
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for hit in hits(client, STREAMS[1], source=["event.ingested"]):
        ingested = hit["_source"].get("event", {}).get("ingested", "")
        found[hit["_id"]].append((hit["_index"], ingested))
    many = {name: copies for name, copies in found.items() if len(copies) > 1}
    total = sum(map(len, found.values()))
    examples = [f"state doubled: {name}: {copies}" for name, copies in many.items()]
    return total, total - len(found), examples[:_EXAMPLES]


def _owners(lives: list[Generation]) -> array[int]:
    """Return the generation of each record, by its number."""
    owner = array("I")
    for number, life in enumerate(lives):
        for part in life.written:
            owner.extend([number] * (part.last - part.first + 1))
    return owner


def _known(key: Key, owners: dict[str, array[int]]) -> bool:
    owner = owners.get(key.host)
    return (
        owner is not None
        and key.number < len(owner)
        and owner[key.number] == key.generation
    )


def _gaps(counts: dict[str, bytearray]) -> Iterator[tuple[str, int, int]]:
    """Yield host, first and last number of each run of lost records."""
    for host, seen in sorted(counts.items()):
        begin = seen.find(0)
        while begin >= 0:
            end = next((n for n in range(begin, len(seen)) if seen[n]), len(seen))
            yield host, begin, end - 1
            begin = seen.find(0, end)


def _size(host: str, generation: int, life: Generation, first: int, last: int) -> int:
    """Return the bytes of some records of a generation.

    Line ends count with the mean of what was written at once, which is exact where no
    line was written in halves.
    """
    size = 0.0
    for part in life.written:
        every = range(part.first, part.last + 1)
        texts = [
            len(line(Key(host=host, generation=generation, number=number), 0, b""))
            for number in every
        ]
        end = (part.size - sum(texts)) / len(texts)
        size += sum(
            text + end
            for number, text in zip(every, texts, strict=True)
            if first <= number <= last
        )
    return round(size)


def _lost(
    host: str, number: int, life: Generation, numbers: list[int], events: Events
) -> str:
    begin = next(part.at for part in life.written if part.last >= numbers[0])
    end = life.gone_at or life.ended_at or begin
    return (
        f"lost: {host} generation {number} ({life.ended or 'active'}), records"
        f" {numbers[0]}-{numbers[-1]}; written {begin:.1f}, ended {life.ended_at:.1f},"
        f" gone {life.gone_at}; meanwhile {events.between(begin, end) or 'nothing'}"
    )
