# SPDX-License-Identifier: Apache-2.0
"""What the shipper says about itself: readable, filtered, and harmless to terminals."""

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from shipper.telemetry import configure, printable

_NASTY = "\x1b[2J\x07\x9b31m\x7f\r\x00ok\nforged line"


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    transport = logging.getLogger("elastic_transport")
    level = transport.level
    with warnings.catch_warnings():
        yield
    transport.setLevel(level)


def _said(
    monkeypatch: pytest.MonkeyPatch,
    *,
    terminal: bool,
    level: str = "info",
    style: str = "auto",
) -> io.StringIO:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure(level=level, style=style)
    return stream


def _raw(text: str) -> set[str]:
    """Return the control characters in ``text`` but line ends."""
    return {sign for sign in text if ord(sign) < 32 or 127 <= ord(sign) < 160} - {"\n"}


def test_printable() -> None:
    """Control characters become visible; tabs, line ends and letters stay."""
    assert printable("a\x1b[2J\x9b\x7f\r\t\nä") == "a\\x1b[2J\\x9b\\x7f\\x0d\t\nä"


def test_json_without_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal each line is one JSON object."""
    stream = _said(monkeypatch, terminal=False)
    structlog.get_logger().warning("something happened", path="/x", count=3)

    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "something happened",
        "level": "warning",
        "path": "/x",
        "count": 3,
    }


def test_console_on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the line is for people."""
    stream = _said(monkeypatch, terminal=True)
    structlog.get_logger().info("something happened", count=3)

    assert "something happened" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_style_beats_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The style asked for is used whatever standard error is."""
    stream = _said(monkeypatch, terminal=True, style="json")
    structlog.get_logger().info("x")
    assert json.loads(stream.getvalue())["event"] == "x"

    stream = _said(monkeypatch, terminal=False, style="console")
    structlog.get_logger().info("x")
    assert not stream.getvalue().startswith("{")
    assert _raw(stream.getvalue()) == set()  # no colours in a file


@pytest.mark.parametrize("style", ["json", "console"])
def test_control_characters(monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """Nothing taken from a log reaches a terminal raw, wherever it stands."""
    stream = _said(monkeypatch, terminal=False, style=style)
    structlog.get_logger().error(
        _NASTY, text=_NASTY, bytes=_NASTY.encode(), many=[_NASTY], by={_NASTY: _NASTY}
    )

    assert _raw(stream.getvalue()) == set()
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("style", ["json", "console"])
def test_exceptions(monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    """An exception's text is as harmless as any other."""
    stream = _said(monkeypatch, terminal=False, style=style)
    try:
        int(_NASTY)
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "ValueError" in stream.getvalue()
    assert _raw(stream.getvalue()) == set()


def test_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is less grave than asked for is left out."""
    stream = _said(monkeypatch, terminal=False, level="warning")
    log = structlog.get_logger()
    log.info("no")
    log.warning("yes")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "yes"
    ]
