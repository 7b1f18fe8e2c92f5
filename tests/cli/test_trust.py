# SPDX-License-Identifier: Apache-2.0
"""``verify``, ``replay``, ``deadletter`` and ``status PATH`` without a server."""

from pathlib import Path

import pytest

from shipper.clock import SystemClock
from shipper.records import DeadLetter
from shipper.store import DeadLetters
from tests.live.commands import clisvc, lines
from tests.store.made import event, source


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three records."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, 3))
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state folder with two letters, one of them written twice."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.db").touch()
    letters = [
        DeadLetter(
            source=source(),
            event=event(name),
            status=400,
            error_type="document_parsing_exception",
            reason=f"no {name}",
        )
        for name in ("id-1", "id-2", "id-1")
    ]
    DeadLetters(state / "dead-letters.ndjson", SystemClock()).add(letters)
    return state


def test_list(state: Path) -> None:
    """Each letter is one line: time, host, id, count, error and reason."""
    done = clisvc("deadletter", "list", "--state", state)

    headings, *rows = (line.split("\t") for line in done.out.splitlines())
    assert (done.code, done.err) == (0, "")
    assert headings == ["time (UTC)", "host", "id", "times", "error", "reason"]
    assert [row[1:] for row in rows] == [
        ["pc0417", "id-1", "2", "document_parsing_exception", "no id-1"],
        ["pc0417", "id-2", "1", "document_parsing_exception", "no id-2"],
    ]


def test_damaged_line(state: Path) -> None:
    """A damaged line is told by its number."""
    with (state / "dead-letters.ndjson").open("ab") as file:
        file.write(b"damage\n")
    done = clisvc("deadletter", "list", "--state", state)
    machine = clisvc("deadletter", "list", "--state", state, "--json")

    assert done.out.splitlines()[-1] == "no letters, kept as they are: line 4"
    assert machine.json["damaged_lines"] == [4]


def test_show(state: Path) -> None:
    """A letter is shown with the reason, and its document on several lines."""
    done = clisvc("deadletter", "show", "id-2", "--state", state)

    assert "reason: no id-2" in done.out.splitlines()
    assert '    "kind": "event"' in done.out.splitlines()


@pytest.mark.parametrize("command", ["show", "replay"])
def test_unknown_letter(state: Path, command: str, closed_url: str) -> None:
    """An id that is no letter's is named, before any server is asked."""
    server = ("--elasticsearch-url", closed_url) if command == "replay" else ()
    done = clisvc("deadletter", command, "id-9", "--state", state, *server)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        f"clisvc: id-9: no such letter in {state / 'dead-letters.ndjson'}.",
        "`clisvc deadletter list` shows the ids there are.",
    ]


def test_replay_of_letters_without_a_server(state: Path, closed_url: str) -> None:
    """Without a server all letters stay, and the exit code says so."""
    before = (state / "dead-letters.ndjson").read_bytes()
    done = clisvc(
        "deadletter", "replay", "--state", state, "--elasticsearch-url", closed_url
    )

    assert (done.code, done.out) == (69, "")
    assert (state / "dead-letters.ndjson").read_bytes() == before


@pytest.mark.parametrize("command", ["list", "replay"])
def test_letters_without_state(tmp_path: Path, command: str) -> None:
    """A folder without state is named."""
    done = clisvc("deadletter", command, "--state", tmp_path)

    assert (done.code, done.out) == (65, "")
    assert done.err.startswith(f"clisvc: {tmp_path}: there is no state in it.")


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_no_server(log: Path, command: str, closed_url: str) -> None:
    """A server that is not there ends it with 69."""
    done = clisvc(command, log, "--elasticsearch-url", closed_url)

    assert (done.code, done.out) == (69, "")
    assert "cannot be reached" in done.err


@pytest.mark.parametrize("command", ["verify", "replay"])
def test_no_file(tmp_path: Path, command: str, closed_url: str) -> None:
    """A file that is not there is named, before any server is asked."""
    done = clisvc(command, tmp_path / "Clisvc.log", "--elasticsearch-url", closed_url)

    assert (done.code, done.out) == (2, "")
    assert str(tmp_path / "Clisvc.log") in done.err


def test_rewrite_asks(log: Path, closed_url: str) -> None:
    """Where nobody can be asked, --rewrite needs --yes, before any server is asked."""
    done = clisvc("replay", log, "--rewrite", "--elasticsearch-url", closed_url)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1] == "Add --yes if that is meant."


def test_replay_of_a_pattern(log: Path, closed_url: str) -> None:
    """Replay takes one file, and says what to name."""
    pattern = log.with_name("*.log")
    done = clisvc("replay", pattern, "--elasticsearch-url", closed_url)

    assert done.code == 2
    assert done.err.splitlines() == [
        f"clisvc: {pattern}: replay takes one file, not a pattern.",
        "Name the file, and its host with --host.",
    ]


def test_status_of_a_file(log: Path, tmp_path: Path) -> None:
    """A file that no state knows is identified all the same, and nothing is made."""
    state = tmp_path / "none"
    done = clisvc("status", log, "--state", state, "--host", "pc1")
    machine = clisvc("status", log, "--state", state, "--host", "pc1", "--json")
    parsed = clisvc("parse", log, "--host", "pc1", "--ids")

    assert (done.code, done.err) == (0, "")
    assert "next: begins a new generation at 0" in done.out.splitlines()
    assert machine.json["first_record"] == "2003-02-12 06:00:00.000"
    assert f'"_id":"{machine.json["extent"]["gen_id"]}-' in parsed.out
    assert not state.exists()


def test_status_of_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    done = clisvc("status", tmp_path / "Clisvc.log", "--state", tmp_path)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"clisvc: {tmp_path / 'Clisvc.log'} cannot be read: ")
