# SPDX-License-Identifier: Apache-2.0
"""``clisvc run`` as a real process: killed, stopped, restarted, with rotations."""

import random
import secrets
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import (
    acked,
    clisvc,
    count,
    holds,
    lines,
    originals,
    running,
    status,
    texts,
    until,
)

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_KILLS = 20
_THIRD = 66_667
_BURST = 500
_SETTINGS = """\
[input]
sweep_min = 0.2
sweep_max = 0.5
rotation_wait = 0.3
scan_interval = 0.5
"""

Command = tuple[object, ...]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return where the log is, in a folder of its own."""
    path = tmp_path / "logs" / "Clisvc.log"
    path.parent.mkdir()
    return path


@pytest.fixture
def command(
    elasticsearch_url: str, namespace: str, tmp_path: Path, log: Path
) -> Command:
    """Return the words of a ``clisvc run`` that looks often."""
    config = tmp_path / "clisvc.toml"
    config.write_text(_SETTINGS)
    return (
        *("run", log, "--elasticsearch-url", elasticsearch_url),
        *("--namespace", namespace, "--state", tmp_path / "state"),
        *("--config", config, "--host", "pc0417"),
    )


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=20)


class _Author(threading.Thread):
    """Writes three generations: a rename between the first, a copy between the last."""

    def __init__(self, log: Path, read: Callable[[int], bool]) -> None:
        super().__init__(name="author")
        self._log = log
        self._read = read
        self._stopped = threading.Event()
        self.complete = False

    def run(self) -> None:
        older = self._log.with_suffix(".lo_")
        first = self._write(0)
        self._log.replace(older)
        self._write(1)
        # Only what has been read may be overwritten, as with any log.
        while not self._read(first) and not self._stopped.wait(0.1):
            pass
        if self._stopped.is_set():
            return
        shutil.copyfile(self._log, older)
        with self._log.open("r+b") as file:
            file.truncate(0)
        self._write(2)
        self.complete = True

    def stop(self) -> None:
        """End early."""
        self._stopped.set()
        self.join()

    def _write(self, third: int) -> int:
        size = 0
        for number in range(third * _THIRD, (third + 1) * _THIRD, _BURST):
            burst = lines(number, min(_BURST, (third + 1) * _THIRD - number))
            _append(self._log, burst)
            size += len(burst)
            if self._stopped.wait(0.04):
                break
        return size


def test_killed_twenty_times(
    command: Command,
    client: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """Killed 20 times over 200,000 records and two rotations, each is there once."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201  shown when the test fails
    chance = random.Random(seed)  # noqa: S311  moments, no secrets
    state = tmp_path / "state"
    errors = tmp_path / "errors"
    author = _Author(log, lambda size: acked(state) > size)
    author.start()
    try:
        for _ in range(_KILLS):
            with running(errors, *command) as process:
                moment = chance.uniform(0.3, 2.2)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(moment)
                process.kill()
        with running(errors, *command) as process:
            until(lambda: author.complete, "all is written", timeout_s=90)
            until(
                lambda: count(client, namespace) >= 3 * _THIRD,
                "all is indexed",
                timeout_s=90,
            )
            until(lambda: holds(state, process.pid), "it listens to signals")
            # What a killed one had delivered and not noted is first read once more.
            until(
                lambda: acked(state) == len(lines(0, 3 * _THIRD)),
                "all is acknowledged",
                timeout_s=90,
            )
            code = _stop(process)
    finally:
        author.stop()

    written = Counter(texts(lines(0, 3 * _THIRD)))
    indexed = originals(client, namespace)
    assert (written - indexed).total() == 0
    assert (indexed - written).total() == 0
    assert code == 0
    source = status(state)
    assert (source["pending"], source["dead_lettered"], source["lost"]) == (0, 0, 0)
    assert source["seen"] == source["acked"] == len(lines(0, 3 * _THIRD))
    assert source["generations"] == 3
    # Some kills came between a document's arrival and the note of it.
    assert source["duplicates"] > 0


def test_state_folder_lost(
    command: Command,
    client: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """Without its state it sends all again, and the index stays as it is."""
    data = lines(0, 3_000)
    log.write_bytes(data)
    state = tmp_path / "state"
    found = []
    for _ in range(2):
        with running(tmp_path / "errors", *command) as process:
            until(lambda: acked(state) == len(data), "all is acknowledged")
            assert _stop(process) == 0
        found.append((originals(client, namespace), status(state)["duplicates"]))
        shutil.rmtree(state)

    expected = Counter(texts(data))
    assert found == [(expected, 0), (expected, 3_000)]


def test_live_appends_and_half_lines(
    command: Command,
    client: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """Lines arrive within seconds; half a line waits for its other half."""
    data = lines(0, 20)
    cut = data.index(b"\n", len(data) // 2) + 40
    log.write_bytes(lines(100, 1))
    with running(tmp_path / "errors", *command) as process:
        until(lambda: count(client, namespace) == 1, "the first record")
        _append(log, data[:cut])
        whole = data[:cut].count(b"\n")
        until(
            lambda: count(client, namespace) == 1 + whole, "whole lines", timeout_s=10
        )
        _append(log, data[cut:])
        until(lambda: count(client, namespace) == 21, "the rest", timeout_s=10)
        assert _stop(process) == 0

    assert originals(client, namespace) == Counter(texts(lines(100, 1) + data))


def test_watcher_wakes(
    command: Command,
    client: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    log: Path,
) -> None:
    """With sweeps a day apart, file system events alone bring new lines in."""
    config = tmp_path / "events.toml"
    config.write_text('[input]\nsweep_min = 86400\nsweep_max = 86400\nwatch = "events"')
    log.write_bytes(lines(0, 5))
    with running(tmp_path / "errors", *command, "--config", config) as process:
        until(lambda: count(client, namespace) == 5, "what was there")
        for number in range(5, 10):
            _append(log, lines(number, 1))
            until(
                lambda number=number: count(client, namespace) == number + 1,  # type: ignore[misc]  # mypy has no type for a default here
                "a line more",
                timeout_s=10,
            )
        assert _stop(process) == 0


@pytest.mark.parametrize("way", ["rename", "copy-truncate"])
def test_rotated_while_stopped(
    command: Command,
    client: Elasticsearch,
    namespace: str,
    tmp_path: Path,
    log: Path,
    way: str,
) -> None:
    """What was written before and after a rotation during a pause is all read."""
    parts = [lines(0, 300), lines(300, 200), lines(500, 100)]
    log.write_bytes(parts[0])
    errors = tmp_path / "errors"
    with running(errors, *command) as process:
        until(lambda: count(client, namespace) == 300, "the first part")
        assert _stop(process) == 0
    _append(log, parts[1])
    older = log.with_suffix(".lo_")
    if way == "rename":
        log.replace(older)
    else:
        shutil.copyfile(log, older)
    log.write_bytes(parts[2])
    with running(errors, *command) as process:
        until(lambda: count(client, namespace) >= 600, "the other parts")
        assert _stop(process) == 0

    assert originals(client, namespace) == Counter(texts(b"".join(parts)))
    source = status(tmp_path / "state")
    assert (source["lost"], source["generations"], source["acked"]) == (
        0,
        2,
        len(b"".join(parts)),
    )


def test_second_instance(
    command: Command, client: Elasticsearch, namespace: str, tmp_path: Path, log: Path
) -> None:
    """A second process on the same state folder ends with 65 and names the first."""
    log.write_bytes(lines(0, 3))
    with running(tmp_path / "errors", *command) as process:
        until(lambda: count(client, namespace) == 3, "it runs")
        second = clisvc(*command)
        assert second.code == 65
        used = f"{tmp_path / 'state'} is in use by process {process.pid}."
        assert second.err.splitlines() == [
            f"clisvc: state.dir: {used}",
            "Stop that one first, or name another folder with --state.",
        ]
        assert _stop(process) == 0

    assert count(client, namespace) == 3
