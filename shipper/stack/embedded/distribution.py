# SPDX-License-Identifier: Apache-2.0
"""Elasticsearch's files: the server plugin authors test against, from Maven Central."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from shipper.errors import EmbeddedError
from shipper.stack.embedded.account import Account
from shipper.stack.embedded.cache import build_once, cache_root
from shipper.stack.embedded.lifeline import Lifeline

VERSIONS: Mapping[str, str] = MappingProxyType(
    {
        "9.2.0": "2c624e913bb8712fb1698fc1ab3a241c868228183f089ff3cde17ad7bc7b5a96"
        "63454c2af939c65e075663826371e3d4344dca43a55a8aab9594f9a64b01d2c7",
        "8.19.8": "fa56c50fa80080f19bb9875348b019785e2ec53848168f007d40d81ca3cb7031"
        "6b45f53f20bb63cc2913ddad703711ce70f67dae5533cc5fd9db84d3f89f5241",
    }
)
"""SHA-512 of the archive of each version that can be embedded."""

DEFAULT_VERSION = "9.2.0"

Fetch = Callable[[str, Path], Path]
"""Fetches the archive of a version into a folder and returns its path."""

Report = Callable[[str], None]
"""Is told each step, in words for people."""

_GROUP = "org.elasticsearch.distribution.integ-test-zip"
_ARTIFACT = "elasticsearch"
_SIZE_MB = 99
_READ_TIMEOUT_S = 30


def distribution(
    version: str,
    *,
    account: Account | None,
    lifeline: Lifeline,
    report: Report,
    fetch: Fetch | None = None,
) -> Path:
    """Return the unpacked server of a version, fetched on first use.

    Args:
        version: one of `VERSIONS`.
        account: who must be able to read it besides us, or None.
        lifeline: removes what a killed run leaves half-done.
        report: is told what takes time.
        fetch: gets the archive; by default from Maven Central, where the artifact is
            ``org.elasticsearch.distribution.integ-test-zip:elasticsearch``.

    Raises:
        EmbeddedError: the version is unknown, cannot be fetched or is not what was
            pinned; or the disk is full.
    """
    if version not in VERSIONS:
        raise EmbeddedError(
            f"Elasticsearch {version} cannot be embedded.",
            remedy=f"Choose one of {', '.join(VERSIONS)}.",
        )

    def fill(folder: Path) -> None:
        report(f"fetching Elasticsearch {version} ({_SIZE_MB} MB, once)")
        fetched = folder / "fetched"
        archive = (fetch or fetch_from_central)(version, fetched)
        _check(version, archive)
        report(f"unpacking Elasticsearch {version}")
        _unpack(archive, folder)
        shutil.rmtree(fetched)

    built = build_once(cache_root(account) / f"elasticsearch-{version}", fill, lifeline)
    return built / f"elasticsearch-{version}"


def fetch_from_central(version: str, folder: Path) -> Path:
    """Fetch the archive of a version with jgo, which knows Maven Central by itself.

    Args:
        version: such as ``9.2.0``.
        folder: a fresh folder; jgo takes any file it finds for a finished download.

    Raises:
        EmbeddedError: jgo is not installed, or there is no way to the repository.
    """
    try:
        import requests  # noqa: PLC0415 - part of the optional extra
        from jgo.maven import MavenContext  # noqa: PLC0415 - the same
    except ImportError:
        raise EmbeddedError(
            "Fetching Elasticsearch needs the Python package jgo.",
            remedy="Run: pip install 'clisvc-shipper[embedded]'",
        ) from None
    context = MavenContext(repo_cache=folder, timeout=_READ_TIMEOUT_S)
    component = context.project(_GROUP, _ARTIFACT).at_version(version)
    try:
        archive: Path = component.artifact(packaging="zip").resolve()
    except (requests.RequestException, RuntimeError) as problem:
        raise EmbeddedError(
            f"Elasticsearch {version} could not be fetched from Maven Central: "
            f"{type(problem).__name__}.",
            remedy="Check the network, the proxy (HTTPS_PROXY) and its certificate "
            "(REQUESTS_CA_BUNDLE), or use a server of yours with --elasticsearch-url.",
        ) from problem
    return archive


def _check(version: str, archive: Path) -> None:
    with archive.open("rb") as content:
        seen = hashlib.file_digest(content, "sha512").hexdigest()
    if seen != VERSIONS[version]:
        raise EmbeddedError(
            f"The archive of Elasticsearch {version} has the SHA-512 {seen} instead of "
            f"{VERSIONS[version]} and was not used.",
            remedy="Try again; if it stays, something on the way changes downloads.",
        )


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder)
    # zipfile keeps no modes, and our umask may close the files to the account that
    # runs the server.
    for path in folder.rglob("*"):
        program = path.parent.name == "bin"
        path.chmod(0o755 if path.is_dir() or program else 0o644)
