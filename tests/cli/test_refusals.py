# SPDX-License-Identifier: Apache-2.0
"""What cannot work ends with a documented code, naming the thing and the remedy."""

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.answering import answering
from tests.fakes.installed import TEMPLATES_THERE
from tests.live.commands import (
    clisvc,
    lines,
    obey_permissions,
    running,
    until,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of three records."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(lines(0, 3))
    return path


@pytest.mark.parametrize(
    ("command", "text", "message", "remedy"),
    [
        (
            "run",
            '[input]\ntimezon = "UTC"',
            "input.timezon: no such setting (from {config}).",
            "Did you mean input.timezone?",
        ),
        (
            "ship",
            '[output]\nsenders = "many"',
            "output.senders: expected `int`, not 'many' (from {config}).",
            "",
        ),
        (
            "check",
            '[log]\nlevel = "loud"',
            "log.level: expected one of debug, info, warning, error, not 'loud'",
            "",
        ),
        (
            "parse",
            "[input",
            "config: {config} is not valid TOML: ",
            "In TOML a Windows path stands between single quotes.",
        ),
        *(
            (
                command,
                '[input]\ntimezone = "Mars/Base"',
                'input.timezone: there is no time zone "Mars/Base"',
                "Use an IANA name such as America/Chicago",
            )
            for command in ("run", "ship", "check", "parse")
        ),
    ],
)
def test_settings(
    command: str,
    text: str,
    message: str,
    remedy: str,
    closed_url: str,
    log: Path,
    tmp_path: Path,
) -> None:
    """A wrong setting is named with its origin, before any server is asked."""
    config = tmp_path / "clisvc.toml"
    config.write_text(text)
    words = ("--state", tmp_path / "state", "--elasticsearch-url", closed_url)
    others = () if command == "parse" else words
    done = clisvc(command, log, "--config", config, *others)

    assert (done.code, done.out) == (2, "")
    first, *second = done.err.splitlines()
    assert first.startswith(f"clisvc: {message.format(config=config)}")
    assert " ".join(second).startswith(remedy)


@pytest.mark.parametrize("command", ["run", "ship"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("\\\\{host}\\SMSLogs$\\Clisvc.log", "hosts of a network cannot be listed."),
        ("/fleet/{hots}/Clisvc.log", "{hots} stands for nothing."),
        ("/fleet/{}/Clisvc.log", "{} stands for nothing."),
    ],
    ids=["unlisted network", "misspelt", "empty"],
)
def test_templates(command: str, path: str, message: str, tmp_path: Path) -> None:
    """A template that can match nothing is refused before anything is done."""
    done = clisvc(command, path, "--state", tmp_path / "state")

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[0].startswith(f"clisvc: {path}: ")
    assert done.err.splitlines()[0].endswith(message)
    assert "{host}" in done.err or "--hosts-file" in done.err
    assert not (tmp_path / "state").exists()


def test_shard(log: Path, tmp_path: Path) -> None:
    """A collector that is not among those that share the hosts would read nothing."""
    done = clisvc("run", log, "--shard", "3/2", "--state", tmp_path / "state")

    assert done.code == 2
    assert done.err.splitlines() == [
        "clisvc: input.shard: there is no collector 3 of 2.",
        "Give one from 1/2 to 2/2.",
    ]


@pytest.mark.parametrize("command", ["run", "ship", "check"])
def test_folder(command: str, tmp_path: Path, closed_url: str) -> None:
    """A folder is no log, and a pattern for the logs in it is shown."""
    words = ("--state", tmp_path / "state", "--elasticsearch-url", closed_url)
    done = clisvc(command, tmp_path, *words)

    said = done.err + done.out
    # `check` goes on to the end, and the server was wrong first.
    assert done.code == (69 if command == "check" else 2)
    assert f"{tmp_path} is a folder, not a log." in said
    assert str(tmp_path / "Clisvc.log") in said
    assert "Traceback" not in said


def test_no_state_yet(tmp_path: Path) -> None:
    """``status`` of a folder without state names the folder."""
    done = clisvc("status", "--state", tmp_path)

    assert (done.code, done.out) == (65, "")
    assert done.err.splitlines() == [
        f"clisvc: {tmp_path}: there is no state in it.",
        "Name the folder in use with --state.",
    ]


@pytest.mark.parametrize("command", ["run", "ship"])
def test_state_is_a_file(
    command: str, log: Path, tmp_path: Path, closed_url: str
) -> None:
    """A state folder that cannot be one ends it with 65 before anything is sent."""
    state = tmp_path / "state"
    state.write_text("no folder")
    done = clisvc(command, log, "--state", state, "--elasticsearch-url", closed_url)

    assert (done.code, done.out) == (65, "")
    assert done.err.splitlines() == [
        f"clisvc: state.dir: {state} cannot be used: File exists.",
        "Name a folder on a local disk with --state.",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="rights are dropped as on Linux")
def test_denied_log(log: Path, tmp_path: Path) -> None:
    """A log that may not be read is named; what else there is goes its way."""
    log.chmod(0)
    with answering(lambda _method, _path, _body: TEMPLATES_THERE) as url:
        done = clisvc(
            *("ship", log, "--state", tmp_path / "state", "--json"),
            *("--elasticsearch-url", url),
            before=obey_permissions,
        )

    assert done.code == 2
    assert done.json["records"] == 0
    assert done.err.splitlines()[0] == f"clisvc: {log}: denied (Permission denied)."


def test_run_waits_for_a_log(tmp_path: Path) -> None:
    """``run`` says of a log that is not there that it waits for it."""
    missing, errors = tmp_path / "no" / "Clisvc.log", tmp_path / "errors"
    with answering(lambda _method, _path, _body: TEMPLATES_THERE) as url:
        words = ("run", missing, "--state", tmp_path / "s", "--elasticsearch-url", url)
        with running(errors, *words) as process:
            until(lambda: "cannot be read" in errors.read_text(), "it says so")
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=10)
    said = [json.loads(line) for line in errors.read_text().splitlines()]

    assert code == 0
    (warning,) = (each for each in said if each["level"] == "warning")
    assert warning["event"] == "log cannot be read; looking again until it can"
    assert warning["path"] == str(missing)
