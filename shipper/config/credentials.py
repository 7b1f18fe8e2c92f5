# SPDX-License-Identifier: Apache-2.0
"""What is kept elsewhere: secrets in files or a keyring, an address in a cloud id."""

from __future__ import annotations

import binascii
import importlib
import re
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from shipper.config.secret import Secret
from shipper.config.settings import KibanaSettings, ServerSettings, Settings
from shipper.errors import ConfigError

_USER = re.compile(r"//(?P<name>[^:@/]*):(?P<password>[^/]*)@")
_CLOUD = re.compile(rb"([\w.-]+)(?::(\d+))?\$([\w.-]+)(?:\$|\Z)", re.ASCII)
_CREDENTIALS = ("api_key", "username", "password")
#: Ways of saying the same: where we go, and who we are.
_PLACES = (("url",), ("cloud_id",))
_IDENTITIES = (("api_key", "api_key_file"), ("username", "password", "password_file"))

#: Names of environment variables begin so; origins, too.
PREFIX = "CLISVC_"
COMMAND_LINE = "the command line"

_S = TypeVar("_S", bound=ServerSettings)


def resolve(settings: Settings, origins: dict[str, str]) -> Settings:
    """Fetch secrets from where they are kept; tell them from the address.

    Args:
        settings: as written.
        origins: where each value came from, by key path; completed.

    Raises:
        ConfigError: a secret is not where the settings say, or two settings contradict
            each other.
    """
    elastic = _sole("elasticsearch", settings.elasticsearch, origins, _PLACES)
    if elastic.cloud_id:
        url = _cloud_url(elastic.cloud_id, origins)
        elastic = msgspec.structs.replace(elastic, url=url)
        origins["elasticsearch.url"] = "elasticsearch.cloud_id"
    elastic = _resolved("elasticsearch", elastic, origins)
    kibana = _resolved("kibana", settings.kibana, origins)
    if kibana.url and not (kibana.api_key or kibana.username):
        kibana = _lent(elastic, kibana, origins)
    return msgspec.structs.replace(settings, elasticsearch=elastic, kibana=kibana)


def _resolved(table: str, server: _S, origins: dict[str, str]) -> _S:
    changes: dict[str, object] = {}
    if user := _USER.search(server.url):
        changes["url"] = _USER.sub("//", server.url)
        if not server.username:
            changes["username"] = unquote(user["name"])
            changes["password"] = Secret(unquote(user["password"]))
            for name in ("username", "password"):
                origins[f"{table}.{name}"] = origins[f"{table}.url"]
    server = msgspec.structs.replace(server, **changes)
    if server.username:
        server = _sole(table, server, origins, _IDENTITIES)
    changes = {}
    for name in ("api_key", "password"):
        path = getattr(server, f"{name}_file")
        if path and not getattr(server, name):
            changes[name] = _from_file(f"{table}.{name}_file", path, origins)
            origins[f"{table}.{name}"] = path
    if server.keyring and not ({"api_key", "password"} & changes.keys()):
        changes |= _from_keyring(table, server, origins)
    return msgspec.structs.replace(server, **changes)


def _sole(
    table: str,
    server: _S,
    origins: dict[str, str],
    ways: tuple[tuple[str, ...], tuple[str, ...]],
) -> _S:
    """Return a server of which one thing is said in one way: that of higher origin."""
    given = [
        [name for name in way if getattr(server, name) and f"{table}.{name}" in origins]
        for way in ways
    ]
    if not all(given):
        return server
    keys = [[f"{table}.{name}" for name in names] for names in given]
    ranks = [max(_rank(origins[key]) for key in each) for each in keys]
    if ranks[0] == ranks[1]:
        raise ConfigError(
            keys[1][0],
            f"{keys[0][0]} is given, too",
            origin=origins[keys[1][0]],
            remedy="Leave one of them out.",
        )
    lost = ranks.index(min(ranks))
    for key in keys[lost]:
        del origins[key]
    plain = type(server)()
    return msgspec.structs.replace(
        server, **{name: getattr(plain, name) for name in given[lost]}
    )


def _rank(origin: str) -> int:
    """Return which of two origins counts: command line, environment, file."""
    return 2 if origin == COMMAND_LINE else origin.startswith(PREFIX)


def _lent(
    elastic: ServerSettings, kibana: KibanaSettings, origins: dict[str, str]
) -> KibanaSettings:
    """Return the settings of Kibana with the credentials for Elasticsearch."""
    lent = {name: getattr(elastic, name) for name in _CREDENTIALS}
    for name in _CREDENTIALS:
        if f"elasticsearch.{name}" in origins:
            origins[f"kibana.{name}"] = f"elasticsearch.{name}"
    return msgspec.structs.replace(kibana, **lent)


def _cloud_url(cloud_id: str, origins: dict[str, str]) -> str:
    """Return the address in a cloud id: ``name:`` and, in base64, ``host$node$…``."""
    key = "elasticsearch.cloud_id"
    inside = b""
    with suppress(binascii.Error):
        inside = b64decode(cloud_id.rpartition(":")[2], validate=True)
    found = _CLOUD.match(inside)
    if found is None:
        raise ConfigError(
            key,
            f"{cloud_id!r} is no cloud id",
            origin=origins[key],
            remedy="Copy it from the deployment's page in Elastic Cloud.",
        )
    name, port, node = (part and part.decode() for part in found.groups())
    return f"https://{node}.{name}:{port or 443}"


def _from_file(key: str, path: str, origins: dict[str, str]) -> Secret:
    try:
        text = Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(
            key, f"{path} cannot be read: {reason}", origin=origins[key]
        ) from error
    if not text:
        raise ConfigError(key, f"{path} is empty", origin=origins[key])
    return Secret(text)


def _from_keyring(
    table: str, server: ServerSettings, origins: dict[str, str]
) -> dict[str, object]:
    """Return the API key, or with a user name the password, if none is given."""
    key = f"{table}.keyring"
    name = "password" if server.username else "api_key"
    if getattr(server, name):
        return {}
    service, entry = server.keyring, server.username or "api_key"
    try:
        # Named only here: few machines have one, and it is slow to find out.
        keyring: Any = importlib.import_module("keyring")
    except ImportError as error:
        raise ConfigError(
            key,
            "the package keyring is not installed",
            origin=origins[key],
            remedy="Install it with: pip install 'clisvc-shipper[keyring]'.",
        ) from error
    try:
        text = keyring.get_password(service, entry)
    except keyring.errors.KeyringError as error:
        raise ConfigError(
            key, f"the keyring cannot be read: {error}", origin=origins[key]
        ) from error
    if not text:
        raise ConfigError(
            key,
            f"the keyring has no entry {entry!r} of {service!r}",
            origin=origins[key],
            remedy=f"Make it with: keyring set {service} {entry}",
        )
    origins[f"{table}.{name}"] = f"keyring {service}"
    return {name: Secret(text)}
