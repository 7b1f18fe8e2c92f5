# SPDX-License-Identifier: Apache-2.0
"""Being asked to stop at an awkward moment."""

import io
import signal

import structlog

from shipper.cli.signals import say_stopping, stopping


class Interrupted(io.StringIO):
    """Standard error, and a signal that comes while it is written to."""

    def write(self, text: str) -> int:
        """Be interrupted, once, and go on."""
        if not self.getvalue():
            super().write(" ")
            signal.raise_signal(signal.SIGTERM)
        return super().write(text)


def test_a_signal_while_a_message_is_written() -> None:
    """The message is written to its end, and stopping is said after it."""
    errors = Interrupted()
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer(key_order=["event"])],
        logger_factory=structlog.PrintLoggerFactory(errors),
    )
    with stopping() as asked:
        structlog.get_logger().info("a message")
        say_stopping(asked)

    assert asked.is_set()
    assert errors.getvalue().split("\n") == [
        " event='a message'",
        "event='stopping'",
        "",
    ]


def test_nothing_is_said_unasked() -> None:
    """A backfill that ends by itself is not stopped."""
    with structlog.testing.capture_logs() as said, stopping() as asked:
        say_stopping(asked)

    assert said == []
