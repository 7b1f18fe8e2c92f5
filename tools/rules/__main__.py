# SPDX-License-Identifier: Apache-2.0
"""Writes ``dashboards/rules/compiled`` and the rules' part of ``docs/alerts.md``.

``python -m tools.rules``: the same sources give the same bytes, whenever and wherever
it runs. Warns about exceptions that have expired.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from shipper.alerts import silences
from shipper.clock import SystemClock
from tools.rules.manual import MARK, manual
from tools.rules.outputs import outputs

_ROOT = Path(__file__).parents[2]
FOLDER = _ROOT / "dashboards" / "rules" / "compiled"
MANUAL = _ROOT / "docs" / "alerts.md"


def main() -> int:
    """Write all files anew."""
    entries = silences()
    now_ms = SystemClock().wall_ms()
    for number, entry in enumerate(entries, 1):
        if entry.expired(now_ms):
            text = f"warning: exceptions[{number}] expired on {entry.until}"
            print(f"{text}: {entry.reason}", file=sys.stderr)
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    made = outputs(entries)
    for name, text in made.items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    head, _, _ = MANUAL.read_text(encoding="utf-8").partition(MARK)
    MANUAL.write_text(head + manual(), encoding="utf-8", newline="\n")
    print(f"{len(made)} files in {FOLDER}")
    return 0


sys.exit(main())
