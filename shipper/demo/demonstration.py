# SPDX-License-Identifier: Apache-2.0
"""The demonstration: write a fleet, tail it live, prove that the index is exact."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.app import Engine, Tailer
from shipper.clock import Clock, SystemClock
from shipper.config import (
    ElasticsearchSettings,
    InputSettings,
    OutputSettings,
    Settings,
)
from shipper.deliver import ElasticSink, connect
from shipper.demo.findings import Findings, findings
from shipper.demo.fleet import OLDER_NAME, Action, Fleet, Writer
from shipper.demo.proof import Proof, prove
from shipper.errors import ShipperError
from shipper.stack import ensure
from shipper.store import StateFolder
from shipper.tail import Discovery, HostList, Pattern

_LIVE_S = 12.0
_PATIENCE_S = 120.0
_STEPS_AT_ONCE = 25


class Result(Struct, frozen=True, kw_only=True):
    """What a demonstration showed.

    Attributes:
        proof: how the index compares with what was written.
        findings: what an analyst wants to know.
        rotations: logs that were rotated while it ran.
        seconds: from the first line written to the last one acknowledged.
    """

    proof: Proof
    findings: Findings
    rotations: int
    seconds: float


class Demonstration:
    """Runs the shipper over a fleet that writes.

    Args:
        url: an Elasticsearch without security.
        folder: an empty folder for logs and state.
        seed: of the fleet.
        hosts: machines in the fleet.
        namespace: of the data streams; must hold nothing yet.
        report: is told each step, in words for people.
        live_s: seconds the live part is stretched to.
        clock: time.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        seed: int = 2003,
        hosts: int = 48,
        namespace: str = "demo",
        report: Callable[[str], None] = lambda _step: None,
        live_s: float = _LIVE_S,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        now = datetime.fromtimestamp(self._clock.wall_ms() // 1000, UTC)
        self._fleet = Fleet.plan(seed, end=now, hosts=hosts)
        self._root = folder / "fleet"
        self._state = folder / "state"
        self._namespace = namespace
        self._report = report
        self._live_s = live_s
        self._settings = self._make_settings(url)
        self._files: Counter[str] = Counter()
        self._tailer: Tailer | None = None

    def run(self) -> Result:
        """Write, tail, prove.

        Raises:
            ShipperError: something failed, or not all was delivered in time.
        """
        settings = self._settings
        client = connect(settings.elasticsearch)
        try:
            ensure(client, namespace=self._namespace, settings=settings.setup)
            begun = self._clock.monotonic()
            rotations = self._tail(client)
            seconds = self._clock.monotonic() - begun
            self._report("asking Elasticsearch for every document")
            return Result(
                proof=prove(client, self._fleet, self._namespace),
                findings=findings(client, self._namespace),
                rotations=rotations,
                seconds=seconds,
            )
        finally:
            client.close()

    def _tail(self, client: Elasticsearch) -> int:
        writer = Writer(self._fleet, self._root, self._may_rotate)
        writer.write_history()
        for log in self._fleet.logs:
            older = self._root / log.host.name / OLDER_NAME
            self._files[log.host.name] = 2 if older.exists() else 1
        pattern = Pattern(self._settings.input.paths[0], HostList())
        discovery = Discovery((pattern,), "demo", explicit=True)
        sink = ElasticSink(
            client,
            namespace=self._namespace,
            url=self._settings.elasticsearch.url,
            clock=self._clock,
        )
        with (
            StateFolder(self._state) as state,
            Engine(self._settings, sink, state, closing=False) as engine,
        ):
            stop = threading.Event()
            self._tailer = Tailer(engine, discovery, stop)
            loop = _Loop(self._tailer)
            loop.start()
            try:
                self._report(
                    f"tailing {len(self._fleet.logs)} hosts,"
                    f" {self._fleet.documents:,} records"
                )
                rotations = self._write(writer, loop)
                self._wait(engine, loop)
            finally:
                stop.set()
                loop.join()
        return rotations

    def _write(self, writer: Writer, loop: _Loop) -> int:
        """Write the live part, paced; return how often a log was rotated."""
        self._report(
            f"writing the last {writer.live_lines:,} lines live, with rotations"
        )
        pause = self._live_s / max(1, writer.live_lines / _STEPS_AT_ONCE)
        waiting = threading.Event()
        rotations = 0
        for number, step in enumerate(writer.live()):
            if step.action in {Action.RENAMED, Action.COPIED}:
                rotations += 1
                self._files[step.host] += 1
            if number % _STEPS_AT_ONCE == 0:
                loop.check()
                waiting.wait(pause)
        return rotations

    def _wait(self, engine: Engine, loop: _Loop) -> None:
        """Wait until every record written has been acknowledged."""
        deadline = self._clock.monotonic() + _PATIENCE_S
        waiting = threading.Event()
        while engine.progress().counts.records < self._fleet.documents:
            loop.check()
            waiting.wait(0.05)
            if self._clock.monotonic() > deadline:
                found = engine.progress()
                raise ShipperError(
                    f"Only {found.counts.records:,} of {self._fleet.documents:,}"
                    f" records arrived in {_PATIENCE_S:.0f} s. {found.waiting_for}"
                )

    def _may_rotate(self, host: str) -> bool:
        """Let an older half be overwritten only when it has been read."""
        tailer = self._tailer
        return tailer is not None and tailer.has_read(host, self._files[host])

    def _make_settings(self, url: str) -> Settings:
        return msgspec.structs.replace(
            Settings(),
            elasticsearch=ElasticsearchSettings(url=url),
            input=InputSettings(
                paths=(str(self._root / "{host}" / "Clisvc.log"),),
                timezone=self._fleet.default_timezone,
                sweep_min=0.2,
                sweep_max=1.0,
                rotation_wait=0.4,
            ),
            output=OutputSettings(namespace=self._namespace),
        )


class _Loop(threading.Thread):
    """Tails beside the writer and keeps what went wrong."""

    def __init__(self, tailer: Tailer) -> None:
        super().__init__(name="demo-tailer", daemon=True)
        self._tailer = tailer
        self._trouble: BaseException | None = None

    def run(self) -> None:
        try:
            self._tailer.run()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            self._trouble = error

    def check(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._trouble is not None:
            raise self._trouble
