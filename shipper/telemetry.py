# SPDX-License-Identifier: Apache-2.0
"""What the shipper says about itself: structlog on standard error, never an event each.

Values from logs may hold terminal escape sequences; control characters never reach an
operator's terminal raw.
"""

from __future__ import annotations

import logging
import re
import sys
import warnings

import structlog
from structlog.typing import EventDict, WrappedLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Return ``text`` with control characters made visible."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def configure(*, level: str, style: str) -> None:
    """Set up logging for the process.

    Args:
        level: the least grave level that is written.
        style: ``console``, ``json``, or ``auto``: console on a terminal.
    """
    terminal = sys.stderr.isatty()
    console = style == "console" or (style == "auto" and terminal)
    exceptions: structlog.typing.Processor = structlog.processors.dict_tracebacks
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if console:
        exceptions = structlog.processors.format_exc_info
        renderer = structlog.dev.ConsoleRenderer(
            colors=terminal,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not console),
            exceptions,
            _clean,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries are quiet: what matters of theirs is said in our own words.
    for name in ("elastic_transport", "watchdog"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="elasticsearch|elastic_transport|urllib3")


def _clean(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {
        key: _one_line(key, value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _one_line(key: str, value: str) -> str:
    """A line end in a value must not look like another message of ours."""
    text = printable(value)
    return text if key == "exception" else text.replace("\n", "\\n")
