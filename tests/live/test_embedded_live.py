# SPDX-License-Identifier: Apache-2.0
"""The embedded server itself: it answers, it stops, and it never stays behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from elasticsearch import Elasticsearch

from shipper.errors import EmbeddedError
from shipper.stack.embedded import EmbeddedServer, start, status, stop
from shipper.stack.embedded.instance import healthy

if sys.platform == "win32":
    pytest.skip("process groups and signals are POSIX", allow_module_level=True)

pytestmark = pytest.mark.elasticsearch

SERVER_CLASS = "org.elasticsearch.bootstrap.Elasticsearch"

PARENT = """
import threading
from shipper.stack.embedded import EmbeddedServer

with EmbeddedServer(report=lambda step: print(step, flush=True)) as server:
    print(server.home, flush=True)
    threading.Event().wait(300)
"""

STOP = """
import sys
from pathlib import Path
from shipper.stack.embedded import status, stop

home = Path(sys.argv[1])
assert status(home) is not None
assert stop(home) is not None
assert status(home) is None
"""


def _eventually(condition: Callable[[], bool], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    return condition()


def _servers() -> set[int]:
    """Return the ids of all Elasticsearch processes, launchers not counted."""
    found = set()
    for process in psutil.process_iter():
        try:
            if SERVER_CLASS in " ".join(process.cmdline()):
                found.add(process.pid)
        except psutil.Error:
            continue
    return found


def _servers_below(parent: int) -> list[psutil.Process]:
    """Return the Elasticsearch processes that a process has started."""
    servers = _servers()
    below = psutil.Process(parent).children(recursive=True)
    return [process for process in below if process.pid in servers]


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder all users can enter; whatever runs there is stopped at the end."""
    made = Path(tempfile.mkdtemp(prefix="clisvc-test-"))
    made.chmod(0o755)
    yield made
    stop(made)
    shutil.rmtree(made)


@pytest.mark.parametrize(
    ("name", "version"), [("client", "9.2.0"), ("client_8", "8.19.8")]
)
def test_both_majors_answer(
    request: pytest.FixtureRequest, name: str, version: str
) -> None:
    """The official client talks to either server."""
    client: Elasticsearch = request.getfixturevalue(name)

    nodes = client.nodes.info()["nodes"].values()

    assert [node["version"] for node in nodes] == [version]


def test_a_detached_server_is_stopped_by_another_process(home: Path) -> None:
    """It outlives what started it, knows its own, keeps its data, and goes for good."""
    steps: list[str] = []

    server = start(home, report=steps.append)

    assert healthy(server.url)
    assert status(home) == server
    assert steps[-2].startswith("starting Elasticsearch 9.2.0 on Java ")
    assert steps[-1].startswith(f"ready at {server.url} after ")
    with pytest.raises(EmbeddedError, match="already runs") as caught:
        start(home)
    assert server.url in caught.value.message
    assert healthy(server.url)

    subprocess.run([sys.executable, "-c", STOP, str(home)], check=True)

    assert not server.process.alive()
    assert not healthy(server.url)
    assert not (home / "server.json").exists()
    assert (home / "data-9.2.0").is_dir()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_the_parent_while_starting_leaves_nothing(
    number: signal.Signals,
) -> None:
    """Neither a Java process nor a temporary home stays behind."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert _eventually(lambda: bool(_servers_below(parent.pid)))
        (java,) = _servers_below(parent.pid)
        home = Path(java.environ()["HOME"])
        assert home.is_dir()
        parent.send_signal(number)

    assert _eventually(lambda: not java.is_running())
    assert _eventually(lambda: not home.exists())


def test_a_killed_parent_takes_a_ready_server_along() -> None:
    """Kill -9 runs no code of ours, and still the server and its home go."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        home = next(Path(line.strip()) for line in parent.stdout if line[0] == os.sep)
        (java,) = _servers_below(parent.pid)
        assert home.is_dir()
        parent.kill()

    assert _eventually(lambda: not java.is_running())
    assert _eventually(lambda: not home.exists())


def test_a_server_killed_while_starting_is_told() -> None:
    """The error says that it was killed, with its last lines, and nothing stays."""
    present = {process.pid for process in _servers_below(os.getpid())}
    homes: list[Path] = []
    killed: list[psutil.Process] = []

    def kill_the_next() -> None:
        def found() -> bool:
            killed.extend(
                process
                for process in _servers_below(os.getpid())
                if process.pid not in present
            )
            return bool(killed)

        if _eventually(found):
            homes.append(Path(killed[0].environ()["HOME"]))
            killed[0].kill()

    killer = threading.Thread(target=kill_the_next)
    killer.start()
    with pytest.raises(EmbeddedError) as caught, EmbeddedServer():
        pytest.fail("it was to be killed first")
    killer.join()

    assert caught.value.message.startswith(
        "Elasticsearch 9.2.0 ended while starting (it was killed)."
    )
    assert "memory" in caught.value.remedy
    assert not killed[0].is_running()
    assert [home for home in homes if home.exists()] == []


def test_a_killed_launcher_takes_its_server_along(home: Path) -> None:
    """Of a detached server only the launcher is on record; its end is the server's."""
    server = start(home)
    (java,) = psutil.Process(server.process.pid).children()

    os.kill(server.process.pid, signal.SIGKILL)

    assert _eventually(lambda: not java.is_running())
    assert status(home) is None
