# SPDX-License-Identifier: Apache-2.0
"""Puts the settings together and remembers where each value came from."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from shipper.config.credentials import COMMAND_LINE, PREFIX, resolve
from shipper.config.secret import Secret
from shipper.config.settings import Settings
from shipper.errors import ConfigError

#: Short names beside the regular ``CLISVC_<TABLE>_<KEY>``.
ALIASES = {
    "CLISVC_API_KEY": "elasticsearch.api_key",
    "CLISVC_USERNAME": "elasticsearch.username",
    "CLISVC_PASSWORD": "elasticsearch.password",
    "CLISVC_CA_CERT": "elasticsearch.ca_cert",
    "CLISVC_STATE": "state.dir",
}
#: Variables with our prefix that are no settings.
_OTHERS = frozenset({"CLISVC_CONFIG", "CLISVC_CACHE"})

#: What a value has to look like, in words instead of an expression.
_PATTERNS = {
    "output.namespace": (
        "expected at most 100 characters without capitals, blanks"
        ' and any of - / * ? " < > | , # :'
    ),
    "input.shard": "expected a form such as 2/8",
    "kibana.space": "expected small letters, digits, _ and - only",
}
_TABLES = (
    *("elasticsearch", "kibana"),
    *("input", "output", "state", "setup", "knowledge", "log"),
)
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")


class Loaded(Struct, frozen=True, kw_only=True):
    """Settings, and where they came from.

    Attributes:
        settings: the values.
        origins: by key path; a key that is not in it has its default.
    """

    settings: Settings
    origins: dict[str, str]

    def rows(self) -> list[tuple[str, str, str]]:
        """Return ``(key, value as text, origin)`` of every setting."""
        rows = []
        for key, value in flatten(self.settings):
            shown = repr(value) if isinstance(value, Secret) else _shown(value)
            rows.append((key, shown, self.origins.get(key, "default")))
        return rows


def load(
    *,
    file: str | None = None,
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Loaded:
    """Put the settings together.

    Args:
        file: path of a TOML file; default: ``CLISVC_CONFIG``, if set.
        environment: default: the process's.
        options: by key path, from the command line; ``None`` values are left out.

    Raises:
        ConfigError: names the key path, the value's origin and what to change.
    """
    environment = os.environ if environment is None else environment
    origins: dict[str, str] = {}
    raw: dict[str, Any] = {}
    path = file or environment.get("CLISVC_CONFIG")
    if path:
        raw = _read(path)
        origins.update(dict.fromkeys(_keys(raw), path))
    for key, (value, name) in _from_environment(environment).items():
        _put(raw, key, value)
        origins[key] = name
    for key, value in (options or {}).items():
        if value is not None and value != ():
            _put(raw, key, value)
            origins[key] = COMMAND_LINE
    return Loaded(settings=resolve(_convert(raw, origins), origins), origins=origins)


def flatten(settings: Struct, prefix: str = "") -> list[tuple[str, object]]:
    """Return ``(key path, value)`` of every setting."""
    found: list[tuple[str, object]] = []
    # The address first: msgspec moves what a subclass redefines behind the rest.
    for name in sorted(settings.__struct_fields__, key=lambda name: name != "url"):
        value = getattr(settings, name)
        if isinstance(value, Struct):
            found += flatten(value, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError("config", f"{path} cannot be read: {reason}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "config",
            f"{path} is not valid TOML: {error}",
            remedy="In TOML a Windows path stands between single quotes.",
        ) from error


def _from_environment(
    environment: Mapping[str, str],
) -> dict[str, tuple[object, str]]:
    known = {
        PREFIX + key.replace(".", "_").upper(): key
        for key, _ in flatten(Settings())
        if "." in key
    }
    known |= ALIASES
    found: dict[str, tuple[object, str]] = {}
    for name in sorted(environment, key=lambda name: name not in ALIASES):
        text = environment[name]
        if not name.startswith(PREFIX) or name in _OTHERS or not text:
            continue
        if name not in known:
            raise ConfigError(
                name,
                "no such setting",
                origin="the environment",
                remedy=_like(name, known),
            )
        key = known[name]
        default = dict(flatten(Settings()))[key]
        value: object = text
        if isinstance(default, tuple):
            separator = os.pathsep if key.endswith("paths") else ","
            value = [part.strip() for part in text.split(separator) if part.strip()]
        found[key] = (value, name)
    return found


def _convert(raw: dict[str, Any], origins: dict[str, str]) -> Settings:
    try:
        return msgspec.convert(raw, Settings, strict=False, dec_hook=_secret)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        path = at["path"] if at else ""
        text = _AT.sub("", text)
        unknown = _UNKNOWN.search(text)
        if unknown:
            key = ".".join(filter(None, (path, unknown["field"])))
            known = [key for key, _ in flatten(Settings())] + list(_TABLES)
            raise ConfigError(
                key,
                "no such setting",
                origin=_origin(key, origins),
                remedy=_like(key, known),
            ) from error
        value = _value(raw, path)
        table = path in _TABLES and isinstance(value, dict)
        hint = "" if _is_secret(path) or value is None or table else f", not {value!r}"
        if choices := _choices(path):
            text = "Expected one of " + ", ".join(choices)
        problem = _PATTERNS.get(path) or text[:1].lower() + text[1:]
        problem = problem.partition(", got ")[0] + hint
        raise ConfigError(path, problem, origin=_origin(path, origins)) from error


def _secret(kind: type, value: object) -> Secret:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("Expected `str`")


def _kind(path: str) -> object:
    table, _, name = path.partition(".")
    kind = get_type_hints(Settings).get(table)
    return get_type_hints(kind).get(name) if table in _TABLES else kind


def _is_secret(path: str) -> bool:
    return _kind(path) is Secret


def _choices(path: str) -> tuple[str, ...]:
    kind = _kind(path)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _put(raw: dict[str, Any], key: str, value: object) -> None:
    table, _, name = key.partition(".")
    inside = raw.setdefault(table, {})
    if isinstance(inside, dict):
        inside[name] = value


def _value(raw: dict[str, Any], path: str) -> object:
    value: Any = raw
    for part in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def _keys(raw: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in raw.items():
        if isinstance(value, dict) and not prefix and name in _TABLES:
            keys += _keys(value, f"{name}.")
        else:
            keys.append(f"{prefix}{name}")
    return keys


def _origin(path: str, origins: Mapping[str, str]) -> str:
    plain = re.sub(r"\[.*", "", path)
    return origins.get(plain) or next(
        (where for key, where in origins.items() if key.startswith(plain)), ""
    )


def _like(name: str, known: Mapping[str, str] | list[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else "See docs/configuration.md."


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)
