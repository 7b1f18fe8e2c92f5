# SPDX-License-Identifier: Apache-2.0
"""``clisvc parse``: documents on standard output, and nothing else needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.commands import COMMAND, clisvc, environment, lines, obey_permissions

_NOWHERE = {"CLISVC_ELASTICSEARCH_URL": "http://127.0.0.1:1", "HOME": "/nonexistent"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three records."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, 3))
    return path


def test_documents(log: Path) -> None:
    """One document a line, with time in UTC, host and the record as it was."""
    done = clisvc("parse", log, "--host", "PC0417.corp.example", extra=_NOWHERE)
    found = [json.loads(line) for line in done.out.splitlines()]

    assert (done.code, done.err) == (0, "")
    assert [document["event"]["original"] for document in found] == (
        lines(0, 3).decode().splitlines()
    )
    # Six in the morning, said in a zone that is eight hours behind.
    assert [document["@timestamp"] for document in found] == [
        "2003-02-12T14:00:00.000Z",
        "2003-02-12T14:00:00.017Z",
        "2003-02-12T14:00:00.034Z",
    ]
    assert found[0]["message"] == "Copy Queue - 0 jobs waiting"
    assert found[0]["host"]["name"] == "pc0417"
    assert found[0]["host"]["domain"] == "corp.example"
    assert found[0]["log"]["file"]["path"] == str(log)


def test_ids(log: Path) -> None:
    """With --ids the same documents are wrapped, and the ids tell where they stand."""
    plain = clisvc("parse", log, "--host", "pc0417")
    wrapped = clisvc("parse", log, "--host", "pc0417", "--ids")
    found = [json.loads(line) for line in wrapped.out.splitlines()]

    assert [each["_source"] for each in found] == [
        json.loads(line) for line in plain.out.splitlines()
    ]
    size = len(lines(0, 1))
    starts = [each["_id"].split("-")[1] for each in found]
    assert starts == [f"{size * number:09x}" for number in range(3)]
    assert len({each["_id"] for each in found}) == 3


def test_record_of_several_lines(tmp_path: Path) -> None:
    """Records of the newer client are shown as one document each, with their time."""
    path = tmp_path / "CcmExec-20240115-093000.log"
    path.write_bytes(
        b"<![LOG[Phase 1\r\nfailed]LOG]!>"
        b'<time="19:33:19.766-330" date="11-28-2014" component="CcmExec" type="3">\r\n'
    )
    (document,) = map(json.loads, clisvc("parse", path).out.splitlines())

    assert document["message"] == "Phase 1\nfailed"
    assert document["@timestamp"] == "2014-11-28T14:03:19.766Z"
    assert document["event"]["dataset"] == "sms.ccm"
    assert document["log"]["level"] == "error"
    assert document["log"]["file"]["path"] == str(tmp_path / "CcmExec.log")


def test_standard_input(log: Path) -> None:
    """From standard input the documents are the same, but for the path nobody knows."""
    named = clisvc("parse", log, "--host", "pc0417", "--ids")
    piped = clisvc("parse", "-", "--host", "pc0417", "--ids", stdin=lines(0, 3))
    found = [json.loads(line) for line in named.out.splitlines()]
    for each in found:
        del each["_source"]["log"]["file"]

    assert (piped.code, piped.err) == (0, "")
    assert [json.loads(line) for line in piped.out.splitlines()] == found


def test_relative_path(log: Path) -> None:
    """A relative path gives the same documents as the absolute one."""
    absolute = clisvc("parse", log, "--host", "pc0417")
    relative = clisvc("parse", log.name, "--host", "pc0417", cwd=log.parent)

    assert relative == absolute


def test_rotated_name(log: Path) -> None:
    """A rotated file is the same log, under the name it is written under."""
    active = clisvc("parse", log, "--host", "pc0417", "--ids")
    older = clisvc(
        *("parse", log.replace(log.with_suffix(".lo_")), "--host", "pc0417", "--ids")
    )

    assert older == active


def test_reader_leaves(tmp_path: Path) -> None:
    """``clisvc parse - | head -1`` prints one document and ends quietly."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(lines(0, 30_000))
    with log.open("rb") as text:
        process = subprocess.Popen(
            [*COMMAND, "parse", "-"],
            stdin=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate()

    assert json.loads(first)["message"] == "Copy Queue - 0 jobs waiting"
    assert (process.returncode, said) == (0, b"")


def test_empty_file(tmp_path: Path) -> None:
    """An empty log has no documents, and that is no fault."""
    log = tmp_path / "Clisvc.log"
    log.touch()
    done = clisvc("parse", log)

    assert (done.code, done.out, done.err) == (0, "", "")


def test_binary_file(tmp_path: Path) -> None:
    """Bytes that are no text become plain records, to the last one."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(bytes(range(256)) * 3)
    done = clisvc("parse", log)
    found = [json.loads(line) for line in done.out.splitlines()]

    assert (done.code, done.err) == (0, "")
    # Byte 10 ends a line three times; the rest is a line without an end.
    assert [document["sms"]["parse"]["quality"] for document in found] == ["plain"] * 4


@pytest.mark.parametrize("kind", ["missing", "folder", "dangling"])
def test_not_a_file(tmp_path: Path, kind: str) -> None:
    """What is no file is named, with what to give instead."""
    path = tmp_path / "Clisvc.log"
    reason = "No such file or directory"
    if kind == "folder":
        path.mkdir()
        reason = "Is a directory"
    elif kind == "dangling":
        path.symlink_to(tmp_path / "gone")
    done = clisvc("parse", path)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"clisvc: {path} cannot be read: {reason}.",
        "Name a log file, or - for standard input.",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="rights are dropped as on Linux")
def test_denied(log: Path) -> None:
    """A file we may not read is named, with the system's own reason."""
    log.chmod(0)
    done = clisvc("parse", log, before=obey_permissions)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"clisvc: {log} cannot be read: Permission denied.",
        "Name a log file, or - for standard input.",
    ]
