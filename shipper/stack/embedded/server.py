# SPDX-License-Identifier: Apache-2.0
"""Starting the server, for as long as we live or for longer."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account, unprivileged
from shipper.stack.embedded.cache import cache_root, disk_problems, require_reach
from shipper.stack.embedded.distribution import (
    DEFAULT_VERSION,
    Fetch,
    Report,
    distribution,
)
from shipper.stack.embedded.instance import HOST, Instance, healthy
from shipper.stack.embedded.java import find_java
from shipper.stack.embedded.lifeline import Child, Lifeline
from shipper.stack.embedded.running import (
    RunningServer,
    record_path,
    status,
    write_record,
)

_POLL_S = 0.1
_KILLED = (-9, 137)  # the launcher by signal 9; the server it watched, likewise
_pause = threading.Event()


def _silent(_step: str) -> None:
    """Tell nobody."""


class EmbeddedServer:
    """A server for as long as a ``with`` block runs.

    However the block or this process ends, ``kill -9`` included, the server ends too
    and a temporary home is removed.

    Args:
        version: one of `VERSIONS`.
        home: folder for its data and logs; None is a temporary one.
        port: port for HTTP on the loopback address; None is any free one.
        heap_mb: size of its Java heap in MiB; it takes about 200 MiB more.
        deadline_s: seconds it may take to answer, counted after the fetching.
        report: is told each step, in words for people.
        fetch: gets the archive; None is from Maven Central.
    """

    def __init__(
        self,
        *,
        version: str = DEFAULT_VERSION,
        home: Path | None = None,
        port: int | None = None,
        heap_mb: int = 512,
        deadline_s: float = 120.0,
        report: Report = _silent,
        fetch: Fetch | None = None,
    ) -> None:
        self._version = version
        self._home = home
        self._port = port
        self._heap_mb = heap_mb
        self._deadline_s = deadline_s
        self._report = report
        self._fetch = fetch
        self._lifeline: Lifeline | None = None

    def __enter__(self) -> RunningServer:
        """Start the server and wait until it answers.

        Raises:
            EmbeddedError: it cannot be had or started; nothing is left of the attempt.
        """
        self._lifeline = lifeline = Lifeline()
        try:
            return self._start(lifeline)
        except BaseException:
            lifeline.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lifeline is not None:
            self._lifeline.close()

    def release(self) -> None:
        """Let the server outlive the block and this process; `stop` ends it."""
        if self._lifeline is not None:
            self._lifeline.release()

    def _start(self, lifeline: Lifeline) -> RunningServer:
        account = unprivileged()
        home = self._make_home(account, lifeline)
        present = status(home)
        if present is not None:
            raise EmbeddedError(
                f"Elasticsearch {present.version} already runs in {home}, "
                f"at {present.url}.",
                remedy="Use that one, or stop it first: clisvc embedded stop",
            )
        _require_free(self._port)
        instance = Instance(
            home=home,
            version=self._version,
            tree=distribution(
                self._version,
                account=account,
                lifeline=lifeline,
                report=self._report,
                fetch=self._fetch,
            ),
            java=find_java(account=account, lifeline=lifeline),
            port=self._port or 0,
            heap_mb=self._heap_mb,
            account=account,
        )
        instance.prepare()
        self._report(
            f"starting Elasticsearch {self._version} on Java {instance.java.version}"
        )
        began = time.monotonic()
        process = lifeline.launch(instance.program())
        url = self._wait(instance, process, lifeline)
        server = RunningServer(
            version=self._version, url=url, home=home, process=process
        )
        lifeline.remove_at_end(record_path(home))
        write_record(server)
        self._report(f"ready at {url} after {time.monotonic() - began:.1f} s")
        return server

    def _make_home(self, account: Account | None, lifeline: Lifeline) -> Path:
        if self._home is not None:
            home = self._home.absolute()
        else:
            parent = Path(tempfile.gettempdir())
            if account and not account.reaches(parent):
                parent = cache_root(account)
            home = parent / f"clisvc-elasticsearch-{secrets.token_hex(4)}"
            lifeline.remove_at_end(home)
        with disk_problems(home):
            if not home.is_dir():
                home.mkdir(parents=True)
                if account:
                    home.chmod(0o755)
        if account:
            require_reach(account, home, "Choose a folder all users can enter.")
        return home

    def _wait(self, instance: Instance, process: Child, lifeline: Lifeline) -> str:
        deadline = time.monotonic() + self._deadline_s
        while process.alive():
            url = instance.url()
            if url is not None and healthy(url):
                return url
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Elasticsearch {self._version} did not answer within "
                    f"{self._deadline_s:g} s. {_quote(instance)}",
                    remedy="Try again when the machine is less busy.",
                )
            _pause.wait(_POLL_S)
        quote = _quote(instance)
        code = lifeline.close()
        raise EmbeddedError(
            f"Elasticsearch {self._version} ended while starting "
            f"({_exit_words(code)}). {quote}",
            remedy=_remedy(code, quote),
        )


def start(
    home: Path,
    *,
    version: str = DEFAULT_VERSION,
    port: int | None = None,
    heap_mb: int = 512,
    report: Report = _silent,
) -> RunningServer:
    """Start a server that outlives this process, until `stop`.

    Args:
        home: folder for its data and logs.
        version: one of `VERSIONS`.
        port: port for HTTP on the loopback address; None is any free one.
        heap_mb: size of its Java heap in MiB.
        report: is told each step, in words for people.

    Raises:
        EmbeddedError: it cannot be had or started; nothing is left of the attempt.
    """
    embedded = EmbeddedServer(
        version=version, home=home, port=port, heap_mb=heap_mb, report=report
    )
    with embedded as server:
        embedded.release()
    return server


def default_home() -> Path:
    """Return the folder used when none is named, in the cache.

    Raises:
        EmbeddedError: the cache cannot be used.
    """
    return cache_root(unprivileged()) / "server"


def _require_free(port: int | None) -> None:
    if port is None:
        return
    with socket.socket() as probe:
        # As Java does: a port that only waits out a closed connection is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as problem:
            raise EmbeddedError(
                f"Port {port} on {HOST} cannot be used: "
                f"{getattr(problem, 'strerror', None) or problem}.",
                remedy="Choose another port, or none to take any that is free.",
            ) from problem


def _quote(instance: Instance) -> str:
    lines = instance.last_lines()
    return f"Its last lines:\n{lines}\n" if lines else "It printed nothing."


def _exit_words(code: int | None) -> str:
    if code is None:
        return "its exit code is not known"
    if code in _KILLED:
        return "it was killed"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _remedy(code: int | None, quote: str) -> str:
    if "No space left on device" in quote:
        return "The disk is full: free some space and start again."
    if code in _KILLED:
        return "Often the system does that when memory is short: lower the heap."
    return ""
