# SPDX-License-Identifier: Apache-2.0
"""Who the embedded server runs as, and what that account can reach."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account, unprivileged
from shipper.stack.embedded.cache import cache_root

if sys.platform == "win32":
    pytest.skip("process groups and modes are POSIX", allow_module_level=True)

STRANGER = Account(uid=64321, gid=64321)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder all users can enter, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="clisvc-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_root_is_never_the_account() -> None:
    """As root the server gets another account; anyone else keeps their own."""
    account = unprivileged()

    assert (account is None) == (os.geteuid() != 0)
    assert account is None or account.uid != 0


def test_an_open_folder_is_reached(folder: Path) -> None:
    """Folders all users may enter are reachable, also where they do not exist yet."""
    assert STRANGER.reaches(folder / "not" / "there")


def test_a_closed_parent_closes_what_is_below(folder: Path) -> None:
    """One folder closed on the way is enough."""
    inner = folder / "closed" / "open"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)

    assert not STRANGER.reaches(inner)


def test_the_owner_is_judged_by_the_owners_bits(folder: Path) -> None:
    """A folder closed to all others is open to its owner."""
    folder.chmod(0o700)
    status = folder.stat()

    assert Account(uid=status.st_uid, gid=STRANGER.gid).reaches(folder)


def test_a_chosen_cache_closed_to_the_account_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the folder, and the variable to change."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("CLISVC_CACHE", str(closed / "cache"))

    with pytest.raises(EmbeddedError) as caught:
        cache_root(STRANGER)

    assert caught.value.message.startswith(
        f"{closed / 'cache'} is closed to user 64321"
    )
    assert caught.value.remedy.startswith("Set CLISVC_CACHE")


def test_the_cache_is_open_whatever_the_umask(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A careful umask does not hide the cache from the server's account."""
    monkeypatch.setenv("CLISVC_CACHE", str(folder / "cache"))
    before = os.umask(0o077)
    try:
        root = cache_root(STRANGER)
    finally:
        os.umask(before)

    assert root == folder / "cache"
    assert STRANGER.reaches(root)
