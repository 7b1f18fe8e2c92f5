# SPDX-License-Identifier: Apache-2.0
"""A user's own signatures, from a file beside the configuration.

They are tried after the built-in ones, so that they cannot hide what is known. Nobody
reviews their patterns: those run on RE2, whose time grows with the message and nothing
else, whatever the pattern.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from shipper.errors import ConfigError, ShipperError
from shipper.knowledge import entries
from shipper.knowledge.signatures import Catalogue, built_in

SETTING = "knowledge.signatures"
#: ``rule.ruleset`` of a user's signatures.
RULESET = "user"

_REMEDY = "docs/knowledge.md has the form of a signature."
_LARGEST = 256 * 1024  # bytes of the file
_MOST = 200  # signatures in it
_MEMORY = 1024 * 1024  # bytes RE2 may use for a pattern
_OURS = re.compile(r"s\d", re.IGNORECASE | re.ASCII)


def catalogue(path: str = "") -> Catalogue:
    """Return the built-in signatures and, after them, those of a user's file.

    Args:
        path: the file, or empty if there is none.

    Returns:
        The signatures. Their version names the content of the file.

    Raises:
        ConfigError: the file cannot be used; names it, the entry and the reason.
    """
    if not path:
        return built_in()
    content = _read(path)
    options = _engine(path)

    def compiled(pattern: str) -> re.Pattern[str]:
        return _compiled(pattern, options)

    try:
        rules = entries.parse(path, content.decode("utf-8-sig"), compiled, RULESET)
    except UnicodeDecodeError as error:
        raise _refused(f"{path} is not UTF-8") from error
    except ShipperError as error:
        raise _refused(error.message.rstrip(".")) from error
    if len(rules) > _MOST:
        raise _refused(f"{path} has {len(rules)} signatures, and may have {_MOST}")
    ids: set[str] = set()
    for signature, _ in rules:
        if signature.id.lower() in ids:
            raise _refused(f"{path}: {signature.id}: another id differs only in case")
        ids.add(signature.id.lower())
        if _OURS.match(signature.id):
            reason = "names that begin with S and a digit are the built-in ones'"
            raise _refused(f"{path}: {signature.id}: {reason}")
        if signature.inferred:
            raise _refused(f"{path}: {signature.id}: cannot be inferred")
    return built_in().extended(hashlib.sha256(content).hexdigest()[:8], rules)


def _read(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refused(f"{path} cannot be read: {reason}") from error
    if len(content) > _LARGEST:
        raise _refused(f"{path} is larger than {_LARGEST // 1024} KiB")
    return content


def _engine(path: str) -> Any:  # noqa: ANN401 - RE2's module is untyped
    """Return RE2's options: no case, bounded memory, errors raised and not printed."""
    try:
        import re2  # noqa: PLC0415 - an extra, needed for a user's file only
    except ImportError as error:
        raise ConfigError(
            SETTING,
            f"{path} needs the package google-re2, which is not installed",
            remedy='Install it with: pip install "clisvc-shipper[signatures]"',
        ) from error
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


def _compiled(pattern: str, options: Any) -> re.Pattern[str]:  # noqa: ANN401 - see above
    import re2  # noqa: PLC0415 - see above

    try:
        compiled: re.Pattern[str] = re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0].decode("utf-8", "replace")
        raise ValueError(f"{text} (patterns are RE2's)") from error
    return compiled


def _refused(message: str) -> ConfigError:
    return ConfigError(SETTING, message, remedy=_REMEDY)
