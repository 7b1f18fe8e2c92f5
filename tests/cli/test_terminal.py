# SPDX-License-Identifier: Apache-2.0
"""No control character from a log reaches an operator's terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from shipper.app import documents
from shipper.cli.render import harmless
from shipper.clock import SystemClock
from shipper.records import DeadLetter
from shipper.store import DeadLetters
from tests.enrich.story import SOURCE, assembly, line
from tests.fakes.answering import Answer, answering
from tests.live.commands import COMMAND, PATIENCE_S, environment

pty = pytest.importorskip("pty")  # terminals are another matter on Windows

#: Sets the title, rings, and colours by the one-byte form of the same command.
EVIL = "\x1b]0;evil\x07\x1b[31;1mred\x9b35mC1\x7f"
FORBIDDEN = ("\x1b]0", "\x1b[31;1m", "\x07", "\x9b", "\x7f")


def shown(*words: object) -> str:
    """Run a command on a terminal and return what it shows there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment({"COLUMNS": "200", "TERM": "xterm"}),
    )
    os.close(theirs)
    parts: list[bytes] = []
    try:
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            parts.append(part)
    finally:
        process.wait(timeout=PATIENCE_S)
        os.close(ours)
    return b"".join(parts).decode()


def check(text: str) -> None:
    """Assert that the evil text is there, and harmless."""
    assert "evil" in text
    assert [each for each in FORBIDDEN if each in text] == []


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log that wants to do things to a terminal."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(line(f"***ERROR: {EVIL} failed - Error : 1314~", 0))
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give a state folder with a dead letter that wants the same."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.db").touch()
    stream = io.BytesIO(line(EVIL, 0))
    (event,) = documents(stream, SOURCE, assembly(), max_line_bytes=4096)
    letter = DeadLetter(
        source=SOURCE, event=event, status=400, error_type="bad", reason=EVIL
    )
    DeadLetters(state / "dead-letters.ndjson", SystemClock()).add([letter])
    return state


def test_parse(log: Path) -> None:
    """``parse`` shows documents that say the same, in characters that do nothing."""
    check(shown("parse", log))


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["card", "json"])
def test_explain(log: Path, words: tuple[str, ...]) -> None:
    """``explain`` of a line shows the line."""
    check(shown("explain", log.read_text(), *words))


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["table", "json"])
def test_verify(log: Path, words: tuple[str, ...]) -> None:
    """``verify`` shows the lines of records that are missing."""
    missing = Answer(status=404, body={"error": {"reason": "none"}, "status": 404})
    with answering(lambda _method, _path, _body: missing) as url:
        check(shown("verify", log, "--elasticsearch-url", url, *words))


@pytest.mark.parametrize(
    "words",
    [("list",), ("list", "--json"), ("show",), ("show", "--json")],
    ids=" ".join,
)
def test_deadletter(state: Path, words: tuple[str, ...]) -> None:
    """``deadletter`` shows what the server said, and the document."""
    command, *others = words
    letters, _ = DeadLetters(state / "dead-letters.ndjson", SystemClock()).summary()
    named = [letters[0].id] if command == "show" else []

    check(shown("deadletter", command, *named, "--state", state, *others))


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["words", "json"])
def test_status_of_a_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    """``status`` shows names of files, which may hold anything, too."""
    path = tmp_path / f"{EVIL.replace('/', '')}.log"
    path.write_bytes(line("Working~", 0))

    check(shown("status", path, "--state", tmp_path / "none", *words))


def test_errors(tmp_path: Path) -> None:
    """A message about a file shows its name."""
    check(shown("parse", tmp_path / EVIL))


def test_json_says_the_same() -> None:
    """JSON without control characters is read as what it was made of."""
    text = harmless(json.dumps([EVIL], ensure_ascii=False))

    assert json.loads(text) == [EVIL]
    assert text.isprintable()
