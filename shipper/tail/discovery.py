# SPDX-License-Identifier: Apache-2.0
r"""Which logs there are: paths, patterns, and ``{host}`` templates for a fleet.

``C:\WINNT\MS\SMS\Logs\Clisvc.log`` is one log, ``logs/*/Clisvc.log`` many of one host,
``/mnt/fleet/{host}/Clisvc.log`` or ``\\{host}\SMSLogs$\Clisvc.log`` one of each host.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

import structlog

from shipper.errors import InputProblem, UsageProblem
from shipper.records import Source
from shipper.tail.candidates import Siblings, active_path, flavour, log_name
from shipper.tail.hosts import HostList
from shipper.tail.shares import is_unc
from shipper.tail.wildcard import MOST_LOGS, Ask, fixed_part, in_turn, searches

_log = structlog.get_logger(__name__)

HOST = "{host}"
_ADDRESS = re.compile(r"[\d.]+")
_SHARE_PARTS = 2  # server and share: the part of a UNC path that has no listing


class Pattern:
    """One path, pattern or template as the user wrote it.

    Args:
        text: the path; one or more ``{host}`` are special, or else ``*``, ``?`` and
            ``[…]``.
        hosts: names for ``{host}`` where it cannot be listed.
        siblings: follow the rotated files beside the log too.

    Raises:
        UsageProblem: ``{host}`` cannot be listed and no hosts are given, or there is a
            ``*`` beside it.
    """

    def __init__(self, text: str, hosts: HostList, *, siblings: bool = True) -> None:
        self.text = text
        self.templated = HOST in text
        self._hosts = hosts
        self._siblings = siblings
        path = os.path.expanduser(text)  # noqa: PTH111 - templates are not paths
        relative = not (is_unc(path) or path[1:2] == ":" or path.startswith("/"))
        self._path = os.path.abspath(path) if relative else path  # noqa: PTH100 - links stay as written
        self._capture = _capture(self._path) if self.templated else None
        if self.templated and "*" in text:
            raise UsageProblem(
                f"{text}: {HOST} and * do not go together.",
                remedy=f"Write one path with {HOST} for each log.",
            )
        parts = re.split(r"[\\/]+", self._path.lstrip("\\/"))[:_SHARE_PARTS]
        if self.templated and not hosts and is_unc(path) and HOST in "".join(parts):
            raise UsageProblem(
                f"{text}: the hosts of a network cannot be listed.",
                remedy="Name them with input.hosts, input.hosts_file or --hosts-file.",
            )

    @property
    def root(self) -> str:
        """The folder below which everything lies that this pattern can match."""
        if not self.templated:
            return fixed_part(self._path)
        folder, _ = flavour(self._path).split(self._path.partition(HOST)[0])
        return str(folder)

    @property
    def literal(self) -> bool:
        """Nothing in the path is special: it names one file."""
        return not self.templated and not glob.has_magic(self._path)

    def paths(self, ask: Ask = in_turn) -> Iterator[tuple[str, str]]:
        """Yield ``(path, host)`` of what it matches now; host is empty without one.

        Args:
            ask: makes the calls that may hang.

        Raises:
            InputProblem: it matches more than 100,000 files.
        """
        if self.literal:
            yield self._path, ""
        elif self.templated and self._hosts:
            for host in self._hosts.read():
                yield self._path.replace(HOST, host), host
        else:
            for path in sorted(self._found(ask)):
                match = self._capture.fullmatch(path) if self._capture else None
                if match is not None:
                    yield path, match["host"]
                elif not self.templated:
                    yield path, ""

    def _found(self, ask: Ask) -> list[str]:
        root = self.root
        pattern = self._path[len(root) :]
        if self.templated:
            pattern = "*".join(glob.escape(part) for part in pattern.split(HOST))
        found: list[str] = []
        # A log whose active file is missing just now is followed for its rotated ones.
        for paths in ask(searches(root, pattern, active_path)):
            found += paths
            if len(found) > MOST_LOGS:
                raise InputProblem(
                    f"{self.text} matches more than {MOST_LOGS:,} files.",
                    remedy="Write a narrower one, or share the fleet out (--shard).",
                )
        return found

    def folder(self) -> list[str]:
        """Return the path if it is a folder; this may hang."""
        if self.templated or not os.path.isdir(self._path):  # noqa: PTH112 - text
            return []
        return [self.text]

    def sources(
        self, host: str, *, explicit: bool, ask: Ask = in_turn
    ) -> Iterator[tuple[Source, Siblings]]:
        """Yield each log once, whichever of its files exist.

        Args:
            host: whose log it is when the path does not say.
            explicit: that host was given by the user.
            ask: makes the calls that may hang.

        Raises:
            InputProblem: it matches too many files, or the hosts cannot be had.
        """
        named: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for path, found in self.paths(ask):
            folder, name = flavour(path).split(path)
            named.setdefault((folder, log_name(name).log), []).append((path, found))
        for (folder, log), members in named.items():
            path, found = min(members, key=lambda member: _rotated(member[0]))
            path = active_path(path)
            short, domain = _split(_text(found or host).lower())
            source = Source(
                host=short,
                domain=domain,
                log=_text(log),
                directory=folder,
                path=path,
                explicit_host=explicit or bool(found),
            )
            only = () if self._siblings else tuple(member for member, _ in members)
            yield source, Siblings(path=path, only=only)


class Discovery:
    """All configured patterns together.

    Args:
        patterns: what the user wrote.
        host: host of logs whose path names none.
        explicit: that host was given by the user.
        shard: ``(index, count)`` of this collector, 1-based; hosts are shared out by
            rendezvous hashing, so that a change of ``count`` moves few of them.
    """

    def __init__(
        self,
        patterns: tuple[Pattern, ...],
        host: str,
        *,
        explicit: bool,
        shard: tuple[int, int] = (1, 1),
    ) -> None:
        self.patterns = patterns
        self._host = host
        self._explicit = explicit
        self._shard = shard
        self._checked = False

    @property
    def roots(self) -> frozenset[str]:
        """The folders below which everything lies that there can be."""
        return frozenset(pattern.root for pattern in self.patterns)

    def scan(self, ask: Ask = in_turn) -> dict[str, tuple[Source, Siblings]]:
        """Return the sources there are now, by key.

        Args:
            ask: makes the calls that may hang.

        Raises:
            InputProblem: the hosts cannot be had, a pattern matches too many files, or,
                the first time, a path is a folder.
        """
        if not self._checked:
            self.check(ask)
        found: dict[str, tuple[Source, Siblings]] = {}
        for pattern in self.patterns:
            for source, siblings in pattern.sources(
                self._host, explicit=self._explicit, ask=ask
            ):
                if owner(source.host, self._shard[1]) != self._shard[0]:
                    continue
                first, others = found.get(source.key, (source, siblings))
                found[source.key] = (first, others.merge(siblings))
        return found

    def check(self, ask: Ask = in_turn) -> None:
        """See whether the paths can be of logs.

        Args:
            ask: makes the calls that may hang.

        Raises:
            InputProblem: one is a folder.
        """
        self._checked = True
        for folders in ask((pattern.text, pattern.folder) for pattern in self.patterns):
            for folder in folders:
                example = os.path.join(folder, "Clisvc.log")  # noqa: PTH118 - text
                raise InputProblem(
                    f"{folder} is a folder, not a log.",
                    remedy=f"Name the file or a pattern, such as {example}.",
                )


def owner(host: str, count: int) -> int:
    """Return which of ``count`` collectors a host belongs to, from 1 on."""
    if count == 1:
        return 1
    from hashlib import blake2b  # noqa: PLC0415 - only fleets with shards pay for it

    def weight(index: int) -> bytes:
        return blake2b(f"{index}\0{host}".encode(), digest_size=8).digest()

    return max(range(1, count + 1), key=weight)


def _rotated(path: str) -> bool:
    return not log_name(flavour(path).basename(path)).active


def _split(host: str) -> tuple[str, str]:
    """Split a name into its first label and its domain; an address has none."""
    if _ADDRESS.fullmatch(host):
        return host, ""
    short, _, domain = host.partition(".")
    return short, domain


def _text(name: str) -> str:
    """Return a name as valid text, whatever bytes the file system has in it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _capture(path: str) -> re.Pattern[str]:
    first, *rest = (re.escape(part) for part in path.split(HOST))
    again = "(?P=host)".join(rest)
    return re.compile(rf"{first}(?P<host>[^\\/]+){again}")
