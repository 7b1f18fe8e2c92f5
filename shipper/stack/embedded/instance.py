# SPDX-License-Identifier: Apache-2.0
"""One server's own folder: its settings, data, logs and what it prints.

::

    HOME/server.json    who runs here (absent when nobody does)
    HOME/console.log    what the server printed, of the last start
    HOME/config         written anew at each start, like logs and tmp
    HOME/logs
    HOME/tmp
    HOME/data-9.2.0     kept; apart for each version, which cannot read a newer one's
"""

from __future__ import annotations

import os
import shutil
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import msgspec

from shipper.stack.embedded.account import Account
from shipper.stack.embedded.cache import disk_problems
from shipper.stack.embedded.java import Java
from shipper.stack.embedded.lifeline import Program

HOST = "127.0.0.1"

_VECTOR = "jdk.incubator.vector"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "COMSPEC")
_HEALTH_TIMEOUT_S = 5


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that a server runs in.

    Attributes:
        home: the folder.
        version: the server's version.
        tree: the server's unpacked files, shared and only read.
        java: the runtime.
        port: port for HTTP, or 0 for any free one.
        heap_mb: size of the Java heap in MiB.
        account: who the server runs as, or None for our own account.
    """

    home: Path
    version: str
    tree: Path
    java: Java
    port: int
    heap_mb: int
    account: Account | None

    @property
    def data(self) -> Path:
        """Folder of the data."""
        return self.home / f"data-{self.version}"

    @property
    def console(self) -> Path:
        """File with what the server printed."""
        return self.home / "console.log"

    def prepare(self) -> None:
        """Write the settings and make the folders.

        Raises:
            EmbeddedError: the disk is full, or the folder cannot be written.
        """
        with disk_problems(self.home):
            config = self.home / "config"
            fresh = (config, self.home / "logs", self.home / "tmp")
            for folder in fresh:
                if folder.exists():
                    shutil.rmtree(folder)
                folder.mkdir(mode=0o700)
            self.data.mkdir(mode=0o700, exist_ok=True)
            for file in (self.tree / "config").glob("*.*"):
                if file.is_file():
                    shutil.copyfile(file, config / file.name)
            options = config / "jvm.options"
            options.write_text(self._options(options.read_text("utf-8")), "utf-8")
            (config / "elasticsearch.yml").write_text(self._settings(), "utf-8")
            if self.account:
                for folder in (
                    config,
                    self.home / "logs",
                    self.home / "tmp",
                    self.data,
                ):
                    self.account.own(folder)

    def program(self) -> Program:
        """Return what to run."""
        script = "elasticsearch.bat" if os.name == "nt" else "elasticsearch"
        # Only these: whatever secret our environment holds is none of the server's.
        environment = {k: v for k in _PASSED_ON if (v := os.environ.get(k)) is not None}
        heap = f"-Xms{self.heap_mb}m -Xmx{self.heap_mb}m"
        return Program(
            command=(str(self.tree / "bin" / script),),
            environment=environment
            | {
                "HOME": str(self.home),
                "ES_JAVA_HOME": str(self.java.home),
                "ES_JAVA_OPTS": heap,
                **self._launcher_temp(),
                "ES_PATH_CONF": str(self.home / "config"),
                "ES_TMPDIR": str(self.home / "tmp"),
            },
            folder=self.home,
            output=self.console,
            account=self.account,
        )

    def _launcher_temp(self) -> dict[str, str]:
        """Return where the launcher puts files that it leaves behind."""
        folder = str(self.home / "tmp")
        found = {"TMP": folder, "TEMP": folder}  # what Java asks on Windows
        if not any(map(str.isspace, folder)):  # the launcher's script would split it
            found["CLI_JAVA_OPTS"] = f"-Djava.io.tmpdir={folder}"
        return found

    def url(self) -> str | None:
        """Return where the server listens, or None while it does not say so yet."""
        try:
            ports = (self.home / "logs" / "http.ports").read_text("utf-8").split()
        except OSError:
            return None
        return next((f"http://{address}" for address in ports), None)

    def last_lines(self, count: int = 12) -> str:
        """Return the end of what the server printed, without stack frames."""
        try:
            text = self.console.read_text("utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()]
        told = [line for line in lines if not line.lstrip().startswith(("at ", "... "))]
        return "\n".join(told[-count:])

    def _options(self, text: str) -> str:
        """Take out what this Java lacks, and the log of every garbage collection."""
        lacking = _VECTOR not in self.java.modules
        return "".join(
            f"# {line}"
            if (lacking and _VECTOR in line) or line.startswith("-Xlog:gc")
            else line
            for line in text.splitlines(keepends=True)
        )

    def _settings(self) -> str:
        settings = {
            "cluster.name": "clisvc-embedded",
            "node.name": "embedded",
            "discovery.type": "single-node",
            "network.host": HOST,
            "http.port": self.port,
            "transport.port": 0,
            # The server itself says which free ports it took: nobody can take them
            # between our looking and its binding.
            "node.portsfile": True,
            "path.data": str(self.data),
            "path.logs": str(self.home / "logs"),
            "xpack.security.enabled": False,
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }
        # A JSON scalar is a YAML scalar, whatever a path holds.
        return "".join(
            f"{key}: {msgspec.json.encode(value).decode()}\n"
            for key, value in settings.items()
        )


def healthy(url: str) -> bool:
    """Return whether a server answers and has its data at hand.

    Args:
        url: such as ``http://127.0.0.1:9200``; asked directly, past any proxy.
    """
    connection = HTTPConnection(url.removeprefix("http://"), timeout=_HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
