# SPDX-License-Identifier: Apache-2.0
"""What verify, replay, deadletter and status say when something is in their way."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from shipper.cli.main import main
from shipper.cli.render import echo_json, prose
from shipper.clock import SystemClock
from shipper.records import DeadLetter, Event, Stream
from shipper.store import DeadLetters
from tests.enrich.story import OFFERS, lines, triple
from tests.fakes.answering import Answer, answering
from tests.live.commands import clisvc, obey_permissions
from tests.store.made import source


def nothing(_method: str, path: str, _body: bytes) -> Answer:
    """Answer as a server with no document at all."""
    if "_search" in path:
        return Answer(body={"hits": {"hits": []}})
    return Answer(body={"id": "point", "version": {"number": "9.2.0"}})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(lines(triple(OFFERS), 0))
    return log


def test_replay_needs_the_host(log: Path) -> None:
    """A log unknown as this machine's is most likely another's: nothing is sent."""
    with answering(nothing) as url:
        done = clisvc("replay", log, "--elasticsearch-url", url)

    assert (done.code, done.out) == (2, "")
    assert "--host" in done.err


@pytest.mark.parametrize("shard", ["1/2", "2/2"])
def test_shard(log: Path, shard: str) -> None:
    """Whose share a log is in is no matter when a file is named."""
    config = log.with_name("config.toml")
    config.write_text(f'[input]\nshard = "{shard}"\n', encoding="utf-8")
    with answering(nothing) as url:
        words = (log, "--config", config, "--elasticsearch-url", url)
        verified = clisvc("verify", *words, "--json")
        replayed = clisvc("replay", *words)

    assert (verified.code, verified.json["missing"]) == (1, 3)
    assert (replayed.code, "--host" in replayed.err) == (2, True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")
def test_file_name_of_any_bytes(log: Path) -> None:
    """A folder whose name is no UTF-8 is spelled out in JSON."""
    folder = Path(os.fsdecode(os.fsencode(log.parent) + b"/fl\xe9et"))
    folder.mkdir()
    log = log.rename(folder / log.name)
    with answering(nothing) as url:
        verified = clisvc("verify", log, "--elasticsearch-url", url, "--json")
    status = clisvc("status", log, "--state", folder.parent / "state", "--json")

    assert verified.json["files"][0]["path"].endswith(r"fl\udce9et/Clisvc.log")
    assert status.json["path"].endswith(r"fl\udce9et/Clisvc.log")


def test_json_of_any_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Text is changed only where it is no Unicode."""
    echo_json({"a": ["\udce9", "\u00e9"], "\udce9": (1, None)})

    found = json.loads(capsys.readouterr().out)
    assert found == {"a": [r"\udce9", "\u00e9"], r"\udce9": [1, None]}


@pytest.mark.skipif(sys.platform != "linux", reason="needs permissions")
@pytest.mark.parametrize(
    "words", [("status",), ("deadletter", "list"), ("status", "Clisvc.log")], ids=str
)
def test_unreadable_state(log: Path, words: tuple[str, ...]) -> None:
    """A state folder nobody lets us into is an error of the state, told in words."""
    state = log.parent / "private" / "state"
    state.mkdir(parents=True)
    state.parent.chmod(0)
    try:
        done = clisvc(
            *(*words, "--state", state), cwd=log.parent, before=obey_permissions
        )
    finally:
        state.parent.chmod(0o700)

    assert (done.code, "Traceback" in done.err) == (65, False)
    assert f"{state} cannot be read: Permission denied." in done.err


def test_put_off_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken is told before the exit code says that something was not."""
    (tmp_path / "state.db").touch()
    letters = DeadLetters(tmp_path / "dead-letters.ndjson", SystemClock())
    document = b'{"event":{"kind":"event"},"@timestamp":"2003-02-12T06:00:00.000Z"}'
    letters.add(
        [
            DeadLetter(
                source=source(),
                event=Event(id=name, stream=Stream.CLISVC, document=document),
                status=400,
                error_type="bad",
                reason="before",
            )
            for name in ("gen-0-a", "gen-1-b")
        ]
    )
    lack = {"type": "security_exception", "reason": "unauthorized"}
    items: list[dict[str, Any]] = [
        {"create": {"status": 403, "error": lack}},
        {"create": {"status": 201}},
    ]

    def respond(method: str, path: str, body: bytes) -> Answer:
        if "_bulk" in path:
            return Answer(body={"errors": True, "items": items})
        return nothing(method, path, body)

    with answering(respond) as url:
        monkeypatch.setattr("shipper.cli.deadletter.ensure_templates", repr)
        words = ("deadletter", "replay", "--elasticsearch-url", url, "--json")
        done = CliRunner().invoke(main, [*words, "--state", str(tmp_path)])
    said = json.loads(done.stdout)

    assert done.exit_code == 77
    assert (said["indexed"], said["put_off"]) == (1, 1)
    assert letters.count() == 1


def test_no_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is asked and says no has interrupted it; what was asked is no result."""

    @click.command()
    def ask() -> None:
        prose("All of it will be deleted.", err=True)
        click.confirm("Go on?", abort=True, err=True)

    monkeypatch.setattr(type(main), "get_command", lambda _self, _context, _name: ask)
    done = CliRunner().invoke(main, ["replay"], input="n\n")

    assert (done.exit_code, done.stdout) == (130, "")
    assert "will be deleted" in done.stderr
