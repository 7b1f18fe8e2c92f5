# SPDX-License-Identifier: Apache-2.0
"""Searching for logs where folders hang."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shipper.app import scout
from shipper.app.scout import Finds, Scout
from shipper.clock import Clock, SystemClock
from shipper.errors import InputProblem
from shipper.tail import Discovery, HostList, LocalOpener, Pattern
from tests.fakes.clock import ManualClock

PATIENCE_S = 10.0


class Dead:
    """Makes every access below some folders hang until it is released.

    Args:
        names: of the folders.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self._lexists = os.path.lexists
        self.release = threading.Event()
        self.asked = 0

    def lexists(self, path: str) -> bool:
        """Stand in for the call of that name."""
        if any(f"/{name}/" in path for name in self._names):
            self.asked += 1
            self.release.wait()
        return self._lexists(path)


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dead]:
    """Let the first of three hosts hang."""
    dead = Dead("pc1")
    monkeypatch.setattr(os.path, "lexists", dead.lexists)
    monkeypatch.setattr(scout, "_SILENCE_S", 0.5)
    yield dead
    dead.release.set()


@pytest.fixture
def fleet(tmp_path: Path) -> str:
    """Return a template for three hosts' logs."""
    for host in ("pc1", "pc2", "pc3"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "Clisvc.log").touch()
    return str(tmp_path / "{host}" / "Clisvc.log")


def made(text: str, hosts: HostList | None = None, clock: Clock | None = None) -> Scout:
    """Return a scout for one pattern."""
    discovery = Discovery((Pattern(text, hosts or HostList()),), "here", explicit=False)
    return Scout(
        discovery,
        LocalOpener(),
        clock or SystemClock(),
        threads=1,
        max_stuck=4,
        wake=threading.Event().set,
    )


def finds(scout: Scout) -> Finds:
    """Wait for what a search brings."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := scout.finds()) is None:
        assert time.monotonic() < deadline, "the search does not end"
        threading.Event().wait(0.01)
    return found


def hosts(found: Finds) -> list[str]:
    """Return whose logs were found."""
    return [source.host for source, _ in found.logs.values()]


def test_a_search_brings_what_there_is(fleet: str) -> None:
    """Once."""
    scout = made(fleet)
    scout.begin()

    assert hosts(finds(scout)) == ["pc1", "pc2", "pc3"]
    assert scout.finds() is None


def test_a_folder_that_hangs_is_left_out_until_it_answers(
    fleet: str, dead: Dead
) -> None:
    """The others are found, and it is not asked a second time meanwhile."""
    scout = made(fleet)
    scout.begin()
    first = finds(scout)
    scout.begin()
    second = finds(scout)
    dead.release.set()
    deadline = time.monotonic() + PATIENCE_S
    while len(third := hosts(finds_after(scout))) < 3:
        assert time.monotonic() < deadline

    assert hosts(first) == hosts(second) == ["pc2", "pc3"]
    assert third == ["pc1", "pc2", "pc3"]
    assert dead.asked <= 2


def finds_after(scout: Scout) -> Finds:
    """Search once more."""
    scout.begin()
    return finds(scout)


def test_a_problem_is_handed_on() -> None:
    """Whoever asked decides what it means."""
    scout = made("/mnt/{host}/Clisvc.log", HostList(file="/nowhere/hosts"))
    scout.begin()
    found = finds(scout)

    assert isinstance(found.problem, InputProblem)
    assert found.logs == {}


def test_a_search_that_hangs_is_told_of_once(tmp_path: Path) -> None:
    """There is one at a time, and what is known is read meanwhile."""
    pipe = tmp_path / "hosts"
    os.mkfifo(pipe)  # reading it hangs for as long as nobody writes
    clock = ManualClock()
    scout = made("/mnt/{host}/Clisvc.log", HostList(file=str(pipe)), clock)
    with capture_logs() as said:
        scout.begin()
        early = scout.finds()
        clock.advance(11.0)
        scout.begin()
        late = [scout.finds(), scout.finds()]
    pipe.write_text("pc1\n")
    found = finds(scout)

    assert [early, *late] == [None, None, None]
    assert [(entry["paths"], entry["seconds"]) for entry in said] == [
        ("/mnt/{host}/Clisvc.log", 11)
    ]
    assert hosts(found) == ["pc1"]
