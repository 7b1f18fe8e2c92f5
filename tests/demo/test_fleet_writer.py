# SPDX-License-Identifier: Apache-2.0
"""A fleet on disk: history, live part, halves and rotations."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from shipper.demo.fleet import LOG_NAME, OLDER_NAME, Action, Fleet, Writer
from shipper.errors import UsageProblem


@cache
def fleet() -> Fleet:
    """Plan the fleet that all tests write, once."""
    return Fleet.plan(11, end=datetime(2003, 3, 14, 12, 30, tzinfo=UTC), hosts=16)


def on_disk(root: Path, host: str) -> bytes:
    """Return both generations of a host's log, the older first."""
    older = root / host / OLDER_NAME
    before = older.read_bytes() if older.exists() else b""
    return before + (root / host / LOG_NAME).read_bytes()


def test_history_is_everything_before_the_live_part(tmp_path: Path) -> None:
    """After the history the disk holds what lies before the live part, no more."""
    writer = Writer(fleet(), tmp_path / "fleet")
    writer.write_history()
    actual = {
        log.host.name: on_disk(tmp_path / "fleet", log.host.name)
        for log in fleet().logs
    }
    expected = {
        log.host.name: b"".join(
            entry.line for entry in log.entries if entry.time < fleet().live_from
        )
        for log in fleet().logs
    }
    assert actual == expected


def test_live_lines_are_counted(tmp_path: Path) -> None:
    """The number of live lines is known before they are written."""
    writer = Writer(fleet(), tmp_path / "fleet")
    expected = sum(
        entry.time >= fleet().live_from for log in fleet().logs for entry in log.entries
    )
    assert writer.live_lines == expected
    writer.write_history()
    done = Counter(step.action for step in writer.live())
    assert done[Action.LINE] + done[Action.HALF] == expected
    assert done[Action.HALF] == done[Action.REST]


def test_nothing_is_overwritten_without_leave(tmp_path: Path) -> None:
    """By default a host rotates once at most, and all of its lines stay on disk."""
    writer = Writer(fleet(), tmp_path)
    writer.write_history()
    rotated = Counter(
        step.host
        for step in writer.live()
        if step.action in (Action.RENAMED, Action.COPIED)
    )
    assert set(rotated.values()) == {1}
    for log in fleet().logs:
        assert on_disk(tmp_path, log.host.name) == b"".join(log.truth.lines)


def test_every_line_is_written_once_through_all_rotations(tmp_path: Path) -> None:
    """With leave to rotate again, the generations in a row are the truth."""
    read = {log.host.name: b"" for log in fleet().logs}

    def may_rotate(host: str) -> bool:
        read[host] += (tmp_path / host / OLDER_NAME).read_bytes()
        return True

    writer = Writer(fleet(), tmp_path, may_rotate)
    writer.write_history()
    actions = Counter(step.action for step in writer.live())
    assert actions[Action.RENAMED] == 8
    assert actions[Action.COPIED] == 8
    for log in fleet().logs:
        name = log.host.name
        assert read[name] + on_disk(tmp_path, name) == b"".join(log.truth.lines)


def test_refused_rotation_is_made_up_for(tmp_path: Path) -> None:
    """A rotation that was refused once happens before a later line."""
    asked = Counter[str]()

    def may_rotate(host: str) -> bool:
        asked[host] += 1
        return asked[host] > 1

    writer = Writer(fleet(), tmp_path, may_rotate)
    writer.write_history()
    rotated = Counter(
        step.host
        for step in writer.live()
        if step.action in (Action.RENAMED, Action.COPIED)
    )
    assert asked
    assert all(rotated[host] >= 1 for host, times in asked.items() if times > 1)
    assert max(rotated.values()) == 2


def test_half_lines_are_completed(tmp_path: Path) -> None:
    """After half a line that host's next step is the rest of it."""
    writer = Writer(fleet(), tmp_path)
    writer.write_history()
    open_hosts: set[str] = set()
    for step in writer.live():
        assert (step.host in open_hosts) == (step.action is Action.REST)
        if step.action is Action.HALF:
            open_hosts.add(step.host)
        else:
            open_hosts.discard(step.host)
        log = tmp_path / step.host / LOG_NAME
        ended = not log.exists() or log.read_bytes()[-1:] in (b"", b"\n")
        assert ended == (step.action is not Action.HALF)
    assert open_hosts == set()


def test_copied_log_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """Copy and truncate keeps the file, rename leaves its place empty."""
    writer = Writer(fleet(), tmp_path)
    writer.write_history()
    seen: set[Action] = set()
    for step in writer.live():
        log = tmp_path / step.host / LOG_NAME
        if step.action is Action.RENAMED:
            assert not log.exists()
            seen.add(step.action)
        elif step.action is Action.COPIED:
            assert log.stat().st_size == 0
            seen.add(step.action)
    assert seen == {Action.RENAMED, Action.COPIED}


def test_same_fleet_same_steps(tmp_path: Path) -> None:
    """Halves and rotations come at the same places every time."""
    steps = []
    for name in ("one", "two"):
        writer = Writer(fleet(), tmp_path / name)
        writer.write_history()
        steps.append(list(writer.live()))
    assert steps[0] == steps[1]


def test_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """A demo never writes over a log that may be somebody's own."""
    kept = tmp_path / "Clisvc.log"
    kept.write_bytes(b"mine\r\n")
    with pytest.raises(UsageProblem, match="is not empty"):
        Writer(fleet(), tmp_path)
    assert kept.read_bytes() == b"mine\r\n"
