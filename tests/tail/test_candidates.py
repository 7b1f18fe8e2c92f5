# SPDX-License-Identifier: Apache-2.0
"""Names: which files may belong to which log."""

from __future__ import annotations

import pytest

from shipper.tail import Siblings
from shipper.tail.candidates import LogName, active_path, log_name


@pytest.mark.parametrize(
    ("name", "log", "active"),
    [
        ("Clisvc.log", "clisvc", True),
        ("CLISVC.LOG", "clisvc", True),
        ("Clisvc.lo_", "clisvc", False),
        ("clisvc.LO_", "clisvc", False),
        ("Clisvc-20030212-101500.log", "clisvc", False),
        ("CcmExec-20240115-093000.log", "ccmexec", False),
        ("Clisvc.log.1", "clisvc", False),
        ("Clisvc.12", "clisvc", False),
        ("Clisvcl.log", "clisvcl", True),
        ("Ccm-2003.log", "ccm-2003", True),
        ("app.server.log", "app.server", True),
        ("messages", "messages", True),
        ("clisvc.txt", "clisvc.txt", True),
    ],
)
def test_a_name_tells_log_and_role(name: str, *, log: str, active: bool) -> None:
    """The known rotated forms belong to their log; other names are logs themselves."""
    assert log_name(name) == LogName(log=log, active=active)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/logs/Clisvc.log", "/logs/Clisvc.log"),
        ("/logs/Clisvc.lo_", "/logs/Clisvc.log"),
        ("/logs/CLISVC.LO_", "/logs/CLISVC.LOG"),
        ("/logs/Clisvc-20030212-101500.log", "/logs/Clisvc.log"),
        (r"C:\Logs\Clisvc.log.1", r"C:\Logs\Clisvc.log"),
        (r"\\pc0417\SMSLogs$\Clisvc.lo_", r"\\pc0417\SMSLogs$\Clisvc.log"),
        ("messages", "messages"),
    ],
)
def test_a_rotated_file_names_its_active_log(path: str, expected: str) -> None:
    """Folder and style of path stay as they are."""
    assert active_path(path) == expected


def test_siblings_are_selected_by_log() -> None:
    """The active one first, the others by name, whatever their case."""
    siblings = Siblings(path="/logs/Clisvc.log")
    names = [
        "Clisvcl.log",
        "CLISVC.LO_",
        "Clisvc.log",
        "Clisvc-20030212-101500.log",
        "Clisvc.bak",
        "Ccim32.log",
    ]

    assert siblings.select(names) == [
        "/logs/Clisvc.log",
        "/logs/CLISVC.LO_",
        "/logs/Clisvc-20030212-101500.log",
    ]


@pytest.mark.parametrize("folder", ["C:\\Logs\\", "C:/Logs/", r"\\pc\SMSLogs$" + "\\"])
def test_windows_paths_keep_their_slashes(folder: str) -> None:
    """What is selected can be compared with what was configured."""
    siblings = Siblings(path=folder + "clisvc.log")

    assert siblings.select(["Clisvc.lo_", "Clisvc.log"]) == [
        folder + "Clisvc.log",
        folder + "Clisvc.lo_",
    ]
    assert not siblings.rotated(folder + "Clisvc.log")
    assert siblings.rotated(folder + "Clisvc.lo_")


def test_only_named_files_are_selected_if_there_are_any() -> None:
    """Case does not matter, as the user need not type the name as it is."""
    siblings = Siblings(path="/logs/Clisvc.log", only=("/logs/clisvc.lo_",))

    assert siblings.select(["Clisvc.log", "Clisvc.lo_"]) == ["/logs/Clisvc.lo_"]


def test_merging_selects_what_either_selects() -> None:
    """All files win over some."""
    one = Siblings(path="/logs/a.log", only=("/logs/a.log",))
    other = Siblings(path="/logs/a.log", only=("/logs/a.lo_",))
    every = Siblings(path="/logs/a.log")

    assert one.merge(other).only == ("/logs/a.log", "/logs/a.lo_")
    assert one.merge(every).only == every.merge(one).only == ()
