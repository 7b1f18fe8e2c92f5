# SPDX-License-Identifier: Apache-2.0
"""No stream is created unmapped: templates first, then documents."""

from __future__ import annotations

import threading

import structlog

from shipper.clock import SystemClock
from shipper.config import Settings
from shipper.deliver import Gate, connect
from shipper.errors import SinkUnavailable
from shipper.stack import ensure

_log = structlog.get_logger(__name__)


def ensure_templates(settings: Settings) -> None:
    """Install the templates if they are missing and we may; say what was done.

    Raises:
        SinkUnavailable: the server is unreachable or is not Elasticsearch.
        NotPermitted: credentials are wrong, or lack a privilege that is needed.
    """
    client = connect(settings.elasticsearch)
    try:
        ensured = ensure(client, namespace=settings.output.namespace)
    finally:
        client.close()
    for name in ensured.installed:
        _log.info("installed", template=name)
    for note in ensured.notes:
        _log.warning(note)


def templates_ready(settings: Settings, asked: threading.Event) -> bool:
    """Wait until the server answers and the templates are there.

    Args:
        settings: all settings.
        asked: set when asked to stop.

    Returns:
        ``False`` if asked to stop before that.

    Raises:
        NotPermitted: credentials are wrong, or lack a privilege that is needed.
    """
    gate = Gate(SystemClock())
    while not asked.is_set():
        try:
            ensure_templates(settings)
        except SinkUnavailable as problem:
            gate.failed(problem)
            gate.wait(asked)
        else:
            gate.passed()
            return True
    return False
