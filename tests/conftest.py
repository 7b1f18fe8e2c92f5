# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: profiles, and nothing left behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Examples are slow at times on a busy machine; that is no fault of the code.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _CALM, max_examples=100)
settings.register_profile("ci", _CALM, max_examples=400)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
)

# Started in the background of a shell, we are deaf to Ctrl-C, and would bequeath that
# to the processes some tests send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Threads of a stuck share stay behind by design and die with the process.
_STAY = ("stuck-",)
_PATIENCE_S = 5.0


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + _PATIENCE_S
    left: list[str] = []
    while time.monotonic() < deadline:
        left = [
            thread.name
            for thread in threading.enumerate()
            if thread not in before and not thread.name.startswith(_STAY)
        ]
        if not left:
            return
        threading.Event().wait(0.01)
    pytest.fail(f"threads left behind: {left}")


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CLISVC_") and name != "CLISVC_CACHE":
            monkeypatch.delenv(name)
