# SPDX-License-Identifier: Apache-2.0
"""The progress bar shows what a server says, and obeys none of it."""

from __future__ import annotations

import pytest

from shipper.app import Progress
from shipper.cli.ship import _Display
from shipper.deliver import Counts


@pytest.mark.parametrize("said", ["[/bold] [link=x", "\x1b]0;evil\x07"], ids=ascii)
def test_what_is_waited_for(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither markup nor control characters in a reason do anything."""
    progress = Progress(
        sources=1,
        finished=0,
        bytes_read=1,
        records=0,
        lost=0,
        counts=Counts(),
        waiting_for=said,
    )
    with _Display(10) as show:
        show(progress)

    shown = capsys.readouterr().err
    assert said[:4].replace("\x1b", r"\x1b") in shown
    assert "\x1b]" not in shown
