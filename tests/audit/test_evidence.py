# SPDX-License-Identifier: Apache-2.0
"""Why a file is taken for what it is: the evidence, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from shipper.audit import Evidence, evidence
from shipper.parse import first_time
from shipper.records import (
    Checkpoint,
    Generation,
    Observation,
    Progress,
)
from shipper.store import SourceStatus
from shipper.tail import LocalOpener, identify
from shipper.tail.identity import Head, digest
from tests.enrich.story import line

READ = b"".join(line(f"Read {number} values~", number) for number in range(20))
MORE = line("Read 20 values~", 20)
OTHER = line("Another life~", 3600)


def checkpoint(data: bytes, *, final: bool = False) -> Checkpoint:
    """Return the state after ``data`` was read, from the first byte to the last."""
    identity = identify(
        data, host="pc0417", log="clisvc", first_time=first_time, at_end=True
    )
    assert identity is not None
    head = Head.of(data)
    return Checkpoint(
        generation=Generation(gen_id=identity.gen_id),
        progress=Progress(offset=len(data), anchor=digest(data[-256:])),
        observation=Observation(
            path="/logs/Clisvc.log",
            head_length=head.length,
            head=head.digest,
            seen=len(data),
            final=len(data) if final else None,
        ),
    )


def look(path: Path, *checkpoints: Checkpoint) -> Evidence:
    """Compare a file with what the state has of its log."""
    known = SourceStatus(
        key="k",
        host="pc0417",
        log="clisvc",
        path=str(path.with_name("Clisvc.log")),
        status="ok",
        detail="",
        last_ok_ms=None,
        checkpoints=checkpoints,
    )
    return evidence(str(path), [known], host="here", opener=LocalOpener())


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a way to write a file of the log."""

    def written(data: bytes, name: str = "Clisvc.log") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return written


Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("data", "name", "decision"),
    [
        (READ, "Clisvc.log", f"waits for more: all {len(READ)} bytes have been read"),
        (
            READ + MORE,
            "Clisvc.log",
            f"reads on at {len(READ)}: {len(MORE)} bytes are new",
        ),
        (
            READ[:-1] + b"\r" + MORE,
            "Clisvc.log",
            (
                "begins life 1 of the generation at 0: it begins alike, and goes on"
                " differently than what has been read"
            ),
        ),
        (READ[:900], "Clisvc.lo_", "nothing: a shorter copy of what has been read"),
        (b"", "Clisvc.log", "nothing: the file is empty"),
        (
            b"Working\r\n",
            "Clisvc.log",
            "waits for a first timed record, or 16 lines: too short to be identified",
        ),
    ],
    ids=["all read", "grown", "rewritten", "copy", "empty", "short"],
)
def test_decision(write: Write, data: bytes, name: str, decision: str) -> None:
    """What happens next follows from head, anchor and position."""
    assert look(write(data, name), checkpoint(READ)).decision == decision


@pytest.mark.parametrize(
    ("data", "decision"),
    [
        (READ, "nothing: it was read to its end"),
        (
            READ + MORE,
            f"goes on at {len(READ)}: finished, but {len(MORE)} bytes longer since",
        ),
    ],
    ids=["as it was", "grown"],
)
def test_finished(write: Write, data: bytes, decision: str) -> None:
    """A finished generation is left alone, unless it goes on."""
    found = look(write(data, "Clisvc.lo_"), checkpoint(READ, final=True))

    assert found.decision == decision


def test_new_generation(write: Write) -> None:
    """Another beginning is a new generation; the rest of the old one comes first."""
    known = checkpoint(READ)
    found = look(write(OTHER), known)

    assert found.decision == (
        "begins a new generation at 0, after what is left of generation"
        f" {known.generation.gen_id}"
    )
    (compared,) = found.generations
    assert compared.generation != found.extent.gen_id


def test_proofs(write: Write) -> None:
    """Head and anchor are compared one by one, with the bytes the head covers."""
    rewritten = READ[: len(READ) - 10] + b"0123456789" + MORE
    (same,) = look(write(READ), checkpoint(READ)).generations
    (other,) = look(write(rewritten), checkpoint(READ)).generations
    (short,) = look(write(READ[:100]), checkpoint(READ)).generations

    assert (same.head, same.head_length, same.anchor) == (True, 1024, True)
    assert (other.head, other.anchor) == (True, False)
    assert (short.head, short.anchor) == (None, None)


def test_siblings(write: Write) -> None:
    """Files of the same log beside it are named, with what they hold."""
    write(OTHER, "Clisvc.lo_")
    write(b"not ours", "Remctrl.log")
    path = write(READ)
    (sibling,) = look(path, checkpoint(READ)).siblings

    assert sibling.path == str(path.with_name("Clisvc.lo_"))
    assert (sibling.size, sibling.known) == (len(OTHER), False)


def test_host_of_the_state(write: Write) -> None:
    """The state says whose log it is; without one it is the host that is given."""
    path = write(READ)
    known = look(path, checkpoint(READ))
    unknown = evidence(str(path), [], host="Here.example", opener=LocalOpener())

    assert (known.host, unknown.host) == ("pc0417", "here")
    assert unknown.generations == ()
    assert unknown.decision == "begins a new generation at 0"
    assert unknown.extent == replace(known.extent, gen_id=unknown.extent.gen_id)
