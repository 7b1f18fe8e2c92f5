# SPDX-License-Identifier: Apache-2.0
"""``clisvc ship`` with the same options each time, and what it says at the end."""

from pathlib import Path

from tests.live.commands import Done, clisvc

NOTHING = {
    "records": 0,
    "indexed": 0,
    "duplicates": 0,
    "dead_lettered": 0,
    "lost": 0,
    "states": 0,
    "already_shipped": 0,
    "unchecked": 0,
}
"""A summary when there was nothing to do."""


class Shipper:
    """Runs ``clisvc ship`` with the same options each time."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self.state = folder / "state"
        self.log = folder / "Clisvc.log"
        self.words: tuple[object, ...] = (
            *("--elasticsearch-url", url, "--namespace", namespace),
            *("--state", self.state, "--host", "pc0417.corp.example"),
        )

    def __call__(self, *paths: object) -> Done:
        """Ship ``paths``, or else the log, with a summary as JSON."""
        return clisvc("ship", *(paths or (self.log,)), *self.words, "--json")


def result(**numbers: int) -> dict[str, int]:
    """Return a summary with these numbers; the others are nought."""
    return NOTHING | numbers


def small(folder: Path) -> Path:
    """Return settings by which little is under way at any time."""
    path = folder / "small.toml"
    path.write_text("[output]\nbatch_events = 500\nmax_in_flight_bytes = 500000\n")
    return path
