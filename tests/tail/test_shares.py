# SPDX-License-Identifier: Apache-2.0
"""Which paths are on shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.tail.shares import Mounts, is_unc
from tests.fakes.clock import ManualClock


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"\\pc0417\SMSLogs$\Clisvc.log", True),
        (r"\\?\UNC\pc0417\SMSLogs$\Clisvc.log", True),
        (r"\\?\C:\Logs\Clisvc.log", False),
        (r"\\?\d:\Logs\Clisvc.log", False),
        (r"\\.\D:\Logs\Clisvc.log", False),
        (r"C:\Logs\Clisvc.log", False),
        ("/logs/Clisvc.log", False),
    ],
)
def test_a_network_path_is_told_by_its_form(path: str, *, expected: bool) -> None:
    """The long form of a local path begins with two backslashes too."""
    assert is_unc(path) is expected


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of mounts as the kernel writes it."""
    path = tmp_path / "mounts"
    path.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "/dev/sdb1 /disk fuseblk rw 0 0\n"
        "auto /net autofs rw 0 0\n"
        "//pc1/SMSLogs$ /mnt/my\\040fleet/pc1 cifs rw 0 0\n"
        "filer:/logs /mnt/filer nfs4 rw 0 0\n"
        "host: /mnt/ssh fuse.sshfs rw 0 0\n"
        "systemd-1 /mnt/auto autofs rw 0 0\n"
        "/dev/sdc1 /mnt/auto ext4 rw 0 0\n"
    )
    return path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/log/Clisvc.log", False),
        ("/disk/Clisvc.log", False),
        ("/net/pc1/Clisvc.log", True),
        ("/mnt/my fleet/pc1/Clisvc.log", True),
        ("/mnt/my fleet/pc12/Clisvc.log", False),
        ("/mnt/filer", True),
        ("/mnt/ssh/Clisvc.log", True),
        ("/mnt/auto/Clisvc.log", False),
        (r"\\pc0417\SMSLogs$\Clisvc.log", True),
    ],
)
def test_a_share_is_told_by_its_file_system(
    table: Path, path: str, *, expected: bool
) -> None:
    """Caches and hangs are a matter of the file system, not of the path."""
    assert Mounts(ManualClock(), str(table)).on_share(path) is expected


def test_the_table_is_read_for_many_paths_at_once(table: Path) -> None:
    """With 10,000 shares it has 10,000 lines, and as many paths ask."""
    clock = ManualClock()
    mounts = Mounts(clock, str(table))
    before = mounts.on_share("/mnt/filer/Clisvc.log")
    table.write_text("/dev/sda1 / ext4 rw 0 0\n")
    clock.advance(9.0)
    meanwhile = mounts.on_share("/mnt/filer/Clisvc.log")
    clock.advance(2.0)

    assert (before, meanwhile) == (True, True)
    assert not mounts.on_share("/mnt/filer/Clisvc.log")


def test_the_real_table_can_be_read(tmp_path: Path) -> None:
    """A temporary folder is on no share."""
    assert not Mounts().on_share(str(tmp_path))
