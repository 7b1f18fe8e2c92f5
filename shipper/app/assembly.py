# SPDX-License-Identifier: Apache-2.0
"""From a reading to events: parse and enrich, with the state that goes along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

import tzlocal

from shipper.clock import Clock
from shipper.config import Settings
from shipper.enrich import Enricher, Senses, Trail
from shipper.errors import ConfigError
from shipper.knowledge import catalogue
from shipper.parse import (
    Neighbour,
    Parser,
    UnknownCodePageError,
    UnknownZoneError,
    Zones,
)
from shipper.records import Chunk, Event, Source, Ticket
from shipper.tail import Life, Reading


class Assembly:
    """Turns readings into tickets and events; shares the caches among all sources.

    Args:
        settings: all settings.
        clock: time, for records that have none.

    Raises:
        ConfigError: a time zone or the code page does not exist, or the user's
            signatures cannot be used.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._machine_zone = tzlocal.get_localzone_name()
        self._senses = Senses(catalogue(settings.knowledge.signatures))
        self._parsers: dict[tuple[str | None, str | None], Parser] = {}
        _check(settings)

    def make(
        self, source: Source, reading: Reading
    ) -> Iterator[tuple[Ticket, list[Event]]]:
        """Yield a ticket and the events of each chunk; advance the life behind it.

        What is left of the last chunk has to be read again with what follows, and is
        not in any ticket.
        """
        life = reading.life
        parser = self._parser(source)
        enricher = self._enricher(source, life)
        trail = enricher.trail
        for chunk in _whole(reading.chunks):
            final = reading.final and chunk.end == reading.chunks[-1].end
            neighbour = None
            if trail.neighbour_ms is not None:
                neighbour = Neighbour(
                    epoch_ms=trail.neighbour_ms, timezone=trail.neighbour_zone
                )
            parsed = parser.parse(chunk, neighbour, self._clock.wall_ms(), final=final)
            if parsed.neighbour is not None:
                trail.neighbour_ms = parsed.neighbour.epoch_ms
                trail.neighbour_zone = parsed.neighbour.timezone
            events = enricher.enrich(parsed.records)
            start = life.position
            ticket = Ticket(
                source=source,
                generation=life.generation,
                start=start,
                progress=life.advance(chunk, parsed.end, trail.encode()),
                events=len(events),
                records=len(parsed.records),
                since=life.sent_since(chunk.start),
            )
            if parsed.end > start:
                yield ticket, events

    def _enricher(self, source: Source, life: Life) -> Enricher:
        if not isinstance(life.carry, Enricher):
            trail = Trail.decode(life.progress.snapshot)
            if life.position == 0:
                trail = trail.inherit()
            life.carry = Enricher(
                source,
                life.generation,
                self._settings.output.namespace,
                trail,
                self._senses,
            )
        return life.carry

    def _parser(self, source: Source) -> Parser:
        zones = zones_of(source, self._settings, self._machine_zone)
        name = (zones.host_zone, zones.machine_zone)
        parser = self._parsers.get(name)
        if parser is None:
            reading = self._settings.input
            parser = Parser(
                zones, reading.code_page, max_record_bytes=reading.max_line_bytes
            )
            self._parsers[name] = parser
        return parser


def _whole(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield chunks that follow each other without a gap as one.

    Lines the tailer sets apart may belong to one record, which is then parsed once.
    """
    run: list[Chunk] = []
    for chunk in chunks:
        if chunk.gapless:
            run.append(chunk)
        else:
            yield chunk.behind(run)
            run = []
    if run:
        yield run.pop().behind(run)


def zones_of(source: Source, settings: Settings, machine_zone: str) -> Zones:
    """Return what is known about the time zone of a source's records.

    The machine's own zone counts only for its own logs: those whose host nobody named.
    """
    short = source.host
    full = f"{short}.{source.domain}" if source.domain else short
    host_zone = next(
        (
            zone
            for pattern, zone in settings.host_timezones.items()
            if fnmatch(short, pattern.lower()) or fnmatch(full, pattern.lower())
        ),
        None,
    )
    return Zones(
        host_zone=host_zone,
        default_zone=settings.input.timezone or None,
        machine_zone=None if source.explicit_host else machine_zone,
        aliases=settings.zones,
        bias_sign=settings.input.bias_sign,
    )


def _check(settings: Settings) -> None:
    """Refuse zones and code pages nobody knows before anything is read."""
    timezone = settings.input.timezone or None
    try:
        Parser(
            Zones(default_zone=timezone, aliases=settings.zones),
            settings.input.code_page,
        )
    except UnknownZoneError as error:
        named = "input.timezone" if error.setting == "default_zone" else error.setting
        raise _refused(named, error) from error
    except UnknownCodePageError as error:
        raise _refused("input.code_page", error) from error
    for pattern, zone in settings.host_timezones.items():
        try:
            Zones(host_zone=zone)
        except UnknownZoneError as error:
            raise _refused(f'host_timezones."{pattern}"', error) from error


def _refused(key: str, error: UnknownZoneError | UnknownCodePageError) -> ConfigError:
    message = error.message.partition(": ")[2] or error.message
    return ConfigError(key, message.rstrip("."), remedy=error.remedy)
