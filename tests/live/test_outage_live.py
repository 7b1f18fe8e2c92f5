# SPDX-License-Identifier: Apache-2.0
"""An outage of Elasticsearch that is longer than the logs' rotations."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from msgspec import Struct

from tests.live.commands import (
    acked,
    count,
    holds,
    lines,
    originals,
    running,
    status,
    texts,
    until,
)
from tests.live.line import Line

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(240)]

_SETTINGS = """\
[input]
sweep_min = 0.1
sweep_max = 0.3
rotation_wait = 0.5
[output]
shutdown_grace = 1
[state]
spool_bytes = {spool_bytes}
"""
_AWAY = "nothing can be delivered"
_PART = 50


class Site(Struct, frozen=True, kw_only=True):
    """A machine with a log, a shipper, and a line to Elasticsearch."""

    folder: Path
    line: Line
    client: Elasticsearch
    namespace: str

    @property
    def log(self) -> Path:
        """The active log."""
        return self.folder / "logs" / "Clisvc.log"

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    @property
    def said(self) -> Path:
        """What the shipper said."""
        return self.folder / "said.txt"

    def settings(self, *, spool_bytes: int = 1 << 30) -> None:
        """Write the settings."""
        self.log.parent.mkdir()
        text = _SETTINGS.format(spool_bytes=spool_bytes)
        (self.folder / "clisvc.toml").write_text(text)

    @contextmanager
    def shipper(self) -> "Iterator[subprocess.Popen[bytes]]":
        """Run the shipper beside the block."""
        words = (
            *("run", self.log, "--elasticsearch-url", self.line.url),
            *("--namespace", self.namespace, "--state", self.state),
            *("--config", self.folder / "clisvc.toml", "--host", "pc0417"),
        )
        with running(self.said, *words) as process:
            until(lambda: holds(self.state, process.pid), "the shipper runs")
            yield process

    def append(self, part: int) -> bytes:
        """Add a part to the log."""
        data = lines(part * _PART, _PART)
        with self.log.open("ab") as file:
            file.write(data)
        return data

    def rotate(self) -> None:
        """Put the log in the place of its predecessor, which is gone then."""
        self.log.replace(self.log.with_name("Clisvc.lo_"))

    def rests(self) -> int:
        """Return how many rests the spool holds."""
        return len(list((self.state / "spool").glob("*.spool")))

    def indexed(self, parts: int) -> bool:
        """Tell whether as many parts are indexed."""
        return count(self.client, self.namespace) == parts * _PART


@pytest.fixture
def site(
    tmp_path: Path, elasticsearch_url: str, client: Elasticsearch, namespace: str
) -> Iterator[Site]:
    """Give a machine whose line is up."""
    with Line(elasticsearch_url) as line:
        yield Site(folder=tmp_path, line=line, client=client, namespace=namespace)


def test_rotations_and_a_restart(site: Site) -> None:
    """Outage with three rotations and a restart in the middle: nothing is lost."""
    site.settings()
    written = site.append(0)
    with site.shipper() as process:
        until(lambda: site.indexed(1), "the first part is indexed")
        site.line.cut()
        written += site.append(1)
        until(lambda: _AWAY in site.said.read_text(), "the outage is noticed")
        for part in (2, 3):
            site.rotate()
            written += site.append(part)
            until(lambda: site.rests() == part - 1, f"rest {part - 1} is kept")  # noqa: B023 - called here
        process.kill()
    with site.shipper():
        site.rotate()
        written += site.append(4)
        until(lambda: site.rests() == 3, "rest 3 is kept after the restart")

        site.line.mend()

        until(lambda: site.indexed(5), "all parts are indexed")
        until(lambda: site.rests() == 0, "the spool is empty")
        # The process is killed at the end of the block, whatever it has not saved.
        until(lambda: acked(site.state) == len(written), "all is acknowledged")
    found = status(site.state)
    assert originals(site.client, site.namespace) == Counter(texts(written))
    assert (found["lost"], found["gap"]) == (0, False)
    assert found["seen"] == found["acked"] == len(written)


def test_full_spool(site: Site) -> None:
    """Without room in the spool, the loss that is reported is the true one."""
    site.settings(spool_bytes=0)
    kept = site.append(0)
    with site.shipper() as process:
        until(lambda: site.indexed(1), "the first part is indexed")
        site.line.cut()
        gone = site.append(1)
        until(lambda: _AWAY in site.said.read_text(), "the outage is noticed")
        until(lambda: status(site.state)["seen"] == len(kept + gone), "it is seen")
        site.rotate()
        kept += site.append(2)
        until(lambda: "state.spool_bytes" in site.said.read_text(), "that is said")
        process.kill()  # what was only in memory goes with it
    site.log.with_name("Clisvc.lo_").unlink()
    with site.shipper():
        site.line.mend()
        until(lambda: site.indexed(2), "what there still is is indexed")
        until(lambda: status(site.state)["lost"] > 0, "the loss is reported")
        until(lambda: status(site.state)["pending"] == 0, "the rest is acknowledged")
    found = status(site.state)
    assert originals(site.client, site.namespace) == Counter(texts(kept))
    assert (found["lost"], found["gap"]) == (len(gone), True)
    assert found["seen"] == found["acked"] + len(gone)
    assert "lost_bytes_at_least" in site.said.read_text()
