# SPDX-License-Identifier: Apache-2.0
"""Writes the pipeline's file, or tells whether it is as it has to be."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.pipeline.body import NAME, text

FOLDER = Path(__file__).parents[2] / "pipelines" / "ingest-pipelines"


def main() -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the ingest pipeline.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    check = parser.parse_args().check
    path = FOLDER / f"{NAME}.json"
    written = text()
    if check:
        same = path.exists() and path.read_text("utf-8") == written
        print(
            f"{path.name} is {'as written' if same else 'out of date: make pipelines'}"
        )
        return 0 if same else 1
    path.write_text(written, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
