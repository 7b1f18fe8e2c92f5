# SPDX-License-Identifier: Apache-2.0
"""The main scenario: write, kill, cut and rotate; then compare."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from shipper.demo.fleet.dice import dice
from tests.chaos.checker import Events, Findings, compare, doubles, states
from tests.chaos.journal import Truth, read
from tests.chaos.plan import Ground, Plan
from tests.chaos.proxy import Proxy
from tests.chaos.report import Report
from tests.chaos.running import Running
from tests.chaos.server import STREAMS, Server
from tests.chaos.victim import Victim
from tests.chaos.writer import Orders, acked
from tests.live.commands import ROOT, clisvc, environment, hits

_LEAST_PATIENCE_S = 180.0
_SAY_S = 10.0
_SUMS = ("seen", "acked", "pending", "dead_lettered", "lost", "records", "duplicates")

Say = Callable[[str], None]


@contextmanager
def ground_for(plan: Plan, *, keep: bool = False) -> Iterator[Ground]:
    """Make the folder of a run; it is removed at the end.

    Args:
        plan: of the run.
        keep: leave it for a look.
    """
    folder = Path(tempfile.mkdtemp(prefix="clisvc-chaos-"))
    folder.chmod(0o755)  # the server may run as another user
    try:
        ground = Ground(folder=folder)
        ground.prepare(plan)
        yield ground
    finally:
        if not keep:
            shutil.rmtree(folder)


def run(plan: Plan, ground: Ground, say: Say) -> Report:
    """Run the scenario.

    Args:
        plan: of the run.
        ground: its folder, prepared.
        say: is told now and then how far it is.
    """
    needs = ("shipper",) if plan.spool else ("shipper", "server")
    running = Running(ground.running, needs)
    with ExitStack() as stack:
        server = Server(plan, ground, running, dice(plan.seed, "server"))
        stack.callback(server.stop)
        proxy = stack.enter_context(Proxy(server.port, dice(plan.seed, "proxy")))
        victim = Victim(ground, proxy.url, running, dice(plan.seed, "victim"))
        stack.callback(victim.stop)
        stack.callback(server.halt)
        server.start()
        say(f"Elasticsearch answers; seed {plan.seed}")
        victim.start()
        proxy.faulty = True
        began = time.monotonic()
        with _writing(plan, ground) as fine:
            server.trouble_it()
            _wait(
                plan,
                ground,
                victim,
                server,
                lambda: fine() and server.trouble is None,
                say,
            )
        seconds = time.monotonic() - began
        victim.calm()
        proxy.faulty = False
        server.calm()
        truth = read(map(ground.journal, range(plan.writers)))
        say("faults are over; waiting until all is indexed")
        patience_s = max(_LEAST_PATIENCE_S, plan.seconds)
        caught_up = _catch_up(ground, truth, patience_s)
        victim.stop()
        status = clisvc("status", "--state", ground.state, "--json").json
        events = Events(
            shipper_kills=victim.kills,
            server_kills=server.kills,
            server_stops=server.stops,
        )
        say("comparing")
        wrong = [f"the shipper: {failure}" for failure in victim.failures]
        if caught_up is None:
            wrong.append(f"not caught up within {patience_s:.0f} s")
        return report(
            plan,
            truth,
            caught_up,
            status,
            look(server.url, truth, events),
            events,
            seconds=seconds,
            rollovers=server.rollovers,
            faults={str(kind): count for kind, count in proxy.faults.items()},
            wrong=wrong + _wrong_status(status, truth),
        )


@contextmanager
def _writing(plan: Plan, ground: Ground) -> Iterator[Callable[[], bool]]:
    """Let the writers write while the block runs; give whether all still do."""
    writers: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(plan.writers):
            orders = Orders(plan=plan, folder=str(ground.folder), number=number)
            writer = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.writer"],
                stdin=subprocess.PIPE,
                cwd=ROOT,
                env=environment(),
                start_new_session=True,
            )
            writers.append(writer)
            if writer.stdin is not None:
                with writer.stdin as orders_in:
                    orders_in.write(msgspec.json.encode(orders))
        yield lambda: all(writer.poll() is None for writer in writers)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGTERM)
        codes = [writer.wait() for writer in writers]
    if any(codes):
        raise RuntimeError(f"writers ended with {codes}")


def _wait(
    plan: Plan,
    ground: Ground,
    victim: Victim,
    server: Server,
    fine: Callable[[], bool],
    say: Say,
) -> None:
    """Wait for the run's end, or until something of ours is not fine."""
    began = time.monotonic()
    pause = threading.Event()
    while fine():
        passed = time.monotonic() - began
        enough = (
            len(victim.kills) >= plan.least_kills
            and len(server.kills) >= plan.least_server_kills
        )
        if passed >= plan.seconds * (1 if enough else 2):
            return
        say(
            f"{passed:.0f} of {plan.seconds:.0f} s,"
            f" {sum(acked(ground.state / 'state.db').values()):,} bytes acknowledged,"
            f" {len(victim.kills)} kills of the shipper,"
            f" {len(server.kills) + len(server.stops)} of the server"
        )
        pause.wait(min(_SAY_S, max(1.0, plan.seconds - passed)))


def _catch_up(ground: Ground, truth: Truth, patience_s: float) -> float | None:
    """Wait until all bytes are accounted for; return the seconds it took, or None."""
    total = sum(life.size for lives in truth.values() for life in lives)
    database = ground.state / "state.db"
    began = time.monotonic()
    pause = threading.Event()
    while time.monotonic() < began + patience_s:
        pause.wait(1.0)
        if sum(acked(database).values()) >= total:
            return time.monotonic() - began
    return None


def look(url: str, truth: Truth, events: Events) -> Findings:
    """Compare with what a server has indexed.

    Args:
        url: of the server.
        truth: what was written.
        events: what happened meanwhile.
    """
    with Elasticsearch(url, max_retries=0, request_timeout=60) as client:
        originals = (
            hit["_source"]["event"]["original"]
            for hit in hits(client, STREAMS[0], source=["event.original"])
        )
        found = compare(truth, originals, events)
        kinds, examples = doubles(client) if found.doubled else ({}, [])
        number, twice, copies = states(client)
    return msgspec.structs.replace(
        found,
        states=number,
        states_doubled=twice,
        doubled_by=kinds,
        examples=[*found.examples, *examples, *copies],
    )


def _wrong_status(status: dict[str, Any], truth: Truth) -> list[str]:
    """Return what does not add up in ``clisvc status`` of a run that caught up."""
    wrong = []
    for source in status["sources"]:
        host = source["host"]
        parts = ("acked", "pending", "dead_lettered", "lost")
        if source["seen"] != sum(source[part] for part in parts):
            wrong.append(f"{host}: seen is not the sum of its parts: {source}")
        if source["pending"] or source["dead_lettered"] or source["lost"]:
            wrong.append(f"{host}: not all is acknowledged: {source}")
        size = sum(life.size for life in truth.get(host, []))
        if source["acked"] != size:
            wrong.append(f"{host}: {source['acked']} bytes acked, {size} written")
    if len(status["sources"]) != len(truth):
        wrong.append(f"{len(status['sources'])} sources, {len(truth)} written")
    return wrong


def report(
    plan: Plan,
    truth: Truth,
    caught_up: float | None,
    status: dict[str, Any],
    findings: Findings,
    events: Events,
    **extra: Any,  # noqa: ANN401  fields of any type
) -> Report:
    """Put the report together.

    Args:
        plan: of the run.
        truth: what was written.
        caught_up: seconds until all was indexed, or ``None``.
        status: what ``clisvc status`` says.
        findings: of the comparison.
        events: what was done to the processes.
        extra: further fields of the report.
    """
    lives = [life for found in truth.values() for life in found]
    return Report(
        seed=plan.seed,
        caught_up_s=caught_up,
        files=plan.files,
        generations=len(lives),
        bytes=sum(life.size for life in lives),
        rotations=dict(Counter(life.ended for life in lives if life.ended)),
        overwritten=sum(life.gone_at is not None for life in lives),
        shipper_kills=len(events.shipper_kills),
        server_kills=len(events.server_kills),
        server_stops=len(events.server_stops),
        status={
            name: sum(source[name] for source in status["sources"]) for name in _SUMS
        },
        findings=findings,
        **extra,
    )
