# SPDX-License-Identifier: Apache-2.0
"""Breaks the shipper in one place at a time and expects a test to notice.

    python -m tools.mutants [NAME…]

Works on a copy. Ends with 1 if a fault goes unnoticed, or if the text it replaces is
no longer there exactly once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.mutants.faults import FAULTS, Fault

_ROOT = Path(__file__).parent.parent.parent
_PARTS = ("shipper", "tests", "bench", "tools", "docs", "pipelines", "dashboards")
_FILES = ("pyproject.toml", "README.md", "Makefile")
_LIMIT_S = 180
_PASSED, _FAILED = 0, 1  # what pytest ends with; anything else is no verdict


def main() -> int:
    """Try all faults, or those named; return the exit code."""
    named = set(sys.argv[1:])
    faults = [fault for fault in FAULTS if not named or fault.name in named]
    with TemporaryDirectory() as name:
        copy = Path(name)
        _copy(copy)
        tests = sorted({test for fault in faults for test in fault.tests})
        if _run(copy, tests) != _PASSED:
            print("The tests are red without any fault.", file=sys.stderr)
            return 1
        survivors = [fault.name for fault in faults if not _caught(copy, fault)]
    print(f"{len(faults) - len(survivors)} of {len(faults)} faults are caught.")
    return 1 if survivors else 0


def _copy(to: Path) -> None:
    for part in _PARTS:
        if (_ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
            shutil.copytree(_ROOT / part, to / part, ignore=ignored)
    for file in _FILES:
        shutil.copyfile(_ROOT / file, to / file)


def _caught(copy: Path, fault: Fault) -> bool:
    path = copy / fault.path
    sound = path.read_text(encoding="utf-8")
    found = sound.count(fault.old)
    if found != 1:
        print(f"{fault.name:40} its text is there {found} times: {fault.path}")
        return False
    begun = time.monotonic()
    path.write_text(sound.replace(fault.old, fault.new), encoding="utf-8")
    try:
        code = _run(copy, fault.tests)
    finally:
        path.write_text(sound, encoding="utf-8")
    verdict = {_PASSED: "SURVIVED", _FAILED: "caught"}.get(code, f"no verdict: {code}")
    took = time.monotonic() - begun
    print(f"{fault.name:40} {verdict:10} {took:6.1f} s", flush=True)
    return code == _FAILED


def _run(copy: Path, tests: tuple[str, ...] | list[str]) -> int:
    """Run tests in the copy; a test that hangs has noticed as well."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:randomly"]
    options = ["-p", "no:cacheprovider", "--no-header", "--tb=no", "--timeout=30"]
    try:
        done = subprocess.run(
            [*command, *options, *tests],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)},
            capture_output=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        return _FAILED
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
