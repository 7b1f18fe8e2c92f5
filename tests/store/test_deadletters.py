# SPDX-License-Identifier: Apache-2.0
"""Refused documents are on the disk, whole and readable."""

import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shipper.errors import StateError
from shipper.records import DeadLetter, Stream
from shipper.store import Damaged, DeadLetters, Key, Letter, Refusal
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
def test_full_disk(letters: DeadLetters, path: Path) -> None:
    """Letters that cannot be kept are an error of the state."""
    path.symlink_to("/dev/full")

    with pytest.raises(StateError) as caught:
        letters.add([_letter("1")])

    assert caught.value.message == (
        f"{path}: dead letters cannot be written: No space left on device."
    )


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is gone is an error of the state."""
    missing = tmp_path / "gone" / "letters"

    with pytest.raises(StateError, match="No such file or directory"):
        DeadLetters(missing, StillClock()).add([_letter("1")])


def _summary(letters: DeadLetters) -> list[tuple[str, int]]:
    found, _ = letters.summary()
    return [(letter.id, letter.times) for letter in found]


def _key(name: str) -> Key:
    return Stream.CLISVC, "", name


REFUSAL = Refusal(status=400, error_type="mapper_parsing_exception", reason="anew")


def test_read_back(letters: DeadLetters) -> None:
    """A letter has the document byte for byte, and the namespace it names."""
    document = b'{"event":{"kind":"event"},"data_stream":{"namespace":"ops"}}'
    written = replace(_letter("1"), event=replace(event("1"), document=document))
    letters.add([written])
    (letter,) = letters.read()

    assert isinstance(letter, Letter)
    assert letter.document == document
    assert letter.key == (Stream.CLISVC, "ops", "1")
    assert letter.sendable


@pytest.mark.parametrize(
    "document",
    [b'{"event":{"kind":"\xff"}}', b'{"event":{\n}}', b'{"event":{'],
    ids=repr,
)
def test_no_json(letters: DeadLetters, path: Path, document: bytes) -> None:
    """A document that is no line of JSON is kept all the same, byte for byte."""
    written = replace(_letter("1"), event=replace(event("1"), document=document))
    letters.add([written])
    (letter,) = letters.read()

    assert isinstance(letter, Letter)
    assert letter.document == document
    assert path.read_bytes().count(b"\n") == 1


def test_each_once(letters: DeadLetters) -> None:
    """A letter that a crash has written twice is listed once, with a count."""
    letters.add([_letter("1"), _letter("2")])
    letters.add([_letter("1")])

    assert _summary(letters) == [("1", 2), ("2", 1)]


def test_damaged_lines_are_numbered_and_kept(letters: DeadLetters, path: Path) -> None:
    """A line that is no letter is told by its number, and taking letters leaves it."""
    letters.add([_letter("1")])
    path.write_bytes(path.read_bytes() + b"damage\n{}\n")
    letters.add([_letter("2")])
    _, damaged = letters.summary()
    letters.settle({_key("1"), _key("2")}, {})

    assert damaged == [Damaged(line=2), Damaged(line=3)]
    assert path.read_bytes() == b"damage\n{}\n"


def test_settle(letters: DeadLetters) -> None:
    """What was taken is out, what was refused again stays once, with the new reason."""
    letters.add([_letter(name) for name in ("1", "2", "3", "2")])
    letters.settle({_key("1")}, {_key("2"): REFUSAL})
    found, _ = letters.summary()

    assert [(letter.id, letter.times, letter.reason) for letter in found] == [
        ("3", 1, "failed to parse field [process.pid]"),
        ("2", 1, "anew"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="needs modes and owners")
def test_settle_keeps_mode_and_owner(letters: DeadLetters, path: Path) -> None:
    """Who could read and write the letters before can do so after root was here."""
    letters.add([_letter("1"), _letter("2")])
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 1235)
    before = path.stat()
    letters.settle({_key("1")}, {})
    after = path.stat()

    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


@pytest.mark.parametrize("time_ms", [-1, 253_402_300_800_000, 2**63])
def test_time_out_of_range(letters: DeadLetters, path: Path, time_ms: int) -> None:
    """A time no calendar has is damage, and nothing that stops a list."""
    letters.add([_letter("1")])
    path.write_bytes(path.read_bytes().replace(b"123456", str(time_ms).encode()))

    assert list(letters.read()) == [Damaged(line=1)]


def test_settle_after_a_crash(letters: DeadLetters, path: Path) -> None:
    """What a crash has left half-written beside the file changes nothing."""
    letters.add([_letter("1"), _letter("2")])
    path.with_name(f"{path.name}.new").write_bytes(b'{"half')
    letters.settle({_key("1")}, {})

    assert _summary(letters) == [("2", 1)]


def test_nothing_to_settle(letters: DeadLetters, path: Path) -> None:
    """Without news no file is made."""
    letters.settle(set(), {})

    assert not path.exists()


def test_settle_while_others_add(letters: DeadLetters, path: Path) -> None:
    """A letter that comes while the file is replaced is never lost."""
    names = [str(number) for number in range(200)]

    def bury() -> None:
        theirs = DeadLetters(path, StillClock())  # as another process has it
        for name in names:
            theirs.add([_letter(name)])

    thread = threading.Thread(target=bury)
    thread.start()
    taken: set[Key] = set()
    while thread.is_alive() or len(taken) < len(names):
        found, _ = letters.summary()
        taken |= {letter.key for letter in found}
        letters.settle({letter.key for letter in found}, {})
    thread.join()

    assert taken == {_key(name) for name in names}
    assert letters.count() == 0
