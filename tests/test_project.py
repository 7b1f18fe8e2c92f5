# SPDX-License-Identifier: Apache-2.0
"""What holds for the project as a whole: its shape, and its documents."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from shipper.cli.main import main
from shipper.config import Settings
from shipper.config.load import flatten
from shipper.errors import ShipperError

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "shipper").rglob("*.py"))
#: Modules that ask the machine for the time or wait on their own, with the reason.
TIMED = {
    "clock.py": "the one place",
    "guard.py": "runs alone, with the standard library only",
    "server.py": "waits for a server of its own",
}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_module_is_small_enough_to_read(module: Path) -> None:
    """No module has more than 300 lines: a second noun gets a file of its own."""
    lines = module.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 300


def test_only_the_clock_asks_for_the_time() -> None:
    """Time is injected: no stage calls the machine's clock or sleeps."""
    offenders = [
        module.name
        for module in MODULES
        if module.name not in TIMED
        and re.search(
            r"^import time$|\btime\.(sleep|time|monotonic)\(",
            _text(module),
            re.MULTILINE,
        )
    ]

    assert offenders == []


def test_every_setting_is_documented() -> None:
    """Each key stands in docs/configuration.md, under the heading of its table."""
    document = _text(ROOT / "docs" / "configuration.md")
    sections = dict(
        re.findall(
            r"^## `\[(\w+)\]`[^\n]*\n(.*?)(?=^## |\Z)",
            document,
            re.MULTILINE | re.DOTALL,
        )
    )
    missing = [
        key
        for key, _ in flatten(Settings())
        if "." in key
        and f"| `{key.partition('.')[2]}` |" not in sections[key.partition(".")[0]]
    ]

    assert missing == []


def test_documented_defaults_are_the_real_ones() -> None:
    """A number or word given as a default in the documentation is what the code has."""
    document = _text(ROOT / "docs" / "configuration.md")
    real = {
        key.partition(".")[2]: value
        for key, value in flatten(Settings())
        if "." in key and isinstance(value, (int, float, str)) and value != ""
    }
    wrong = [
        name
        for name, shown in re.findall(
            r"^\| `(\w+)` \| `([^`]+)` \|", document, re.MULTILINE
        )
        if name in real
        and shown
        not in {
            str(real[name]).lower(),
            f"{real[name]:g}"
            if isinstance(real[name], (int, float))
            else str(real[name]),
        }
    ]

    assert wrong == []


def test_every_command_is_in_the_readme() -> None:
    """The README's table names each command the program has."""
    readme = _text(ROOT / "README.md")
    names = main.list_commands(click.Context(main))

    assert [name for name in names if f"`clisvc {name}" not in readme] == []


def test_exit_codes_in_the_readme_are_those_of_the_errors() -> None:
    """Each error's exit code is one that the README explains."""
    readme = _text(ROOT / "README.md")
    line = next(row for row in readme.splitlines() if row.startswith("Exit codes:"))
    documented = {int(code) for code in re.findall(r"(?:^|· |: )(\d+) ", line)}

    assert {kind.exit_code for kind in _tree(ShipperError)} <= documented


def test_meaning_needs_no_network() -> None:
    """Explaining a code loads neither the Elasticsearch client nor the watcher."""
    code = (
        "import sys, shipper.enrich;"
        "print(sorted({'elasticsearch', 'watchdog', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def _tree(kind: type[ShipperError]) -> list[type[ShipperError]]:
    return [kind, *(sub for child in kind.__subclasses__() for sub in _tree(child))]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
