# SPDX-License-Identifier: Apache-2.0
"""The report of a run, for people and for programs."""

from __future__ import annotations

from msgspec import Struct, field

from tests.chaos.checker import Findings


class Report(Struct, frozen=True, kw_only=True):
    """What was done and what came of it.

    Attributes:
        seed: of the run.
        caught_up_s: seconds until all was indexed after that; ``None``: never.
        files: logs.
        generations: lives of them all.
        bytes: of complete records.
        rotations: by kind.
        overwritten: rotated files overwritten or deleted.
        shipper_kills: with signal 9.
        server_kills: with signal 9.
        server_stops: polite ones.
        status: sums of ``clisvc status``.
        findings: the comparison.
        seconds: for which things failed.
        rollovers: of a data stream.
        faults: of the proxy, by kind.
        wrong: what is wrong beside the comparison.
        on_purpose: records were overwritten unread; what counts is that it was told.
    """

    seed: int
    caught_up_s: float | None
    files: int
    generations: int
    bytes: int
    rotations: dict[str, int]
    overwritten: int
    shipper_kills: int
    server_kills: int
    server_stops: int
    status: dict[str, int]
    findings: Findings
    seconds: float = 0.0
    rollovers: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    on_purpose: bool = False

    @property
    def passed(self) -> bool:
        """Nothing is lost or doubled, and everything adds up."""
        found = self.findings
        lost = found.lost and not self.on_purpose
        doubled = found.doubled or found.states_doubled
        return not (lost or doubled or found.foreign or self.wrong)

    def text(self) -> str:
        """Return it for people."""
        found = self.findings
        caught = "never" if self.caught_up_s is None else f"{self.caught_up_s:.0f} s"
        rows = {
            "seed": self.seed,
            "run": f"{self.seconds:.0f} s, then caught up after {caught}",
            "records": f"{found.records:,} ({self.bytes:,} bytes)",
            "logs": f"{self.files:,} files, {self.generations:,} generations",
            "rotations": _kinds(self.rotations),
            "overwritten": f"{self.overwritten:,} rotated files",
            "shipper": f"killed {self.shipper_kills:,} times",
            "server": f"killed {self.server_kills:,} times, stopped"
            f" {self.server_stops:,} times, {self.rollovers:,} rollovers",
            "proxy": _kinds(self.faults),
            "status": ", ".join(f"{k} {v:,}" for k, v in self.status.items()),
            "lost": _kinds(found.lost_by),
            "doubled": f"{found.doubled:,}"
            + (f" ({_kinds(found.doubled_by)})" if found.doubled else ""),
            "foreign": f"{found.foreign:,}",
            "states": f"{found.states:,}, doubled {found.states_doubled:,}",
            "verdict": "passed" if self.passed else "FAILED",
        }
        lines = [f"{name:12} {value}" for name, value in rows.items()]
        return "\n".join([*lines, *self.wrong, *found.examples])


def _kinds(counts: dict[str, int]) -> str:
    kinds = ", ".join(f"{kind} {n:,}" for kind, n in sorted(counts.items()))
    return f"{sum(counts.values()):,}" + (f" ({kinds})" if kinds else "")
