# SPDX-License-Identifier: Apache-2.0
"""The ``clisvc`` command as people use it: real processes, real files, real signals."""

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from msgspec import Struct

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "shipper")
PATIENCE_S = 60.0
"""Seconds for what takes a few: the machine may be busy."""

_BEGINNING = datetime(2003, 2, 12, 6, 0, tzinfo=UTC)
_PAGE = 10_000
# Of Linux: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH; see capabilities(7).
_OVERRIDES = (1, 2)
_PR_CAPBSET_DROP = 24


class Done(Struct, frozen=True, kw_only=True):
    """What a command left: exit code and texts."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of standard output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment for a command, without settings of ours.

    Args:
        extra: variables added to it.
    """
    kept = {name: text for name, text in os.environ.items() if name[:7] != "CLISVC_"}
    if cache := os.environ.get("CLISVC_CACHE"):
        kept["CLISVC_CACHE"] = cache
    paths = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": paths} | dict(extra or {})


def clisvc(
    *words: object,
    stdin: bytes = b"",
    extra: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    before: Callable[[], None] | None = None,
    timeout_s: float = PATIENCE_S,
) -> Done:
    """Run a command to its end.

    Args:
        words: of the command line.
        stdin: what it reads.
        extra: variables of its environment.
        cwd: where it runs.
        before: called in the child before the command.
        timeout_s: seconds after which it is killed and the test fails.
    """
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        input=stdin,
        capture_output=True,
        env=environment(extra),
        cwd=cwd,
        preexec_fn=before,
        timeout=timeout_s,
        check=False,
    )
    return Done(
        code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode()
    )


@contextmanager
def running(
    log: Path, *words: object, out: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside the block; it is killed at its end if it still runs.

    Args:
        log: file its standard error is added to.
        words: of the command line.
        out: file for its standard output; default: none.
    """
    with log.open("ab") as errors, Path(out or os.devnull).open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=environment(),
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def obey_permissions() -> None:
    """Make permissions count for what this process executes next, even for root."""
    prctl = ctypes.CDLL(None).prctl
    for capability in _OVERRIDES:
        prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def until(
    condition: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S
) -> None:
    """Wait until ``condition`` holds.

    Args:
        condition: asked ten times a second.
        what: it is, for the message when it does not come.
        timeout_s: seconds to wait.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        threading.Event().wait(0.1)


def lines(first: int, count: int) -> bytes:
    """Return regular records, none like another: their number is their time.

    Args:
        first: number of the first.
        count: how many.
    """
    made = []
    for number in range(first, first + count):
        at = _BEGINNING + timedelta(milliseconds=17 * number)
        made.append(
            f"Copy Queue - {number} jobs waiting~  $$<C:\\WINNT\\MS\\SMS\\CORE\\BIN"
            f"\\CLISVCL.EXE><{at:%a %b %d %H:%M:%S}.{at.microsecond // 1000:03}"
            f" {at:%Y} Pacific Standard Time><thread=52 (0x34)>\r\n"
        )
    return "".join(made).encode("ascii")


def texts(data: bytes) -> list[str]:
    """Return the records in ``data`` as they stand in ``event.original``."""
    return data.decode("cp1252").replace("\r", "").splitlines()


def count(client: Elasticsearch, namespace: str) -> int:
    """Return how many record documents there are by now."""
    index = f"logs-sms.clisvc-{namespace}"
    if not client.indices.exists(index=index):
        return 0
    client.indices.refresh(index=index)
    return int(client.count(index=index)["count"])


def originals(client: Elasticsearch, namespace: str) -> "Counter[str]":
    """Return every record's text with how often it is indexed."""
    return Counter(
        hit["_source"]["event"]["original"]
        for hit in hits(
            client, f"logs-sms.clisvc-{namespace}", source=["event.original"]
        )
    )


def hits(
    client: Elasticsearch, index: str, *, source: list[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield every document of a data stream, from one point in time.

    Args:
        client: the client.
        index: name of the data stream.
        source: fields wanted; default: all.
    """
    client.indices.refresh(index=index)
    point = client.open_point_in_time(index=index, keep_alive="1m")["id"]
    after = None
    try:
        while True:
            page = client.search(
                size=_PAGE,
                pit={"id": point, "keep_alive": "1m"},
                sort=[{"_shard_doc": "asc"}],
                search_after=after,
                source_includes=source,
                track_total_hits=False,
            )["hits"]["hits"]
            if not page:
                return
            yield from page
            after = page[-1]["sort"]
    finally:
        client.close_point_in_time(id=point)


def status(state: Path) -> dict[str, Any]:
    """Return the only source in a state folder."""
    (source,) = clisvc("status", "--state", state, "--json").json["sources"]
    found: dict[str, Any] = source
    return found


def acked(state: Path) -> int:
    """Return the bytes acknowledged, without the cost of a process."""
    database = state / "state.db"
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        found = connection.execute("SELECT sum(offset) FROM generation").fetchone()
    except sqlite3.OperationalError:  # it is being made
        return 0
    finally:
        connection.close()
    return int(found[0] or 0)


def holds(state: Path, pid: int) -> bool:
    """Tell whether a process has the state folder, and so reacts to signals."""
    try:
        return (state / "pid").read_text("ascii") == str(pid)
    except FileNotFoundError:
        return False
