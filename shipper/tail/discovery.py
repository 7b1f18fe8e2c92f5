# SPDX-License-Identifier: Apache-2.0
r"""Which logs there are: paths, patterns, and ``{host}`` templates for a fleet.

``C:\WINNT\MS\SMS\Logs\Clisvc.log`` is one log, ``logs/*/Clisvc.log`` many of one host,
``/mnt/fleet/{host}/Clisvc.log`` or ``\\{host}\SMSLogs$\Clisvc.log`` one of each host.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
from collections.abc import Iterator

import structlog
from msgspec import Struct

from shipper.errors import InputProblem, UsageProblem
from shipper.records import Source
from shipper.tail.candidates import Siblings, active_path, flavour, log_name
from shipper.tail.opener import is_unc

_log = structlog.get_logger(__name__)

HOST = "{host}"
_COMMAND_TIMEOUT_S = 60
_ADDRESS = re.compile(r"[\d.]+")
_SHARE_PARTS = 2  # server and share: the part of a UNC path that has no listing


class HostList(Struct, frozen=True, kw_only=True):
    """The hosts to ask, where they cannot be listed.

    Attributes:
        names: given one by one (``input.hosts``).
        file: one a line, ``#`` begins a comment (``input.hosts_file``); read anew at
            each scan.
        command: prints one a line (``input.hosts_command``); run at each scan.
    """

    names: tuple[str, ...] = ()
    file: str = ""
    command: str = ""

    def __bool__(self) -> bool:
        return bool(self.names or self.file or self.command)

    def read(self) -> list[str]:
        """Return the names, without doubles.

        Raises:
            InputProblem: the file cannot be read or the command fails.
        """
        names = list(self.names)
        if self.file:
            try:
                with open(self.file, encoding="utf-8-sig") as file:  # noqa: PTH123 - as the user wrote it
                    names += file
            except (OSError, UnicodeDecodeError) as error:
                raise InputProblem(
                    f"input.hosts_file: {self.file} cannot be read: {error}.",
                    remedy="Give a text file with one host name a line.",
                ) from error
        if self.command:
            names += self._run()
        cleaned = (name.partition("#")[0].strip() for name in names)
        return list(dict.fromkeys(name for name in cleaned if name))

    def _run(self) -> list[str]:
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, no shell
                shlex.split(self.command, posix=os.name != "nt"),
                capture_output=True,
                text=True,
                check=True,
                timeout=_COMMAND_TIMEOUT_S,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise InputProblem(
                f"input.hosts_command: {self.command!r} failed: {error}.",
                remedy="It must print one host name a line and exit with 0.",
            ) from error
        return done.stdout.splitlines()


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
        InputProblem: the path is a folder.
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
        if os.path.isdir(self._path):  # noqa: PTH112 - a template is not a Path
            example = os.path.join(text, "Clisvc.log")  # noqa: PTH118 - the same
            raise InputProblem(
                f"{text} is a folder, not a log.",
                remedy=f"Name the file or a pattern, such as {example}.",
            )

    @property
    def root(self) -> str:
        """The folder below which everything lies that this pattern can match."""
        fixed = re.split(r"\{host\}|[*?\[]", self._path)[0]
        folder, _ = flavour(fixed).split(fixed)
        return str(folder)

    @property
    def literal(self) -> bool:
        """Nothing in the path is special: it names one file."""
        return not self.templated and not glob.has_magic(self._path)

    def paths(self) -> Iterator[tuple[str, str]]:
        """Yield ``(path, host)`` of what it matches now; host is empty without one."""
        if not self.templated:
            found = glob.glob(self._path) if not self.literal else [self._path]  # noqa: PTH207 - text in, text out
            yield from ((path, "") for path in sorted(found))
        elif self._hosts:
            for host in self._hosts.read():
                yield self._path.replace(HOST, host), host
        else:
            yield from self._listed()

    def _listed(self) -> Iterator[tuple[str, str]]:
        parts = [glob.escape(part) for part in self._path.split(HOST)]
        for path in sorted(glob.glob("*".join(parts))):  # noqa: PTH207 - text in, text out
            match = self._capture.fullmatch(path) if self._capture else None
            if match is not None:
                yield path, match["host"]

    def sources(
        self, host: str, *, explicit: bool
    ) -> Iterator[tuple[Source, Siblings]]:
        """Yield each log once, whichever of its files exist.

        Args:
            host: whose log it is when the path does not say.
            explicit: that host was given by the user.
        """
        named: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for path, found in self.paths():
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

    def scan(self) -> dict[str, tuple[Source, Siblings]]:
        """Return the sources there are now, by key."""
        found: dict[str, tuple[Source, Siblings]] = {}
        for pattern in self.patterns:
            for source, siblings in pattern.sources(
                self._host, explicit=self._explicit
            ):
                if owner(source.host, self._shard[1]) != self._shard[0]:
                    continue
                first, others = found.get(source.key, (source, siblings))
                found[source.key] = (first, others.merge(siblings))
        return found


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
