# SPDX-License-Identifier: Apache-2.0
"""The log of one host: its records in time, and what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from random import Random

from msgspec import Struct

from shipper.demo.fleet import wording
from shipper.demo.fleet.dice import dice
from shipper.demo.fleet.roster import Host
from shipper.demo.fleet.stamp import HOUR_MS, MINUTE_MS, SECOND_MS, to_utc
from shipper.demo.fleet.truth import AgentTruth, Tally, Truth, worst
from shipper.demo.fleet.wording import AGENTS, APPLICATIONS, Application

#: The client's maintenance cycle (Q237543, Q246331, Q320235).
CADENCE_MS = 23 * HOUR_MS
#: A launch list is done well within this time.
_LIST_MS = 2 * MINUTE_MS
_DAMAGED_SHARE = 0.05
_LOCAL_SHARE = 0.08
_TRIPLE = 3


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    r"""One physical line.

    Attributes:
        ms: when it is written, in milliseconds since 1970, UTC.
        line: the bytes, with ``\r\n``.
        documents: records in it; more than one if they are glued.
    """

    ms: int
    line: bytes
    documents: int = 1

    @property
    def time(self) -> datetime:
        """When it is written, in UTC."""
        return to_utc(self.ms)


class Log(Struct, frozen=True, kw_only=True):
    """Everything one host writes.

    Attributes:
        host: whose log it is.
        entries: its lines, by time.
        truth: what a reader has to find.
    """

    host: Host
    entries: tuple[Entry, ...]
    truth: Truth


class _Life(Struct, frozen=True, kw_only=True):
    """From one start of the client service to the next; instants in milliseconds."""

    start: int
    stop: int
    restarted: bool
    lists: tuple[int, ...]


def plan_log(host: Host, seed: int, start_ms: int, end_ms: int) -> Log:
    """Plan all records of one host.

    Args:
        host: the machine and its troubles.
        seed: decides everything else.
        start_ms: first instant of the story, in milliseconds since 1970.
        end_ms: its last; no record is later.
    """
    chance = dice(seed, host.name, "log")
    scribe = _Scribe(host, chance)
    lives = _lives(host, chance, start_ms, end_ms)
    last_list = max((at for life in lives for at in life.lists), default=end_ms)
    for life in lives:
        scribe.live(life, last_list)
    entries = tuple(sorted(scribe.entries, key=lambda entry: entry.ms))
    truth = Truth(
        lines=tuple(entry.line for entry in entries),
        documents=sum(entry.documents for entry in entries),
        agents=scribe.agents(),
    )
    return Log(host=host, entries=entries, truth=truth)


def _lives(host: Host, chance: Random, start_ms: int, end_ms: int) -> list[_Life]:
    edges = (start_ms, *host.restarts_ms, end_ms)
    lives = []
    for start, stop in pairwise(edges):
        restarted = start != start_ms
        wait = 5 * SECOND_MS if restarted else 20 * HOUR_MS
        at = start + chance.randrange(wait)
        lists = []
        while at < stop - _LIST_MS:
            lists.append(at)
            at += CADENCE_MS + chance.randrange(-3 * MINUTE_MS, 3 * MINUTE_MS)
        lives.append(
            _Life(start=start, stop=stop, restarted=restarted, lists=tuple(lists))
        )
    return lives


class _Scribe:
    """Writes down a host's lives, one after the other."""

    def __init__(self, host: Host, chance: Random) -> None:
        self.entries: list[Entry] = []
        self._host = host
        self._chance = chance
        self._tallies = {app: Tally() for app in APPLICATIONS}

    def agents(self) -> dict[str, AgentTruth]:
        """Return what became of the agents."""
        return {
            agent: worst(
                [
                    tally.sum
                    for app, tally in self._tallies.items()
                    if app.agent == agent
                ]
            )
            for agent in AGENTS
        }

    def live(self, life: _Life, last_list: int) -> None:
        """Write one life; trouble that gets mended is over at ``last_list``."""
        launcher, watcher = self._thread(), self._thread()
        if life.restarted:
            stopped = life.start - self._chance.randrange(2, 15) * SECOND_MS
            self._write(stopped, wording.SERVICE_STOPPING, watcher)
            self._write(life.start, wording.SERVICE_STARTED, launcher)
        for at in life.lists:
            self._launch_all(at, launcher, mended=at >= last_list)
        for at in self._hours(life):
            self._write_routine(at, watcher)

    def _hours(self, life: _Life) -> Iterator[int]:
        at = life.start + self._chance.randrange(MINUTE_MS, HOUR_MS)
        while at < life.stop - MINUTE_MS:
            yield at
            yield at + self._chance.randrange(5 * SECOND_MS)
            at += HOUR_MS + self._chance.randrange(-15 * MINUTE_MS, 15 * MINUTE_MS)

    def _launch_all(self, at: int, thread: int, *, mended: bool) -> None:
        for app in APPLICATIONS:
            at += self._chance.randrange(40, 900)
            for text in wording.attempt(app):
                self._write(at, text, thread)
                at += self._chance.randrange(60)
            code = self._refused(app, at, mended=mended)
            if code is None:
                for text in wording.success(app):
                    self._write(at, text, thread)
                self._tallies[app].succeed()
                at += self._chance.randrange(200, 4 * SECOND_MS)
            else:
                at += self._chance.randrange(30, 90)
                self._tallies[app].refuse(self._host.dial.read_back(at), code)
                at = self._refuse(app, code, at, thread)

    def _refused(self, app: Application, at: int, *, mended: bool) -> int | None:
        trouble = self._host.trouble
        if trouble is None or app not in trouble.applications or at < trouble.since_ms:
            return None
        return None if trouble.mended and mended else trouble.code

    def _refuse(self, app: Application, code: int, at: int, thread: int) -> int:
        """Write a refusal's records and return when the last of them was written."""
        if self._host.trouble and self._host.trouble.glued:
            self._write(at, f"{wording.glued(app, code)}~", thread, documents=_TRIPLE)
            return at
        for text in wording.refusal(app, code):
            self._write(at, text, thread)
            at += self._chance.randrange(61)
        return at

    def _write_routine(self, at: int, thread: int) -> None:
        local = self._host.local_text and self._chance.random() < _LOCAL_SHARE
        damaged = self._host.damaged and self._chance.random() < _DAMAGED_SHARE
        text = wording.routine(self._chance, local=local)
        self._write(at, text, thread, damaged=damaged)

    def _write(
        self,
        at: int,
        text: str,
        thread: int,
        *,
        documents: int = 1,
        damaged: bool = False,
    ) -> None:
        whole = wording.line(text, self._host.dial.show(at), thread)
        if damaged:
            whole = wording.damage(whole, self._chance)
        raw = whole.encode("cp1252") + b"\r\n"
        self.entries.append(Entry(ms=at, line=raw, documents=documents))

    def _thread(self) -> int:
        base = 0xFFFD_0000 if self._host.windows_9x else 0
        return base + 4 * self._chance.randrange(12, 1000)
