# SPDX-License-Identifier: Apache-2.0
"""Whose log it is, and which life of it."""

from __future__ import annotations

from msgspec import Struct


class Source(Struct, frozen=True, kw_only=True):
    """One log of one host, whatever its file is called at the moment.

    Attributes:
        host: short name of the machine that wrote the log, lower case.
        domain: the rest of a fully qualified name, lower case, or empty.
        log: logical name of the log, lower case, no extension (``clisvc``).
        directory: folder of the log as the collector sees it. It belongs to the
            store's key, never to an id: two collectors may mount it differently.
        path: path of the *active* log, whatever file is being read; empty for
            standard input.
        explicit_host: the host was named by the user or the path, so the log's
            machine need not be this one.
    """

    host: str
    log: str
    directory: str
    path: str
    domain: str = ""
    explicit_host: bool = False

    @property
    def key(self) -> str:
        """Key of the source in the store and in messages."""
        return f"{self.host}|{self.log}|{self.directory}"


class Generation(Struct, frozen=True, kw_only=True):
    """One life of a log: from its first byte until it is replaced.

    Attributes:
        gen_id: 20 characters of base32hex, a pure function of host, log name and the
            bytes up to and including the first timed record.
        ordinal: counts the generations of a source in the order they are read.
        life: counts the times the same beginning was rewritten in place.
    """

    gen_id: str
    ordinal: int = 0
    life: int = 0
