# SPDX-License-Identifier: Apache-2.0
"""``clisvc alerts``, where nothing has to be looked up."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from shipper.cli.main import main


def test_since_is_a_duration() -> None:
    """Another word for a time is wrong usage, and the message shows a right one."""
    done = CliRunner().invoke(main, ["alerts", "--since", "yesterday"])

    assert done.exit_code == 2
    assert "'yesterday' is no duration. One looks like 15m, 50h or 7d." in (
        " ".join(done.output.split())
    )


def test_a_wrong_exception(tmp_path: Path) -> None:
    """An entry that is wrong is named, before anything is asked."""
    file = tmp_path / "exceptions.yml"
    file.write_text("exceptions: [{host: a, until: 2027-01-31, reason: ''}]\n")
    done = CliRunner().invoke(main, ["alerts", "--exceptions", str(file)])

    assert done.exit_code == 2
    assert "exceptions[1]: it gives no reason" in done.output


def test_nobody_answers(closed_url: str) -> None:
    """Without Elasticsearch nobody knows, which is not the same as nothing."""
    done = CliRunner().invoke(main, ["alerts", "--elasticsearch-url", closed_url])

    assert done.exit_code == 69
    assert "Nothing is raised" not in done.output
