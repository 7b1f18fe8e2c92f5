# SPDX-License-Identifier: Apache-2.0
"""Measures ``clisvc ship``: events a second, CPU seconds, peak memory.

    python bench/ship.py [--records N] [--files N] [--runs N] [--url URL]

Without ``--url`` a sink that takes everything answers (``bench/sink.py``), so that the
shipper is what limits; with one, the Elasticsearch there.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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
        try:
            results = [_run(folder, url, number) for number in range(given.runs)]
        finally:
            if sink is not None:
                sink.kill()
                sink.wait()
    for key in ("events/s", "cpu s", "peak MiB"):
        values = [result[key] for result in results]
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{key:10} min {low:,.1f}  median {middle:,.1f}  max {high:,.1f}")


def _run(folder: Path, url: str, number: int) -> dict[str, float]:
    command = [
        *(sys.executable, "-m", "shipper", "ship"),
        str(folder / "logs" / "{host}" / "Clisvc.log"),
        *("--elasticsearch-url", url, "--state", str(folder / f"state-{number}")),
        *("--namespace", f"bench{os.getpid()}x{number}", "--json"),
    ]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    output, _ = child.communicate()
    seconds = time.perf_counter() - begun
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(output)
    if child.returncode:
        raise SystemExit(f"clisvc ship ended with {child.returncode}: {result}")
    figures = {
        "events/s": result["records"] / seconds,
        "cpu s": usage.ru_utime + usage.ru_stime,
        "peak MiB": usage.ru_maxrss / 1024,
    }
    print(json.dumps(figures), flush=True)
    return figures


if __name__ == "__main__":
    main()
