# SPDX-License-Identifier: Apache-2.0
"""Dashboards from their sources.

    python -m tools.views build    compile them into dashboards/views/generated
    python -m tools.views check    compile them, and fail if that changes anything
    python -m tools.views lint     check what is compiled; needs no other program

Compiling needs kb-dashboard 0.4.1 (PyPI kb-dashboard-cli, Python 3.12 or newer), found
by ``KB_DASHBOARD`` or on the path.
"""

from __future__ import annotations

import argparse
import os
import sys

from tools.views.compiling import compiled
from tools.views.lint import Linter
from tools.views.sources import COMPILED, load


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return 0, or 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.views")
    parser.add_argument("command", choices=["build", "check", "lint"])
    command = parser.parse_args(arguments).command
    sources = load()
    written = COMPILED.read_text(encoding="utf-8") if COMPILED.exists() else ""
    made = written
    if command != "lint":
        made = compiled(sources, os.environ.get("KB_DASHBOARD", "kb-dashboard"))
    linter = Linter(views={view["id"]: view for view in sources.views})
    findings = linter.findings(made.splitlines())
    if command == "check" and made != written:
        findings.append(f"{COMPILED.name} is not what the sources make: make views")
    if command == "build" and not findings:
        COMPILED.parent.mkdir(exist_ok=True)
        COMPILED.write_text(made, encoding="utf-8", newline="\n")
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
