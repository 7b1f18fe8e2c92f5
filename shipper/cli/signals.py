# SPDX-License-Identifier: Apache-2.0
"""Being asked to stop: once politely, twice at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from shipper.errors import EXIT_INTERRUPTED

_log = structlog.get_logger(__name__)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Yield an event that SIGINT, SIGTERM or Ctrl-Break sets; a second one ends it.

    The signal is not logged here: it may come while a message is being written, and
    the lock around that would never open again. See :func:`say_stopping`.
    """
    asked = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(
                EXIT_INTERRUPTED
            )  # nothing is lost: what is not saved is read again
        asked.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGBREAK"):
        numbers.append(signal.SIGBREAK)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def say_stopping(asked: threading.Event) -> None:
    """Say that reading has ended, and what has been read is being delivered, if so."""
    if asked.is_set():
        _log.info("stopping")


@contextmanager
def interrupting() -> Iterator[None]:
    """Let SIGTERM end the work like Ctrl-C does, cleaning up on the way out."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
