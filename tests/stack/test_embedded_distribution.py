# SPDX-License-Identifier: Apache-2.0
"""Fetching, checking and unpacking the server's files."""

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.errors import EmbeddedError
from shipper.stack.embedded import VERSIONS, distribution
from shipper.stack.embedded.distribution import distribution as get
from shipper.stack.embedded.distribution import fetch_from_central
from shipper.stack.embedded.lifeline import Lifeline

# FIPS 180-4's SHA-512 of no bytes at all, as published.
SHA512_OF_NOTHING = (
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)

if sys.platform == "win32":
    pytest.skip("process groups and modes are POSIX", allow_module_level=True)

KILLED_WHILE_FILLING = """
import sys, threading
from pathlib import Path
from shipper.stack.embedded.cache import build_once
from shipper.stack.embedded.lifeline import Lifeline

def fill(folder):
    (folder / "half").write_text("half")
    print("filling", flush=True)
    threading.Event().wait(60)

with Lifeline() as lifeline:
    build_once(Path(sys.argv[1]) / "tree", fill, lifeline)
"""


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    """Give a lifeline that is closed at the end."""
    with Lifeline() as made:
        yield made


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache."""
    monkeypatch.setenv("CLISVC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a small archive that is pinned as 9.2.0."""
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("elasticsearch-9.2.0/bin/elasticsearch", "#!/bin/sh\n")
        content.writestr("elasticsearch-9.2.0/lib/a.jar", "jar")
    digest = hashlib.sha512(path.read_bytes()).hexdigest()
    monkeypatch.setattr(distribution, "VERSIONS", {"9.2.0": digest})
    return path


class Shelf:
    """Hands out copies of one archive and counts them."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.fetched = 0

    def fetch(self, version: str, folder: Path) -> Path:
        """Copy the archive into a folder."""
        self.fetched += 1
        folder.mkdir()
        copy = folder / f"{version}.zip"
        copy.write_bytes(self.archive.read_bytes())
        return copy


def _nothing(_version: str, folder: Path) -> Path:
    folder.mkdir()
    path = folder / "empty.zip"
    path.touch()
    return path


def _silent(_step: str) -> None:
    """Hear nothing."""


def test_a_wrong_checksum_is_refused(cache: Path) -> None:
    """The error names the version and both sums, and nothing is unpacked or kept."""
    with Lifeline() as lifeline, pytest.raises(EmbeddedError) as caught:
        get("9.2.0", account=None, lifeline=lifeline, report=_silent, fetch=_nothing)

    assert "9.2.0" in caught.value.message
    assert SHA512_OF_NOTHING in caught.value.message
    assert VERSIONS["9.2.0"] in caught.value.message
    assert list(cache.iterdir()) == []


def test_an_unknown_version_is_refused(lifeline: Lifeline) -> None:
    """The error names the version asked for and those there are."""
    with pytest.raises(EmbeddedError) as caught:
        get("7.17.0", account=None, lifeline=lifeline, report=_silent)

    assert str(caught.value) == (
        "Elasticsearch 7.17.0 cannot be embedded. Choose one of 9.2.0, 8.19.8."
    )


def test_a_version_is_fetched_once(
    cache: Path, archive: Path, lifeline: Lifeline
) -> None:
    """The second use finds the first one's files; the archive itself is not kept."""
    shelf = Shelf(archive)
    steps: list[str] = []

    trees = [
        get(
            "9.2.0",
            account=None,
            lifeline=lifeline,
            report=steps.append,
            fetch=shelf.fetch,
        )
        for _ in range(2)
    ]

    assert trees == [cache / "elasticsearch-9.2.0" / "elasticsearch-9.2.0"] * 2
    assert shelf.fetched == 1
    assert steps == [
        "fetching Elasticsearch 9.2.0 (99 MB, once)",
        "unpacking Elasticsearch 9.2.0",
    ]
    assert [path.name for path in cache.rglob("*.zip")] == []


def test_other_accounts_can_read_the_files(
    cache: Path, archive: Path, lifeline: Lifeline
) -> None:
    """A careful umask does not hide the server from the account that runs it."""
    before = os.umask(0o077)
    try:
        tree = get(
            "9.2.0",
            account=None,
            lifeline=lifeline,
            report=_silent,
            fetch=Shelf(archive).fetch,
        )
    finally:
        os.umask(before)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(cache / "elasticsearch-9.2.0") == 0o755
    assert mode(tree) == 0o755
    assert mode(tree / "bin" / "elasticsearch") == 0o755
    assert mode(tree / "lib" / "a.jar") == 0o644


def test_what_a_killed_run_left_is_not_used(
    cache: Path, archive: Path, lifeline: Lifeline
) -> None:
    """A half-unpacked tree, were one left, is passed over."""
    half = cache / ".elasticsearch-9.2.0-0badcafe" / "elasticsearch-9.2.0" / "bin"
    half.mkdir(parents=True)

    tree = get(
        "9.2.0",
        account=None,
        lifeline=lifeline,
        report=_silent,
        fetch=Shelf(archive).fetch,
    )

    assert (tree / "lib" / "a.jar").read_text() == "jar"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_leaves_nothing_half_built(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Whatever ends us while we build a folder, that folder goes."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_WHILE_FILLING, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"filling\n"
        process.send_signal(number)

    deadline = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_full_disk_is_named(cache: Path, lifeline: Lifeline) -> None:
    """The error says which folder has no space left and how to use another."""

    def fetch(_version: str, folder: Path) -> Path:
        path = Path("/dev/full")
        path.write_bytes(b"too much")
        return folder

    with pytest.raises(EmbeddedError) as caught:
        get("9.2.0", account=None, lifeline=lifeline, report=_silent, fetch=fetch)

    assert caught.value.message == f"No space is left for Elasticsearch in {cache}."
    assert "CLISVC_CACHE" in caught.value.remedy


def test_no_network_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a way to the repository the error says what to check."""
    with socket.socket() as closed:  # bound, so nobody else has it; not listening
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, proxy)
        for variable in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(variable, raising=False)
        with pytest.raises(EmbeddedError) as caught:
            fetch_from_central("9.2.0", tmp_path)

    assert "9.2.0 could not be fetched from Maven Central" in caught.value.message
    assert "HTTPS_PROXY" in caught.value.remedy
    assert "--elasticsearch-url" in caught.value.remedy


def test_without_the_extra_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing jgo is an installation to complete."""
    monkeypatch.setitem(sys.modules, "jgo.maven", None)

    with pytest.raises(EmbeddedError) as caught:
        fetch_from_central("9.2.0", tmp_path)

    assert caught.value.remedy == "Run: pip install 'clisvc-shipper[embedded]'"
