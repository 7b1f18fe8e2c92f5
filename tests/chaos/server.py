# SPDX-License-Identifier: Apache-2.0
"""A real Elasticsearch on one port and one folder, killed or stopped, and restarted."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from random import Random

from elasticsearch import ApiError, Elasticsearch, TransportError

from shipper.stack.embedded import EmbeddedServer
from shipper.stack.embedded.running import RunningServer
from tests.chaos.plan import Ground, Plan
from tests.chaos.running import Running

STREAMS = ("logs-sms.clisvc-chaos", "logs-sms.state-chaos")

_FIRST_S = (12.0, 18.0)
_UP_S = (20.0, 30.0)
_DOWN_S = (0.0, 5.0)
_ROLL_S = (20.0, 40.0)
_KILL_SHARE = 0.8


class Server:
    """The server, and who troubles it.

    Args:
        plan: of the run.
        ground: folder of the run.
        running: is told when the server answers.
        chance: decides what happens when.

    Attributes:
        kills: monotonic seconds of every kill.
        stops: the same of every polite stop.
        rollovers: how many data streams were rolled over.
        port: where it answers.
        trouble: why it could not be started again, or ``None``.
    """

    def __init__(
        self, plan: Plan, ground: Ground, running: Running, chance: Random
    ) -> None:
        self.kills: list[float] = []
        self.stops: list[float] = []
        self.rollovers = 0
        self.port = _free_port()
        self.trouble: Exception | None = None
        self._plan = plan
        self._home = ground.home
        self._running = running
        self._chance = chance
        self._calm = threading.Event()
        self._embedded: EmbeddedServer | None = None
        self._present: RunningServer | None = None
        self._threads = [threading.Thread(target=self._trouble, name="server")]
        if plan.rollovers:
            self._threads.append(threading.Thread(target=self._roll, name="rollovers"))

    @property
    def url(self) -> str:
        """Its address, also while it is away."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._embedded = EmbeddedServer(
            home=self._home, port=self.port, heap_mb=self._plan.heap_mb
        )
        self._present = self._embedded.__enter__()
        self._running.note("server", up=True)

    def trouble_it(self) -> None:
        """Begin to kill and stop it now and then."""
        for thread in self._threads:
            thread.start()

    def halt(self) -> None:
        """Trouble it no more; whoever does has ended when this returns."""
        self._calm.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def calm(self) -> None:
        """Let it be; when this returns it is up."""
        self.halt()
        if self.trouble is not None:
            raise self.trouble

    def stop(self) -> None:
        """Stop it politely, if it runs."""
        self._running.note("server", up=False)
        if self._embedded is not None:
            self._embedded.__exit__(None, None, None)
        self._embedded = self._present = None

    def kill(self) -> None:
        """Kill it with signal 9, with everything of it."""
        self._running.note("server", up=False)
        if self._present is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._present.process.pid, signal.SIGKILL)
        self.stop()

    def _trouble(self) -> None:
        try:
            wait = self._chance.uniform(*_FIRST_S)
            while not self._calm.wait(wait):
                if self._chance.random() < _KILL_SHARE:
                    self.kills.append(time.monotonic())
                    self.kill()
                else:
                    self.stops.append(time.monotonic())
                    self.stop()
                self._calm.wait(self._chance.uniform(*_DOWN_S))
                self.start()
                wait = self._chance.uniform(*_UP_S)
        except Exception as problem:  # noqa: BLE001  told by calm()
            self.trouble = problem

    def _roll(self) -> None:
        with Elasticsearch(self.url, max_retries=0) as client:
            while not self._calm.wait(self._chance.uniform(*_ROLL_S)):
                for stream in STREAMS:
                    # It is away, or nothing was written to the stream yet.
                    with suppress(ApiError, TransportError):
                        client.indices.rollover(alias=stream)
                        self.rollovers += 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
