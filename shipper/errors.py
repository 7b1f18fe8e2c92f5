# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong and reach a person.

::

    ShipperError                1   something failed; the message says what to do
    ├── UsageProblem            2   the command line asks for the impossible
    ├── ConfigError             2   a setting is wrong; names its key path and origin
    ├── InputProblem            2   a log cannot be read at all; names the path
    ├── StateError             65   the state folder cannot be used
    ├── SinkUnavailable        69   Elasticsearch or Kibana cannot be used
    ├── EmbeddedError          69   the embedded Elasticsearch cannot be had or started
    └── NotPermitted           77   credentials are wrong or lack a privilege

A message is one sentence about the thing and the value seen; ``remedy`` is what to do
about it. Exit codes are documented in the README and never change their meaning.
"""

from __future__ import annotations

EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_STATE = 65
EXIT_UNAVAILABLE = 69
EXIT_NOT_PERMITTED = 77
EXIT_INTERRUPTED = 130


class ShipperError(Exception):
    """Base of all errors a person is shown.

    Args:
        message: what is wrong, with the thing's name and the value seen.
        remedy: what to do about it, or empty.
    """

    exit_code = EXIT_FOUND

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class UsageProblem(ShipperError):
    """The command line asks for something impossible."""

    exit_code = EXIT_USAGE


class ConfigError(ShipperError):
    """A setting is wrong.

    Args:
        key: key path, such as ``elasticsearch.url``.
        message: what is wrong with it, with the value seen.
        origin: where the value came from (a file, a variable, an option), or empty.
        remedy: what to do about it.
    """

    exit_code = EXIT_USAGE

    def __init__(
        self, key: str, message: str, *, origin: str = "", remedy: str = ""
    ) -> None:
        where = f" (from {origin})" if origin else ""
        super().__init__(f"{key}: {message}{where}.", remedy=remedy)
        self.key = key
        self.origin = origin


class InputProblem(ShipperError):
    """A log cannot be read at all."""

    exit_code = EXIT_USAGE


class StateError(ShipperError):
    """The state folder cannot be used: full disk, newer version, other instance."""

    exit_code = EXIT_STATE


class SinkUnavailable(ShipperError):
    """Elasticsearch, or Kibana, is unreachable, refuses, or is something else."""

    exit_code = EXIT_UNAVAILABLE


class EmbeddedError(ShipperError):
    """The embedded Elasticsearch cannot be had or started."""

    exit_code = EXIT_UNAVAILABLE


class NotPermitted(ShipperError):
    """The credentials are wrong or lack a privilege."""

    exit_code = EXIT_NOT_PERMITTED
