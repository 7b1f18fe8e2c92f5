# SPDX-License-Identifier: Apache-2.0
"""Back-off: how long, for how many failures, and what is said about it."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from shipper.clock import SystemClock
from shipper.deliver import Gate, gate
from shipper.errors import SinkUnavailable
from tests.fakes.clock_deliver import StillClock

_AWAY = SinkUnavailable("https://es cannot be reached.", remedy="Start it.")


class Dice:
    """Stands in for chance: keeps the bounds asked for and gives one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, highest: bool) -> None:
        self.bounds: list[tuple[float, float]] = []
        self._highest = highest
        monkeypatch.setattr(gate.random, "uniform", self._roll)  # type: ignore[attr-defined]  # a module inside

    def _roll(self, low: float, high: float) -> float:
        self.bounds.append((low, high))
        return high if self._highest else low


def _closed_for(made: Gate, clock: StillClock) -> float:
    """Return the seconds until the gate opens, to the tenth."""
    begin = clock.now_s
    for tenth in range(1_000):
        clock.now_s = begin + tenth / 10
        if made._not_before <= clock.now_s:
            return tenth / 10
    raise AssertionError("it never opens")


def test_open_at_first() -> None:
    """Nothing is waited for before anything has failed."""
    assert Gate(StillClock()).wait()


def test_doubling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are drawn below a ceiling of 0.5 s that doubles to 30 s and stays."""
    dice, clock = Dice(monkeypatch, highest=True), StillClock()
    made = Gate(clock)
    for _ in range(9):
        made.failed(_AWAY)
        clock.now_s += 30

    assert [high for _, high in dice.bounds] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert {low for low, _ in dice.bounds} == {0.25}


def test_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """After thousands of failures it is still tried every half minute."""
    dice, clock = Dice(monkeypatch, highest=True), StillClock()
    made = Gate(clock)
    for _ in range(5_000):
        made.failed(_AWAY)
        clock.now_s += 30

    assert dice.bounds[-1] == (0.25, 30)
    assert made.wait()


def test_waits_as_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate is closed for as long as was drawn."""
    Dice(monkeypatch, highest=True)
    clock = StillClock()
    made = Gate(clock)
    made.failed(_AWAY)

    assert _closed_for(made, clock) == 0.5
    assert made.wait()


def test_real_wait() -> None:
    """With a real clock the wait is real, and within its bounds."""
    made = Gate(SystemClock())
    begin = time.monotonic()
    made.failed(_AWAY)

    assert made.wait()
    assert 0.2 < time.monotonic() - begin < 5


def test_simultaneous_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures while the gate is closed are the same failure."""
    dice, clock = Dice(monkeypatch, highest=True), StillClock()
    made = Gate(clock)
    for _ in range(4):
        made.failed(_AWAY)
    clock.now_s += 0.5
    made.failed(_AWAY)

    assert [high for _, high in dice.bounds] == [0.5, 1]


def test_success_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A success opens the gate at once and forgets the failures."""
    dice, clock = Dice(monkeypatch, highest=True), StillClock()
    made = Gate(clock)
    for _ in range(3):
        made.failed(_AWAY)
        clock.now_s += 30
    made.failed(_AWAY)
    assert made.problem is _AWAY

    made.passed()

    assert made.problem is None
    assert made.wait()
    made.failed(_AWAY)
    assert dice.bounds[-1] == (0.25, 0.5)


def test_interruptible() -> None:
    """Who waits is let go when asked to stop, and told so."""
    clock = StillClock()
    made = Gate(clock)
    made.failed(_AWAY)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(made.wait()))
    waiting.start()

    made.stop()
    waiting.join(5)

    assert answers == [False]
    assert not made.wait()


def test_said_once() -> None:
    """A problem is told once, with what to do, and again after a minute."""
    clock = StillClock()
    made = Gate(clock)
    with capture_logs() as logs:
        for second in range(60):
            clock.now_s = 100.0 + second
            made.failed(_AWAY)
        assert len(logs) == 1

        clock.now_s = 160.0
        made.failed(_AWAY)
        made.failed(SinkUnavailable("it answers 503."))

    assert [entry["reason"] for entry in logs] == [
        "https://es cannot be reached.",
        "https://es cannot be reached.",
        "it answers 503.",
    ]
    assert logs[0]["remedy"] == "Start it."
    assert logs[0]["log_level"] == "warning"


def test_recovery_is_told() -> None:
    """The end of a problem is told once; plain success is not news."""
    made = Gate(StillClock())
    with capture_logs() as logs:
        made.passed()
        made.failed(_AWAY)
        made.passed()
        made.passed()

    assert [entry["log_level"] for entry in logs] == ["warning", "info"]


# --- a busy server ----------------------------------------------------------------


def test_fewer_at_a_time() -> None:
    """Each 429 halves the senders, down to one; quiet brings one back each 30 s."""
    clock = StillClock()
    made = Gate(clock, 8)
    places = [made.places]
    for _ in range(4):
        made.failed(_AWAY, busy=True)
        places.append(made.places)
        clock.now_s += 29
    clock.now_s += 1
    places.append(made.places)
    for _ in range(8):
        clock.now_s += 30
        places.append(made.places)

    assert places == [8, 4, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]


def test_busy_at_the_same_time() -> None:
    """Several senders told at once halve once; other failures halve nothing."""
    made = Gate(StillClock(), 8)
    made.failed(_AWAY, busy=True)
    made.failed(_AWAY, busy=True)
    assert made.places == 4

    other = Gate(StillClock(), 8)
    other.failed(_AWAY)

    assert other.places == 8


def test_places_are_kept() -> None:
    """No more senders pass than there are places; one that leaves lets one in."""
    clock = StillClock()
    made = Gate(clock, 2)
    made.failed(_AWAY, busy=True)
    made.passed()
    assert made.enter()
    entered: list[bool] = []
    second = threading.Thread(target=lambda: entered.append(made.enter()))
    second.start()
    second.join(0.05)
    assert entered == []

    made.leave()
    second.join(5)

    assert entered == [True]


def test_stop_ends_the_wait_for_a_place() -> None:
    """Who waits for a place is let go when asked to stop."""
    made = Gate(StillClock())
    assert made.enter()
    entered: list[bool] = []
    second = threading.Thread(target=lambda: entered.append(made.enter()))
    second.start()

    made.stop()
    second.join(5)

    assert entered == [False]


def test_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is left alone as long as it asks, even if another sender passes."""
    Dice(monkeypatch, highest=True)
    clock = StillClock()
    made = Gate(clock)
    made.failed(_AWAY, busy=True, wait_s=12)
    made.passed()

    assert _closed_for(made, clock) == 12


@pytest.mark.parametrize(
    ("asked", "waits"), [(0.0, 0.5), (0.2, 0.5), (9.0, 9.0), (9_999.0, 300.0)]
)
def test_asked_to_wait(
    monkeypatch: pytest.MonkeyPatch, asked: float, waits: float
) -> None:
    """What the server asks for is a lower bound of the wait, up to five minutes."""
    Dice(monkeypatch, highest=True)
    clock = StillClock()
    made = Gate(clock)
    made.failed(_AWAY, wait_s=asked)

    assert made._not_before == clock.now_s + waits


def test_silence_is_measured() -> None:
    """How long nobody answered is known before a request runs into its time limit."""
    clock = StillClock()
    made = Gate(clock)
    before = made.silence_s
    made.enter()
    clock.now_s += 7
    during = made.silence_s
    made.leave()
    clock.now_s += 7

    assert (before, during, made.silence_s) == (0.0, 7.0, 0.0)
