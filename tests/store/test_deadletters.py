# SPDX-License-Identifier: Apache-2.0
"""Refused documents are on the disk, whole and readable."""

import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.errors import StateError
from shipper.records import DeadLetter
from shipper.store import DeadLetters
from tests.fakes.clock_deliver import StillClock
from tests.store.made import event, source


def _letter(name: str, *, padding: int = 0) -> DeadLetter:
    return DeadLetter(
        source=source(),
        event=event(name, padding=padding),
        status=400,
        error_type="document_parsing_exception",
        reason="failed to parse field [process.pid]",
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the letters go."""
    return tmp_path / "dead-letters.ndjson"


@pytest.fixture
def letters(path: Path) -> DeadLetters:
    """Return dead letters that are written at a known time."""
    return DeadLetters(path, StillClock(now_ms=123_456))


def test_line(letters: DeadLetters, path: Path) -> None:
    """A line says what was refused, whose it is, when and why."""
    letters.add([_letter("id-1")])

    assert _lines(path) == [
        {
            "time_ms": 123_456,
            "id": "id-1",
            "stream": "sms.clisvc",
            "host": "pc0417",
            "log": "clisvc",
            "status": 400,
            "error": {
                "type": "document_parsing_exception",
                "reason": "failed to parse field [process.pid]",
            },
            "document": {"event": {"kind": "event"}, "m": ""},
        }
    ]


def test_appended(letters: DeadLetters, path: Path) -> None:
    """Letters are added to those that are there, and counted."""
    assert letters.count() == 0

    letters.add([_letter("1"), _letter("2")])
    letters.add([_letter("3")])

    assert [line["id"] for line in _lines(path)] == ["1", "2", "3"]
    assert letters.count() == 3


def test_on_the_disk(
    letters: DeadLetters, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that was written is on the disk when adding returns."""
    synced: list[int] = []

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    letters.add([_letter("1")])

    assert synced == [path.stat().st_size]


def test_torn_line(letters: DeadLetters, path: Path) -> None:
    """A line that a crash has cut spoils no other."""
    letters.add([_letter("1")])
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])

    letters.add([_letter("2")])

    first, torn, last = path.read_bytes().splitlines()
    assert torn == whole[:30]
    assert [msgspec.json.decode(line)["id"] for line in (first, last)] == ["1", "2"]


def test_threads(letters: DeadLetters, path: Path) -> None:
    """Senders that bury large letters at the same time do not mix their lines."""
    begin = threading.Barrier(4)

    def bury(name: str) -> None:
        begin.wait()
        for number in range(10):
            letters.add([_letter(f"{name}{number}", padding=200_000)])

    threads = [threading.Thread(target=bury, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    expected = {f"{name}{number}" for name in "abcd" for number in range(10)}
    assert {line["id"] for line in _lines(path)} == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_full_disk() -> None:
    """Letters that cannot be kept are an error of the state."""
    with pytest.raises(StateError) as caught:
        DeadLetters(Path("/dev/full"), StillClock()).add([_letter("1")])

    assert caught.value.message == (
        "/dev/full: dead letters cannot be written: No space left on device."
    )


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is gone is an error of the state."""
    missing = tmp_path / "gone" / "letters"

    with pytest.raises(StateError, match="No such file or directory"):
        DeadLetters(missing, StillClock()).add([_letter("1")])
