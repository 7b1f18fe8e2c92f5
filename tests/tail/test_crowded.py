# SPDX-License-Identifier: Apache-2.0
"""When there are too many folders to watch."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.tail import crowded


@pytest.mark.parametrize(("most", "expected"), [(2, True), (3, False), (4, False)])
def test_folders_are_counted_at_every_depth(
    tmp_path: Path, most: int, *, expected: bool
) -> None:
    """A root is crowded when it has more folders below it than may be watched."""
    (tmp_path / "pc1" / "old").mkdir(parents=True)
    (tmp_path / "pc2").mkdir()

    assert crowded(str(tmp_path), most) is expected
