# SPDX-License-Identifier: Apache-2.0
"""The files of the ingest engine: pinned, from Maven Central, put together once."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from shipper.stack.embedded.account import Account
from shipper.stack.embedded.cache import build_once, cache_root
from shipper.stack.embedded.lifeline import Lifeline

Fetch = Callable[[str, Path], Path]
"""Fetches an artifact by its coordinates into a folder and returns its path."""

VERSION = "3.3.0"

#: Group, artifact, version, packaging, SHA-256; by the module each belongs to.
ARTIFACTS = {
    "": (
        (
            "org.opensearch.distribution.integ-test-zip:opensearch:3.3.0:zip",
            "c3a6bf825ea05b8d9fe3758dad70ed198cf9c365700895165d310a0a9e7f48a5",
        ),
    ),
    "lang-painless": (
        (
            "org.opensearch.plugin:lang-painless:3.3.0:jar",
            "1f1731d2d93dd4c578b7f55b66a4e69bdaeabc5158c0cdf3e934be9366a21a44",
        ),
        (
            "org.opensearch.plugin:opensearch-scripting-painless-spi:3.3.0:jar",
            "8126078ec894e77560a7a6c76e097ffee818af0c439a05c9f873aa0b35b4e537",
        ),
        (
            "org.antlr:antlr4-runtime:4.13.1:jar",
            "54665d2838cc66458343468efc539e454fc95b46a8a04b13c6ac43fc9be63505",
        ),
        (
            "org.ow2.asm:asm:9.7:jar",
            "adf46d5e34940bdf148ecdd26a9ee8eea94496a72034ff7141066b3eea5c4e9d",
        ),
        (
            "org.ow2.asm:asm-util:9.7:jar",
            "37a6414d36641973f1af104937c95d6d921b2ddb4d612c66c5a9f2b13fc14211",
        ),
        (
            "org.ow2.asm:asm-tree:9.7:jar",
            "62f4b3bc436045c1acb5c3ba2d8ec556ec3369093d7f5d06c747eb04b56d52b1",
        ),
        (
            "org.ow2.asm:asm-commons:9.7:jar",
            "389bc247958e049fc9a0408d398c92c6d370c18035120395d4cba1d9d9304b7a",
        ),
        (
            "org.ow2.asm:asm-analysis:9.7:jar",
            "7bc6bcbc21379948a0c8c467fb0f864206e5b818f6bc0b546872f5c9f941556f",
        ),
    ),
    "ingest-common": (
        (
            "org.opensearch.plugin:ingest-common:3.3.0:jar",
            "31e9123ead2c38e86304f306368b265128747090abed28163413d75a5d7212f7",
        ),
        (
            "org.opensearch:opensearch-grok:3.3.0:jar",
            "48c198e7524ccfe5b9340e858c00faa9f9ff3b6eb85fcc7faf5be430dcfb4769",
        ),
        (
            "org.opensearch:opensearch-dissect:3.3.0:jar",
            "743a01e86bcafa91b7706e90ecda667a5ac6bc4b0afa76d7429125abacb29da7",
        ),
        (
            "org.jruby.joni:joni:2.2.6:jar",
            "fb33f60ab43e38653317bbf41a1fec89cbee270c48e53b0b56d1165c00de0e07",
        ),
        (
            "org.jruby.jcodings:jcodings:1.0.63:jar",
            "ef11e1741a65160c5619cd2c3c79c40ee0affda847062f012616034b9d10e719",
        ),
    ),
    "lang-mustache": (
        (
            "org.opensearch.plugin:lang-mustache-client:3.3.0:jar",
            "324dbfa5f95d1ca81ac71d1f7c54a2c5527b3085891e061a8665cca7531ab3b1",
        ),
        (
            "com.github.spullara.mustache.java:compiler:0.9.14:jar",
            "99a7e7855609135006f078e6de7ee69daad9c42f98e679d56f80653cb17526b9",
        ),
    ),
}

#: Class, module it builds on, and what the jars on Maven Central lack: their rights.
_MODULES = {
    "lang-painless": (
        "org.opensearch.painless.PainlessModulePlugin",
        "",
        ("createClassLoader", "getClassLoader"),
    ),
    "ingest-common": (
        "org.opensearch.ingest.common.IngestCommonModulePlugin",
        "lang-painless",
        ("getClassLoader",),
    ),
    "lang-mustache": (
        "org.opensearch.script.mustache.MustacheModulePlugin",
        "",
        ("accessDeclaredMembers",),
    ),
}
_READ_TIMEOUT_S = 60


def assembled(
    account: Account | None, lifeline: Lifeline, fetch: Fetch | None = None
) -> Path:
    """Return the engine's folder, made on first use.

    Args:
        account: who must be able to read it besides us, or None.
        lifeline: removes what a killed run leaves half-made.
        fetch: gets an artifact; by default from Maven Central.

    Raises:
        RuntimeError: an artifact is not what was pinned.
    """

    def fill(folder: Path) -> None:
        fetched = folder / "fetched"
        for module, artifacts in ARTIFACTS.items():
            place = folder / f"opensearch-{VERSION}" / "modules" / module
            for coordinates, checksum in artifacts:
                file = (fetch or _fetch)(coordinates, fetched)
                _check(coordinates, checksum, file)
                if not module:
                    with zipfile.ZipFile(file) as archive:
                        archive.extractall(folder)
                    continue
                place.mkdir(exist_ok=True)
                shutil.copyfile(file, place / file.name)
            if module:
                _describe(place, module)
        shutil.rmtree(fetched)
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)

    target = cache_root(account) / f"opensearch-{VERSION}"
    return build_once(target, fill, lifeline) / f"opensearch-{VERSION}"


def _fetch(coordinates: str, folder: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import

    group, artifact, version, packaging = coordinates.split(":")
    component = (
        MavenContext(repo_cache=folder, timeout=_READ_TIMEOUT_S)
        .project(group, artifact)
        .at_version(version)
    )
    file: Path = component.artifact(packaging=packaging).resolve()
    return file


def _check(coordinates: str, checksum: str, file: Path) -> None:
    seen = hashlib.sha256(file.read_bytes()).hexdigest()
    if seen != checksum:
        raise RuntimeError(f"{coordinates} has SHA-256 {seen}, not {checksum}")


def _describe(folder: Path, module: str) -> None:
    name, base, rights = _MODULES[module]
    lines = {
        "description": module,
        "version": VERSION,
        "name": module,
        "classname": name,
        "java.version": "21",
        "opensearch.version": VERSION,
        "extended.plugins": base,
        "has.native.controller": "false",
    }
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    (folder / "plugin-descriptor.properties").write_text(text, "utf-8")
    grants = "".join(
        f'  permission java.lang.RuntimePermission "{right}";\n' for right in rights
    )
    policy = f"grant {{\n{grants}}};\n"
    (folder / "plugin-security.policy").write_text(policy, "utf-8")
