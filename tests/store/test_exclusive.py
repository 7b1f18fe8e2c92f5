# SPDX-License-Identifier: Apache-2.0
"""One holder at a time, whoever comes."""

import os
import threading
from pathlib import Path

import pytest

from shipper.store.exclusive import exclusive


def test_second_one_waits(tmp_path: Path) -> None:
    """Who comes second gets in when the first one is out."""
    path = tmp_path / "lock"
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with exclusive(path):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(path):
        thread.start()
        assert waiting.wait(5)
        thread.join(0.1)  # time enough to get in, if nothing kept it out
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"
)
def test_belongs_to_the_folder(tmp_path: Path) -> None:
    """A lock that root makes is open to the service whose folder it is in."""
    os.chown(tmp_path, 1234, 1235)
    with exclusive(tmp_path / "lock"):
        made = (tmp_path / "lock").stat()

    assert (made.st_uid, made.st_gid) == (1234, 1235)


def test_given_back_after_an_error(tmp_path: Path) -> None:
    """A holder that fails does not keep it."""
    path = tmp_path / "lock"
    try:
        with exclusive(path):
            raise RuntimeError  # noqa: TRY301 - what the test is about
    except RuntimeError:
        pass

    with exclusive(path):
        assert path.exists()
