# SPDX-License-Identifier: Apache-2.0
"""Chaos with real processes: ``python -m tests.chaos``, or ``make chaos``.

Writers with sequence numbers, a shipper that is killed every few seconds, a real
Elasticsearch that is killed and restarted, a proxy that cuts and refuses. At the end
every record is looked for in the index. Exit code 1 if any is lost or doubled.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import time
from pathlib import Path

import msgspec

from tests.chaos import overwriting
from tests.chaos.plan import Plan
from tests.chaos.run import ground_for, run


def main() -> int:
    """Run a scenario and print its report."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rate", type=float, default=2_000.0, help="records a second")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--report", type=Path, help="file for the report as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the run's folder")
    parser.add_argument("--no-rollover", action="store_true")
    parser.add_argument(
        "--no-spool",
        action="store_true",
        help="overwrite only what the shipper could read while the server was there",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="overwrite on purpose: is the loss told as it is?",
    )
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    if given.overwrite:
        plan = overwriting.plan(given.seed)
    else:
        plan = Plan(
            seed=given.seed,
            seconds=given.minutes * 60,
            least_kills=round(given.minutes * 10),
            least_server_kills=round(given.minutes),
            files=given.files,
            rate=given.rate,
            rollovers=not given.no_rollover,
            spool=not given.no_spool,
        )
    scenario = overwriting.run if given.overwrite else run
    with ground_for(plan, keep=given.keep) as ground:
        _say(f"in {ground.folder}")
        report = scenario(plan, ground, _say)
    sys.stdout.write(report.text() + "\n")
    if given.report:
        given.report.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0 if report.passed else 1


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
