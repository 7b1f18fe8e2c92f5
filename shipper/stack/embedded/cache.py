# SPDX-License-Identifier: Apache-2.0
"""The folder for what is fetched once: servers, and a Java others can read."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account
from shipper.stack.embedded.lifeline import Lifeline

VARIABLE = "CLISVC_CACHE"
"""Environment variable that names another cache folder."""

_APP = "clisvc-shipper"
_SYSTEM_CACHE = Path("/var/cache") / _APP
_FULL = (errno.ENOSPC, errno.EDQUOT)


def cache_root(account: Account | None) -> Path:
    """Return the cache folder, made if absent.

    Args:
        account: who must be able to read it besides us, or None.

    Raises:
        EmbeddedError: it cannot be made, or that account cannot reach it.
    """
    chosen = os.environ.get(VARIABLE)
    root = Path(chosen).absolute() if chosen else platformdirs.user_cache_path(_APP)
    if account and not chosen and not account.reaches(root):
        root = _SYSTEM_CACHE  # root's own cache is closed to the server's account
    with disk_problems(root):
        if not root.is_dir():
            root.mkdir(parents=True)
            if account:
                root.chmod(0o755)
    if account:
        require_reach(account, root, f"Set {VARIABLE} to a folder all users can enter.")
    return root


def require_reach(account: Account, path: Path, remedy: str) -> None:
    """Check that an account can enter a folder.

    Raises:
        EmbeddedError: it cannot.
    """
    if not account.reaches(path):
        raise EmbeddedError(
            f"{path} is closed to user {account.uid}, and Elasticsearch, which refuses "
            "to run as root, runs as that user.",
            remedy=remedy,
        )


def build_once(target: Path, fill: Callable[[Path], None], lifeline: Lifeline) -> Path:
    """Return a folder of the cache, building it if absent: whole, or not at all.

    Args:
        target: the finished folder.
        fill: puts the content into an empty folder beside it.
        lifeline: removes what a killed run leaves half-built.

    Raises:
        EmbeddedError: the disk is full or refuses.
    """
    if target.is_dir():
        return target
    partial = target.with_name(f".{target.name}-{secrets.token_hex(4)}")
    lifeline.remove_at_end(partial)
    with disk_problems(target.parent):
        partial.mkdir()
        partial.chmod(0o755)  # whatever our umask is
        fill(partial)
        try:
            partial.replace(target)
        except OSError:
            if not target.is_dir():  # unless another process was faster
                raise
    return target


@contextlib.contextmanager
def disk_problems(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into an error that names the folder.

    Raises:
        EmbeddedError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            raise EmbeddedError(
                f"No space is left for Elasticsearch in {folder}.",
                remedy=f"Free about 400 MB there, or set {VARIABLE} to another folder.",
            ) from problem
        raise EmbeddedError(
            f"{problem.filename or folder} cannot be used: "
            f"{problem.strerror or problem}.",
            remedy=f"Check its permissions, or set {VARIABLE} to another folder.",
        ) from problem
