# SPDX-License-Identifier: Apache-2.0
"""A real Elasticsearch with security and TLS on, and a user for each role we ship."""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
import yaml
from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.stack.embedded.account import unprivileged
from shipper.stack.embedded.cache import cache_root
from shipper.stack.embedded.distribution import distribution
from shipper.stack.embedded.instance import Instance
from shipper.stack.embedded.java import find_java
from shipper.stack.embedded.lifeline import Lifeline
from tests.live.commands import until

ROOT = Path(__file__).parents[2]
VERSION = "9.2.0"
ADMIN = "admin"
#: Everything our roles allow is in pipelines/roles; this one allows nothing.
POWERLESS = "powerless"
_ROUNDS = 10_000
_START_S = 120


class Secured(Struct, frozen=True, kw_only=True):
    """A server that asks who is there.

    Attributes:
        url: address.
        ca_cert: file with the authority that signed its certificate.
        password: of all users.
        users: their names: one for each role, of that name, and :data:`ADMIN`.
    """

    url: str
    ca_cert: Path
    password: str
    users: tuple[str, ...]

    def client(self, user: str = ADMIN) -> Elasticsearch:
        """Return a client of a user."""
        return Elasticsearch(
            self.url,
            basic_auth=(user, self.password),
            ca_certs=str(self.ca_cert),
            max_retries=0,
        )

    def environment(self, user: str) -> dict[str, str]:
        """Return what makes a command use a user."""
        return {
            "CLISVC_ELASTICSEARCH_URL": self.url,
            "CLISVC_CA_CERT": str(self.ca_cert),
            "CLISVC_USERNAME": user,
            "CLISVC_PASSWORD": self.password,
        }


class _SecuredInstance(Instance, frozen=True, kw_only=True):
    """An instance whose folder also holds roles, users and a certificate."""

    password: str
    roles: dict[str, object]
    identity: trustme.LeafCert

    def prepare(self) -> None:
        """Write the settings, and who there is."""
        super().prepare()
        config = self.home / "config"
        users = {ADMIN: "superuser", **{name: name for name in self.roles}}
        hashed = _hashed(self.password)
        files = {
            "roles.yml": yaml.safe_dump(self.roles).encode(),
            "users": "".join(f"{name}:{hashed}\n" for name in users).encode(),
            "users_roles": "".join(f"{r}:{u}\n" for u, r in users.items()).encode(),
            "node.key": self.identity.private_key_pem.bytes(),
            "node.crt": self.identity.cert_chain_pems[0].bytes(),
        }
        for name, content in files.items():
            (config / name).write_bytes(content)
        if self.account:
            self.account.own(config)

    def _settings(self) -> str:
        plain = (
            super()
            ._settings()
            .replace("xpack.security.enabled: false", "xpack.security.enabled: true")
        )
        return plain + (
            "xpack.security.authc.password_hashing.algorithm: pbkdf2\n"
            "xpack.security.http.ssl.enabled: true\n"
            "xpack.security.http.ssl.key: node.key\n"
            "xpack.security.http.ssl.certificate: node.crt\n"
        )


@contextmanager
def secured() -> Iterator[Secured]:
    """Run a server with security and TLS until the block ends."""
    account = unprivileged()
    parent = Path(tempfile.gettempdir())
    if account and not account.reaches(parent):
        parent = cache_root(account)
    home = parent / f"clisvc-secured-{secrets.token_hex(4)}"
    authority = trustme.CA()
    lifeline = Lifeline()
    try:
        lifeline.remove_at_end(home)
        home.mkdir(mode=0o755)
        instance = _SecuredInstance(
            home=home,
            version=VERSION,
            tree=distribution(
                VERSION, account=account, lifeline=lifeline, report=_silent
            ),
            java=find_java(account=account, lifeline=lifeline),
            port=0,
            heap_mb=512,
            account=account,
            password=secrets.token_urlsafe(16),
            roles=_roles(),
            identity=authority.issue_cert("127.0.0.1"),
        )
        instance.prepare()
        ca_cert = home / "ca.pem"
        ca_cert.write_bytes(authority.cert_pem.bytes())
        child = lifeline.launch(instance.program())
        until(lambda: instance.url() is not None or not child.alive(), "it listens")
        assert child.alive(), instance.last_lines()
        server = Secured(
            url=str(instance.url()).replace("http:", "https:"),
            ca_cert=ca_cert,
            password=instance.password,
            users=(ADMIN, *instance.roles),
        )
        with server.client() as admin:
            admin.cluster.health(wait_for_status="yellow", timeout=f"{_START_S}s")
        yield server
    finally:
        lifeline.close()


def _roles() -> dict[str, object]:
    """Return the roles we ship as a role file has them, and one without rights."""
    found: dict[str, object] = {POWERLESS: {"cluster": [], "indices": []}}
    for path in sorted((ROOT / "pipelines" / "roles").glob("*.json")):
        body = json.loads(path.read_text("utf-8"))
        found[path.stem] = {key: body[key] for key in ("cluster", "indices")}
    return found


def _silent(_step: str) -> None:
    """Tell nobody."""


def _hashed(password: str) -> str:
    """Return a password as the file realm keeps it (PBKDF2 with SHA-512)."""
    salt = secrets.token_bytes(32)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS, 32)
    return f"{{PBKDF2}}{_ROUNDS}${b64encode(salt).decode()}${b64encode(key).decode()}"
