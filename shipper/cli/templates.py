# SPDX-License-Identifier: Apache-2.0
"""No stream is created unmapped: templates first, then documents."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from shipper.config import Settings
from shipper.deliver import Outage, connect
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
        ensured = ensure(
            client, namespace=settings.output.namespace, settings=settings.setup
        )
    finally:
        client.close()
    for name in ensured.installed:
        _log.info("installed", template=name)
    for note in ensured.notes:
        _log.warning(note)


def templates_first(settings: Settings) -> Callable[[], None]:
    """Return what has to be done before documents may be sent.

    It raises :class:`shipper.deliver.Outage` while the server is away, and
    :class:`shipper.errors.NotPermitted` if credentials are wrong or lack a privilege.
    """

    def prepare() -> None:
        try:
            ensure_templates(settings)
        except SinkUnavailable as problem:
            raise Outage(problem) from problem

    return prepare
