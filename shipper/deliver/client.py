# SPDX-License-Identifier: Apache-2.0
"""The client of Elasticsearch: addresses, credentials, TLS; its retries are off."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch, ElasticsearchWarning

from shipper.config import ElasticsearchSettings, ServerSettings
from shipper.deliver.problems import public_url
from shipper.deliver.wire import SERIALIZERS
from shipper.errors import ConfigError


def connect(settings: ElasticsearchSettings, *, connections: int = 4) -> Elasticsearch:
    """Return a client; nothing is sent yet.

    Args:
        settings: where to and with what right.
        connections: kept open per node.

    Raises:
        ConfigError: the settings do not fit together.
    """
    options: dict[str, Any] = {
        "max_retries": 0,  # retrying is ours: endless, jittered, interruptible
        "retry_on_timeout": False,
        "request_timeout": settings.timeout,
        "http_compress": settings.compress,
        "connections_per_node": connections,
        "serializers": SERIALIZERS,
    }
    if settings.api_key:
        options["api_key"] = settings.api_key.reveal()
    elif settings.username:
        password = settings.password.reveal()
        options["basic_auth"] = (settings.username, password)
    urls = [url.strip() for url in settings.url.split(",")]
    if any(url.startswith("https:") for url in urls):
        options |= tls_options(settings, "elasticsearch")
    if not all(url.startswith(("https://", "http://")) for url in urls):
        raise _unusable(urls, "it begins with neither https:// nor http://")
    # Elasticsearch's remarks, as on templates that overlap, would show our sources.
    warnings.simplefilter("ignore", ElasticsearchWarning)
    try:
        return Elasticsearch(urls, **options)
    except (ValueError, TypeError, OSError) as error:
        # Without its cause, whose words may show a password.
        raise _unusable(urls, str(error)) from None


def tls_options(settings: ServerSettings, table: str) -> dict[str, Any]:
    """Return how a server's certificate is checked, in the words of the transport.

    Args:
        settings: of the server.
        table: whose they are, such as ``elasticsearch``.

    Raises:
        ConfigError: a file cannot be read.
    """
    options: dict[str, Any] = {"verify_certs": settings.verify}
    if not settings.verify:
        options["ssl_show_warn"] = False  # `check` says it, once
    files = {
        "ca_certs": settings.ca_cert,
        "ssl_assert_fingerprint": settings.fingerprint,
        "client_cert": settings.client_cert,
        "client_key": settings.client_key,
    }
    for name in ("ca_cert", "client_cert", "client_key"):
        _require_readable(f"{table}.{name}", getattr(settings, name))
    return options | {option: value for option, value in files.items() if value}


def _unusable(urls: list[str], reason: str) -> ConfigError:
    for url in urls:
        reason = reason.replace(url, public_url(url))
    return ConfigError(
        "elasticsearch",
        f"{public_url(','.join(urls))} cannot be used: {reason}",
        remedy="A URL looks like https://siem.example:9200.",
    )


def _require_readable(key: str, path: str) -> None:
    """The client would only notice with the first request, and blame the network."""
    try:
        if path:
            Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            key, f"{path} cannot be read: {error.strerror or error}"
        ) from error
