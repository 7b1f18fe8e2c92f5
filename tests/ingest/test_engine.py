# SPDX-License-Identifier: Apache-2.0
"""The engine is what was pinned, and refuses what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.stack.embedded.lifeline import Lifeline
from tests.ingest.artifacts import ARTIFACTS, assembled
from tests.ingest.engine import Engine, translated


def test_a_changed_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not the pinned file is not unpacked, and nothing of it stays."""
    monkeypatch.setenv("CLISVC_CACHE", str(tmp_path / "cache"))

    def fetch(_coordinates: str, folder: Path) -> Path:
        folder.mkdir()
        other = folder / "other.zip"
        other.write_bytes(b"something else")
        return other

    with (
        Lifeline() as lifeline,
        pytest.raises(RuntimeError, match=r"integ-test-zip.* has SHA-256 "),
    ):
        assembled(None, lifeline, fetch)

    assert list((tmp_path / "cache").iterdir()) == []


def test_every_file_is_pinned() -> None:
    """Each has a version and a SHA-256."""
    for artifacts in ARTIFACTS.values():
        for coordinates, checksum in artifacts:
            group, name, version, packaging = coordinates.split(":")

            assert all((group, name, version[0].isdigit()))
            assert packaging in ("jar", "zip")
            assert len(bytes.fromhex(checksum)) == 32


def test_what_differs_from_elasticsearch() -> None:
    """A hook that may be missing goes; a copy of metadata becomes a template."""
    pipeline = {
        "description": "x",
        "version": 1,
        "processors": [
            {"set": {"field": "a", "copy_from": "_ingest.timestamp"}},
            {"pipeline": {"name": "b", "ignore_missing_pipeline": True}},
        ],
        "on_failure": [{"set": {"field": "c", "value": "d"}}],
    }

    assert translated(pipeline) == {
        "description": "x",
        "processors": [{"set": {"field": "a", "value": "{{{_ingest.timestamp}}}"}}],
        "on_failure": [{"set": {"field": "c", "value": "d"}}],
    }


@pytest.mark.ingest
def test_a_wrong_script_is_refused_with_its_place(ingest: Engine) -> None:
    """The engine compiles Painless for real."""
    wrong = {
        "description": "x",
        "processors": [
            {"script": {"lang": "painless", "tag": "t", "source": "ctx.a = nothing(1)"}}
        ],
        "on_failure": [{"set": {"field": "a", "value": "b"}}],
    }

    with pytest.raises(AssertionError, match=r"compile error.*nothing\(1\)"):
        ingest.simulate(wrong, [{}])
