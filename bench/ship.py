# SPDX-License-Identifier: Apache-2.0
"""Measures ``clisvc ship``: events a second, CPU seconds, peak memory.

    python bench/ship.py [--records N] [--files N] [--runs N] [--url URL]

Without ``--url`` a sink that takes everything answers (``bench/sink.py``), so that the
shipper is what limits, and a bare Python loop (``bench/bare.py``) runs in turn with it,
because machines differ and ratios last. With one, the Elasticsearch there answers.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shipper.demo.fleet import write_big

_HERE = Path(__file__).parent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clisvc-bench-") as name:
        folder = Path(name)
        for number in range(given.files):
            home = folder / "logs" / f"pc{number:05d}"
            home.mkdir(parents=True)
            write_big(home / "Clisvc.log", given.records // given.files, number)
        sink = None
        url = given.url
        if not url:
            command = [sys.executable, str(_HERE / "sink.py")]
            sink = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert sink.stdout is not None  # noqa: S101 - it is piped
            url = sink.stdout.readline().strip()
        results: list[dict[str, float]] = []
        bare: list[dict[str, float]] = []
        try:
            for number in range(given.runs):
                results.append(_run(folder, url, number))
                if sink is not None and given.files == 1:
                    bare.append(_bare(folder, url))
        finally:
            if sink is not None:
                sink.kill()
                sink.wait()
    _print("clisvc ship", results)
    if bare:
        _print("bare loop", bare)
        ratios = [
            a["events/s"] / b["events/s"] for a, b in zip(results, bare, strict=True)
        ]
        print(
            f"ratio of events/s, pair by pair: median {statistics.median(ratios):.2f}"
        )


def _print(what: str, results: list[dict[str, float]]) -> None:
    for key in ("events/s", "cpu s", "peak MiB"):
        values = [result[key] for result in results]
        low, middle, high = min(values), statistics.median(values), max(values)
        print(
            f"{what:12} {key:9} min {low:,.1f}  median {middle:,.1f}  max {high:,.1f}"
        )


def _bare(folder: Path, url: str) -> dict[str, float]:
    path = next((folder / "logs").rglob("Clisvc.log"))
    output, figures = _measured(
        [sys.executable, str(_HERE / "bare.py"), url, str(path)]
    )
    return figures | {"events/s": int(output) / figures["wall s"]}


def _run(folder: Path, url: str, number: int) -> dict[str, float]:
    command = [
        *(sys.executable, "-m", "shipper", "ship"),
        str(folder / "logs" / "{host}" / "Clisvc.log"),
        *("--elasticsearch-url", url, "--state", str(folder / f"state-{number}")),
        *("--namespace", f"bench{os.getpid()}x{number}", "--json"),
    ]
    output, figures = _measured(command)
    return figures | {"events/s": json.loads(output)["records"] / figures["wall s"]}


def _measured(command: list[str]) -> tuple[bytes, dict[str, float]]:
    """Run a command; return its output, and seconds and memory of that child alone."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None  # noqa: S101 - it is piped
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[1:4]} ended with {child.returncode}")
    return output, {
        "wall s": time.perf_counter() - begun,
        "cpu s": usage.ru_utime + usage.ru_stime,
        "peak MiB": usage.ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
