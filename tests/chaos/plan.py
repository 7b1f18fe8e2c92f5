# SPDX-License-Identifier: Apache-2.0
"""What a run is to be like, and where its files are."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

_SETTINGS = """\
[input]
sweep_min = 0.2
sweep_max = 1
rotation_wait = 0.5
scan_interval = 5

[elasticsearch]
timeout = 20

[log]
format = "json"
"""


class Plan(Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        seed: decides what is written, and when what fails; the machine's own pace is
            beyond it.
        seconds: for which records are written and things fail,
        least_kills: or until the shipper was killed so often,
        least_server_kills: and the server so often; twice the time at most.
        files: logs, one a host.
        rate: records a second, of all writers together.
        writers: processes that share the hosts.
        rotations: a second, of all hosts together.
        rollovers: roll both data streams over now and then.
        spool: trust the outage spool: the shipper counts as running while the server
            is away.
        quiet_s: seconds the shipper must have run, all stretches together, before
            anything is overwritten, counted from when the log was rotated.
        stretch_s: seconds one of those stretches must have had.
        heap_mb: of the server, in MiB.
        extra: settings of the shipper beside ours, as TOML tables.
    """

    seed: int
    seconds: float = 600.0
    least_kills: int = 0
    least_server_kills: int = 0
    files: int = 200
    rate: float = 2_000.0
    writers: int = 2
    rotations: float = 1.5
    rollovers: bool = True
    spool: bool = True
    quiet_s: float = 10.0
    stretch_s: float = 3.0
    heap_mb: int = 512
    extra: str = ""

    @property
    def hosts(self) -> list[str]:
        """Names of the hosts."""
        return [f"pc{number:04}" for number in range(self.files)]


class Ground(Struct, frozen=True, kw_only=True):
    """The folder of a run.

    Attributes:
        folder: everything is below it.
    """

    folder: Path

    @property
    def logs(self) -> Path:
        """Folder of the hosts' folders."""
        return self.folder / "logs"

    @property
    def state(self) -> Path:
        """The shipper's state folder."""
        return self.folder / "state"

    @property
    def config(self) -> Path:
        """The shipper's configuration."""
        return self.folder / "clisvc.toml"

    @property
    def said(self) -> Path:
        """What the shipper says, all its lives together."""
        return self.folder / "shipper.ndjson"

    @property
    def running(self) -> Path:
        """When the shipper ran."""
        return self.folder / "running"

    @property
    def home(self) -> Path:
        """Folder of the server."""
        return self.folder / "elasticsearch"

    def journal(self, writer: int) -> Path:
        """Journal of one writer."""
        return self.folder / f"journal-{writer}"

    def log(self, host: str) -> Path:
        """Active log of a host."""
        return self.logs / host / "Clisvc.log"

    def prepare(self, plan: Plan) -> None:
        """Make the folders and the configuration."""
        for host in plan.hosts:
            (self.logs / host).mkdir(parents=True)
        self.running.touch()
        self.said.touch()
        self.config.write_text(_SETTINGS + plan.extra, "utf-8")
