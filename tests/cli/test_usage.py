# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, version, and what it does not know."""

import click
import pytest
from click.testing import CliRunner, Result

from shipper import __version__
from shipper.cli.main import main
from tests.live.commands import clisvc

_WIDEST = 100


def _commands(group: click.Group, *words: str) -> list[tuple[str, ...]]:
    found = [words]
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found += _commands(command, *words, name)
        else:
            found.append((*words, name))
    return found


def _invoke(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="clisvc")


@pytest.mark.parametrize("words", _commands(main), ids=" ".join)
def test_help(words: tuple[str, ...]) -> None:
    """Each command explains itself with -h, on lines that fit a terminal."""
    done = _invoke(*words, "-h")

    assert (done.exit_code, done.stderr) == (0, "")
    usage, *others = done.stdout.splitlines()
    assert usage.startswith(" ".join(("Usage: clisvc", *words, "")))
    assert [line for line in others if len(line) > _WIDEST] == []


def test_version() -> None:
    """--version names the program and its version."""
    done = clisvc("--version")

    assert (done.code, done.out, done.err) == (
        0,
        f"clisvc, version {__version__}\n",
        "",
    )


@pytest.mark.parametrize(
    "words", [words for words in _commands(main) if words != ("explain",)], ids=" ".join
)
def test_unknown_option(words: tuple[str, ...]) -> None:
    """An option that does not exist ends with 2 and is named."""
    done = _invoke(*words, "--bogus")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: No such option '--bogus'." in done.stderr


def test_unknown_command() -> None:
    """A command that does not exist ends with 2 and is named."""
    done = _invoke("shpi")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: No such command 'shpi'." in done.stderr


@pytest.mark.parametrize("command", ["run", "ship"])
def test_no_paths(command: str) -> None:
    """Without a path there is nothing to read, and it says how to name one."""
    done = clisvc(command)

    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "clisvc: No logs are named.",
        "Give a path, a pattern, or input.paths in the configuration.",
    ]
