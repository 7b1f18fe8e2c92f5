# SPDX-License-Identifier: Apache-2.0
"""Hints from a real watcher on real folders."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from shipper.tail import Watch, watch

PATIENCE_S = 10.0


def hinted(hints: queue.Queue[str], path: Path) -> bool:
    """Wait until ``path`` has been hinted at; false after the patience."""
    try:
        while hints.get(timeout=PATIENCE_S) != str(path):
            pass
    except queue.Empty:
        return False
    return True


def test_a_write_is_hinted_at(tmp_path: Path) -> None:
    """Creating, appending and renaming, also in a folder below."""
    log = tmp_path / "pc0417" / "Clisvc.log"
    log.parent.mkdir()
    hints: queue.Queue[str] = queue.Queue()
    watching = Watch({str(tmp_path)}, hints.put)
    watching.start()
    try:
        log.write_bytes(b"one\n")
        assert hinted(hints, log)
        with log.open("ab") as file:
            file.write(b"two\n")
        assert hinted(hints, log)
        log.rename(log.with_suffix(".lo_"))
        assert hinted(hints, log.with_suffix(".lo_"))
    finally:
        watching.stop()


def test_reading_is_not_hinted_at(tmp_path: Path) -> None:
    """Else each look would cause the next one."""
    log, other = tmp_path / "Clisvc.log", tmp_path / "other.log"
    log.write_bytes(b"one\n")
    hints: queue.Queue[str] = queue.Queue()
    watching = Watch({str(tmp_path)}, hints.put)
    watching.start()
    try:
        log.read_bytes()
        other.write_bytes(b"")
        assert hints.get(timeout=PATIENCE_S) == str(other)
    finally:
        watching.stop()


def test_a_folder_that_is_missing_does_not_matter_to_others(tmp_path: Path) -> None:
    """It is left to the sweep, and the rest is watched."""
    log = tmp_path / "there" / "Clisvc.log"
    log.parent.mkdir()
    hints: queue.Queue[str] = queue.Queue()
    watching = Watch({str(tmp_path / "missing"), str(log.parent)}, hints.put)
    watching.start()
    try:
        log.write_bytes(b"one\n")
        assert hinted(hints, log)
    finally:
        watching.stop()


def test_stopping_what_was_never_started_is_nothing(tmp_path: Path) -> None:
    """Shut-down comes in any state."""
    Watch({str(tmp_path)}, print).stop()


def test_a_watcher_that_cannot_start_costs_only_promptness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may be out of watches; the sweep goes on."""

    def fail() -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr(watch, "Observer", fail)
    watching = Watch({str(tmp_path)}, print)
    watching.start()
    watching.stop()

    assert watching._observer is None
