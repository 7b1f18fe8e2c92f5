# SPDX-License-Identifier: Apache-2.0
"""The tools that look for faults in the shipper are themselves in order."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tools.fuzz.__main__ import SHARES, Finding, run, shortened
from tools.fuzz.laws import BrokenError, law
from tools.mutants.faults import FAULTS, Fault
from tools.typecheck.__main__ import KINDS, bodies, source

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(sys.platform == "win32", reason="time limits are POSIX signals")
@pytest.mark.timeout(0)  # the tool sets the same timer, for each input
@pytest.mark.parametrize(("target", "inputs"), [*dict.fromkeys(SHARES, 1500).items()])
def test_damaged_input_breaks_no_law(target: str, inputs: int) -> None:
    """A part of what ``make fuzz`` feeds, the same each time."""
    run(target, inputs if target != "store" else 60, seed=1)


@pytest.mark.skipif(sys.platform == "win32", reason="time limits are POSIX signals")
@pytest.mark.timeout(0)  # as above
def test_a_broken_law_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report has the shortest input that breaks it."""

    def fussy(data: bytes, _rng: random.Random) -> None:
        law(b"\x1b" not in data, "no escapes")

    monkeypatch.setitem(vars(sys.modules[run.__module__])["_TARGETS"], "frame", fussy)
    with pytest.raises(Finding) as caught:
        run("frame", 1000, seed=1)

    assert (
        str(caught.value)
        .splitlines()[0]
        .endswith(f"{BrokenError.__name__}: no escapes")
    )
    assert str(caught.value).splitlines()[1] == r"b'\x1b'"


def test_an_input_is_cut_to_what_matters() -> None:
    """Nothing can be left out of what remains."""
    assert shortened(b"abcdeXfghYijk", lambda d: b"X" in d and b"Y" in d) == b"XY"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_still_where_it_was(fault: Fault) -> None:
    """Its text is there once, and so are the tests that have to notice it."""
    text = (ROOT / fault.path).read_text(encoding="utf-8")

    assert text.count(fault.old) == 1
    assert fault.old != fault.new
    for test in fault.tests:
        path, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


def test_bodies_become_literals_of_their_request() -> None:
    """A body is checked as the request it is sent in; a known gap is marked."""
    body: dict[str, object] = {"dest": {"aliases": [{"alias": "a"}]}}

    text = source("es8", [("transforms", "sms-x", body)])

    assert "import type { estypes } from 'es8'" in text
    assert "export const body0: estypes.TransformPutTransformRequest =" in text
    assert '  "transform_id": "sms-x",' in text.splitlines()
    lines = [line.strip() for line in text.splitlines()]
    gap = "// @ts-expect-error of a destination; documented since 8.8"
    assert lines[lines.index('"aliases": [') - 1] == gap


def test_every_folder_of_bodies_is_checked() -> None:
    """Nothing that is sent to Elasticsearch escapes the type check."""
    folders = {path.parent.name for path in (ROOT / "pipelines").glob("*/*.json")}

    assert folders - set(KINDS) == set()
    assert {name for name, _, _ in bodies(ROOT / "pipelines")} == folders
