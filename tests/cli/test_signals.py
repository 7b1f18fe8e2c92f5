# SPDX-License-Identifier: Apache-2.0
"""Being stopped, without an Elasticsearch that answers."""

import signal
import threading
from pathlib import Path

import pytest

from tests.fakes.answering import Answer, answering
from tests.fakes.installed import LIST, TEMPLATES_THERE
from tests.live.commands import PATIENCE_S, clisvc, lines, running, status, until


def _says(errors: Path, text: str) -> bool:
    return text in errors.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_unreachable_from_the_start(
    closed_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    """While the server is away it says so and waits; asked to stop it ends with 0."""
    log, errors = tmp_path / "Clisvc.log", tmp_path / "errors"
    log.write_bytes(lines(0, 3))
    words = ("run", log, "--elasticsearch-url", closed_url, "--state", tmp_path / "s")
    with running(errors, *words) as process:
        until(lambda: _says(errors, "cannot be reached"), "it says so")
        process.send_signal(number)
        code = process.wait(timeout=10)

    assert code == 0
    assert _says(errors, f"{closed_url} cannot be reached: Connection refused.")
    assert not _says(errors, "Traceback")


def test_unreachable_later(tmp_path: Path) -> None:
    """What was read but not delivered is pending in the state that is saved."""
    log, errors = tmp_path / "Clisvc.log", tmp_path / "errors"
    data = lines(0, 50)
    log.write_bytes(data)

    def respond(method: str, path: str, _body: bytes) -> Answer:
        if (method, path) == LIST:
            return TEMPLATES_THERE
        return Answer(status=503, body={"error": "no master", "status": 503})

    with answering(respond) as url:
        words = ("run", log, "--elasticsearch-url", url, "--state", tmp_path / "s")
        with running(errors, *words) as process:
            until(lambda: _says(errors, "nothing can be delivered"), "it says so")
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=10)
    source = status(tmp_path / "s")

    assert code == 0
    assert (source["acked"], source["pending"]) == (0, len(data))
    assert source["seen"] == len(data)


def test_second_signal(tmp_path: Path) -> None:
    """A second signal does not wait for a server that takes its time."""
    log, errors = tmp_path / "Clisvc.log", tmp_path / "errors"
    log.write_bytes(lines(0, 50))
    asked, over = threading.Event(), threading.Event()

    def respond(method: str, path: str, _body: bytes) -> Answer:
        if (method, path) == LIST:
            return TEMPLATES_THERE
        asked.set()
        over.wait(PATIENCE_S)
        return Answer(status=503)

    with answering(respond) as url:
        words = ("run", log, "--elasticsearch-url", url, "--state", tmp_path / "s")
        with running(errors, *words) as process:
            until(asked.is_set, "a batch is under way")
            process.send_signal(signal.SIGTERM)
            until(lambda: _says(errors, "stopping"), "it has noticed")
            still = process.poll()
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=5)
        over.set()

    assert still is None
    assert code == 130


def test_interrupted_ship_says_130(closed_url: str, tmp_path: Path) -> None:
    """A backfill that was asked to stop before its end says that it did not finish."""
    log, errors = tmp_path / "Clisvc.log", tmp_path / "errors"
    log.write_bytes(lines(0, 50))
    asked, over = threading.Event(), threading.Event()

    def respond(method: str, path: str, _body: bytes) -> Answer:
        if (method, path) == LIST:
            return TEMPLATES_THERE
        asked.set()
        over.wait(PATIENCE_S)
        return Answer(status=503)

    with answering(respond) as url:
        words = ("ship", log, "--elasticsearch-url", url, "--state", tmp_path / "s")
        with running(errors, *words) as process:
            until(asked.is_set, "a batch is under way")
            process.send_signal(signal.SIGINT)
            until(lambda: _says(errors, "stopping"), "it has noticed")
            over.set()
            code = process.wait(timeout=30)
    # The same folder is free again, and holds what is needed to go on.
    after = clisvc(
        *("ship", log, "--elasticsearch-url", closed_url, "--state", tmp_path / "s")
    )

    assert code == 130
    assert after.code == 69
