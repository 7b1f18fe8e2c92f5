# SPDX-License-Identifier: Apache-2.0
"""Feeds damaged input to everything that reads bytes it did not write itself.

    python -m tools.fuzz [--inputs N] [--seed S] [--target NAME]

Inputs are mutations of lines the client writes, of saved states and of whole checkpoint
stores. The same numbers give the same inputs. Each has a time limit. The first input
that breaks a law ends the run; it is printed, as short as cutting makes it.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import structlog

from tools.fuzz.inputs import log_bytes, mutated
from tools.fuzz.laws import (
    SNAPSHOT,
    fuzz_document,
    fuzz_frame,
    fuzz_parse,
    fuzz_trail,
)
from tools.fuzz.stores import fuzz_store, make_store, store_input

LIMIT_S = 5.0
#: Share of all inputs, in percent.
SHARES = {"frame": 40, "parse": 20, "document": 14, "trail": 25, "store": 1}

_TARGETS: dict[str, Callable[[bytes, random.Random], None]] = {
    "frame": fuzz_frame,
    "parse": fuzz_parse,
    "document": fuzz_document,
    "trail": fuzz_trail,
}


class Finding(Exception):
    """An input that breaks a law.

    Args:
        target: what was fed.
        number: of the input in its target.
        data: the input, or what is left of it once shortened.
        error: what happened.
    """

    def __init__(self, target: str, number: int, data: bytes, error: Exception) -> None:
        super().__init__(
            f"{target}, input {number}: {type(error).__name__}: {error}\n{data!r}"
        )


def run(target: str, inputs: int, seed: int) -> None:
    """Feed one target.

    Raises:
        Finding: an input breaks a law.
    """
    with TemporaryDirectory() as name, _alarm():
        folder = Path(name)
        files = make_store(folder) if target == "store" else {}
        for number in range(inputs):
            key = f"{target} {seed} {number}"
            rng = random.Random(key)  # noqa: S311 - to be repeatable, not secret
            if target == "store":
                _run_store(number, rng, files, folder)
                continue
            data = mutated(rng, SNAPSHOT) if target == "trail" else log_bytes(rng)
            state = rng.getstate()
            error = _broken(_TARGETS[target], data, rng)
            if error is not None:

                def breaks(shorter: bytes, state: object = state) -> bool:
                    again = random.Random()  # noqa: S311 - the same as above
                    again.setstate(state)  # type: ignore[arg-type]  # as it was got
                    return _broken(_TARGETS[target], shorter, again) is not None

                raise Finding(target, number, shortened(data, breaks), error)


def _run_store(
    number: int, rng: random.Random, files: dict[str, bytes], folder: Path
) -> None:
    data, wal = store_input(rng, files)
    with TemporaryDirectory(dir=folder) as place:

        def feed(data: bytes, _rng: random.Random) -> None:
            fuzz_store(data, Path(place), wal)

        error = _broken(feed, data, rng)
    if error is not None:
        raise Finding("store", number, data[:100], error)


def _broken(
    target: Callable[[bytes, random.Random], None], data: bytes, rng: random.Random
) -> Exception | None:
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        target(data, rng)
    except Exception as error:  # noqa: BLE001 - any is a finding
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def shortened(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """Cut pieces out of ``data`` for as long as what is left ``breaks`` a law."""
    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            shorter = data[:at] + data[at + size :]
            if breaks(shorter):
                data = shorter
            else:
                at += size
        size //= 2
    return data


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"no end within {LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Feed all targets, or one; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="in total")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=SHARES, help="only this one")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    shares = {given.target: 100} if given.target else SHARES
    for target, share in shares.items():
        inputs = given.inputs * share // 100
        begun = time.monotonic()
        try:
            run(target, inputs, given.seed)
        except Finding as finding:
            print(finding, file=sys.stderr)
            return 1
        took = time.monotonic() - begun
        print(f"{target:10}{inputs:>10,} inputs {took:8.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
