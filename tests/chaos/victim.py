# SPDX-License-Identifier: Apache-2.0
"""The shipper, as a real process that is killed with signal 9 again and again."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from math import inf
from pathlib import Path
from random import Random

from tests.chaos.plan import Ground
from tests.chaos.running import Running
from tests.live.commands import COMMAND, environment

_POLL_S = 0.05
_EARLY_SHARE = 0.25
_EARLY_S = (0.3, 3.0)  # after it was started, whatever it does by then
_LATER_S = (1.0, 6.5)  # after it began to tail
_STOP_S = 60.0
_TAILS = b'"event": "tailing"'


class Victim:
    """Starts the shipper, kills it, and starts it again.

    Args:
        ground: folder of the run.
        url: of the server, or of what stands before it.
        running: is told when the shipper tails.
        chance: decides when it is killed.

    Attributes:
        kills: monotonic seconds of every kill.
        failures: what it ended with when nobody had killed it.
    """

    def __init__(
        self, ground: Ground, url: str, running: Running, chance: Random
    ) -> None:
        self.kills: list[float] = []
        self.failures: list[str] = []
        self._ground = ground
        self._words = (
            *(*COMMAND, "run", str(ground.logs / "{host}" / "Clisvc.log")),
            *("--elasticsearch-url", url, "--namespace", "chaos"),
            *("--state", str(ground.state), "--config", str(ground.config)),
        )
        self._running = running
        self._chance = chance
        self._calm = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="victim")

    def start(self, *, calm: bool = False) -> None:
        """Begin.

        Args:
            calm: never kill it.
        """
        if calm:
            self._calm.set()
        self._thread.start()

    def calm(self) -> None:
        """Kill it no more; it goes on running."""
        self._calm.set()

    def stop(self) -> None:
        """End it politely, for good."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            begin = self._ground.said.stat().st_size
            with self._ground.said.open("ab") as said:
                process = subprocess.Popen(
                    self._words,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    env=environment(),
                    start_new_session=True,  # Ctrl-C is for us; we end it in order
                )
            try:
                self._accompany(process, begin)
            finally:
                self._running.note("shipper", up=False)
                self._put_down(process)

    def _accompany(self, process: subprocess.Popen[bytes], begin: int) -> None:
        """Wait until it has to go, or goes; say meanwhile when it tails."""
        tails = False
        early = self._chance.random() < _EARLY_SHARE
        moment = time.monotonic() + self._chance.uniform(*_EARLY_S) if early else inf
        while not self._end.wait(_POLL_S):
            code = process.poll()
            if code is not None:
                self.failures.append(f"exit code {code}")
                self._end.wait(1.0)
                return
            if not tails and _TAILS in _since(self._ground.said, begin):
                tails = True
                self._running.note("shipper", up=True)
                later = time.monotonic() + self._chance.uniform(*_LATER_S)
                moment = min(moment, later)
            if not self._calm.is_set() and time.monotonic() >= moment:
                self._running.note("shipper", up=False)
                self.kills.append(time.monotonic())
                process.kill()
                return

    def _put_down(self, process: subprocess.Popen[bytes]) -> None:
        if self._end.is_set() and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.failures.append(f"did not stop within {_STOP_S:.0f} s")
                process.kill()
            else:
                if code not in (0, -signal.SIGTERM):
                    self.failures.append(f"exit code {code} when asked to stop")
        process.wait()


def _since(path: Path, begin: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read()
