# SPDX-License-Identifier: Apache-2.0
"""The command group, and how an error becomes a message and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any

import click

from shipper import __version__
from shipper.errors import EXIT_INTERRUPTED, ShipperError
from shipper.telemetry import printable

#: In the order of the help text; each is a module of its own, loaded when it is asked
#: for, because a card about a code must not wait for a client of Elasticsearch.
COMMANDS = (
    *("run", "ship", "parse", "explain", "signatures", "check", "status", "verify"),
    *("replay", "deadletter", "alerts", "setup", "embedded", "demo"),
)

EPILOG = """\b
Exit codes
  0    done
  1    the thing looked for was found, or something was refused or lost
  2    wrong usage or configuration
  65   the state folder cannot be used
  69   Elasticsearch is unreachable or refuses
  77   not permitted
  130  interrupted, or asked and answered no
"""


class _Explained(click.ClickException):
    def __init__(self, error: ShipperError) -> None:
        super().__init__(error.message)
        self.remedy = error.remedy
        self.exit_code = error.exit_code  # type: ignore[misc]  # click's own habit

    def show(self, file: Any = None) -> None:
        lines = [f"clisvc: {self.message}", self.remedy]
        for line in filter(None, lines):
            click.echo(printable(line), file=file, err=file is None)


class _Group(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"shipper.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ShipperError as error:
            raise _Explained(error) from error
        except (KeyboardInterrupt, click.Abort):  # or somebody was asked, and said no
            ctx.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # `clisvc parse … | head`: the reader has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


@click.group(
    cls=_Group,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="clisvc")
def main() -> None:
    """Ship the SMS client service log to Elasticsearch, and say what it means.

    Agents of the SMS 2003 Legacy Client fall into Install Pending when a domain policy
    takes a user right from their service account (Microsoft KB828371). The only trace
    is in each machine's Clisvc.log. This command tails it, explains every error code,
    tracks the agents' states, and indexes each record exactly once.

    \b
    Look around      clisvc demo                 a small fleet, live, in a minute
                     clisvc explain 1314         what a code or a log line means
                     clisvc parse Clisvc.log     the documents of a file
    Ship             clisvc check                are settings, server, logs all right?
                     clisvc run PATH             tail for ever
                     clisvc ship PATH            backfill once
                     clisvc status               what has been read, sent, lost
    Trust            clisvc verify PATH          is each record there exactly once?
                     clisvc replay PATH          send a file's records again
                     clisvc deadletter           what Elasticsearch refused, and why
    The host is part of a document's id: give verify and replay the --host of `ship`.
    """  # noqa: D301 - click wants the backspace itself
    # What a log holds may be more than the terminal's encoding can show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
