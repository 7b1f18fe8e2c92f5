# SPDX-License-Identifier: Apache-2.0
"""Patterns: the same files as :mod:`glob` finds, in bounded memory."""

from __future__ import annotations

import glob
import tracemalloc
from itertools import chain
from pathlib import Path

import pytest

from shipper.tail.wildcard import fixed_part, in_turn, searches


def found(root: Path, pattern: str) -> list[str]:
    """Return what matches, in order."""
    return sorted(chain.from_iterable(in_turn(searches(str(root), pattern))))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder with logs, hidden ones, links, and names with brackets."""
    for name in (
        "pc1/Clisvc.log",
        "pc1/Clisvc.lo_",
        "pc1/.hidden.log",
        "pc2/logs/Clisvc.log",
        "pc3/logs/old/a.log",
        ".pc4/Clisvc.log",
        "pc[5]/Clisvc.log",
        "plain.log",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "pc6").symlink_to(tmp_path / "pc1")
    (tmp_path / "dangling.log").symlink_to(tmp_path / "nothing")
    return tmp_path


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.log",
        "pc?/Clisvc.log",
        "pc[12]/*",
        "*/Clisvc.l*",
        "*/logs/*.log",
        "*/*/*/*.log",
        "pc3/*/old/a.log",
        "pc1/[!.]*.log",
        "*/.h*",
        ".*/Clisvc.log",
        "nothing/*.log",
        "plain.log/*",
        "pc[[]5]/Clisvc.log",
        "pc[[]5]/*",
    ],
)
def test_the_same_is_found_as_by_glob(tree: Path, pattern: str) -> None:
    """Users know what a pattern means."""
    assert found(tree, pattern) == sorted(glob.glob(f"{tree}/{pattern}"))  # noqa: PTH207 - text, to compare with


def test_each_folder_of_the_first_level_is_a_call(tree: Path) -> None:
    """One of them may hang; so may a link, which is not asked what it leads to."""
    names = [Path(name).name for name, _ in searches(str(tree), "*/Clisvc.log")]

    folders = ["pc1", "pc2", "pc3", "pc6", "pc[5]"]
    assert sorted(names) == ["dangling.log", *folders]


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/a/b*/c.log", "/a"),
        ("/*.log", "/"),
        (r"C:\Logs\pc?\a.log", r"C:\Logs"),
        ("/a/b/c.log", "/a/b"),
    ],
)
def test_the_fixed_part_is_a_folder(path: str, folder: str) -> None:
    """Nothing in it is special."""
    assert fixed_part(path) == folder


def test_other_files_cost_no_memory(tmp_path: Path) -> None:
    """20,000 names alone would take over a megabyte."""
    for number in range(20_000):
        (tmp_path / f"{number:032}.txt").touch()
    (tmp_path / "Clisvc.log").touch()
    tracemalloc.start()
    try:
        paths = found(tmp_path, "*.log")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert paths == [str(tmp_path / "Clisvc.log")]
    assert peak < 300_000
