# SPDX-License-Identifier: Apache-2.0
"""What answers at the address of Kibana: told before anything is planned."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from shipper.config import KibanaSettings, Secret
from shipper.errors import ConfigError, NotPermitted, ShipperError, SinkUnavailable
from shipper.kibana import Kibana, plan, probe
from tests.fakes.answering import answering
from tests.fakes.fullserver import FullServer
from tests.fakes.kibana import FakeKibana, Said, refused

STATUS = "GET /api/status"
SECRET = "s3cr3t-w0rd"  # noqa: S105  a value to look for


def failed(fake: FakeKibana, space: str = "default") -> ShipperError:
    """Return why a Kibana is not taken."""
    with fake.serving() as url:
        settings = KibanaSettings(url=url, space=space, api_key=Secret(SECRET))
        with (
            Kibana(settings, pause=list[float]().append) as client,
            pytest.raises(ShipperError) as caught,
        ):
            probe(client)
    return caught.value


@pytest.mark.parametrize("version", ["8.17.0", "8.19.7", "9.0.0", "10.0.0"])
def test_new_enough(version: str) -> None:
    """8.17 and all that came after are taken."""
    with (
        FakeKibana(version).serving() as url,
        Kibana(KibanaSettings(url=url)) as client,
    ):
        assert probe(client).title == f"Kibana {version}"


@pytest.mark.parametrize("version", ["7.17.29", "8.9.2", "8.16.6"])
def test_too_old(version: str) -> None:
    """An older Kibana is refused with its version and the oldest that will do."""
    error = failed(FakeKibana(version))

    assert isinstance(error, SinkUnavailable)
    assert f"is Kibana {version}, and the oldest supported is 8.17." in error.message
    assert error.remedy


def test_unknown_version() -> None:
    """Kibana tells its version to nobody it does not know; what follows decides."""
    said = {STATUS: Said(body={"status": {"overall": {"level": "available"}}})}
    words = "Unable to authenticate user"
    said["GET /api/saved_objects/_find"] = refused(401, words)
    fake = FakeKibana(said=said)
    with fake.serving() as url, Kibana(KibanaSettings(url=url)) as client:
        assert probe(client).title == "Kibana of unknown version"
        with pytest.raises(NotPermitted, match=words):
            plan(client)


def test_not_ready() -> None:
    """A Kibana that is starting says so; so does one without Elasticsearch."""
    starting = Said(status=503, body="Kibana server is not ready yet")
    overall = {"level": "critical", "summary": "2 services are critical: elasticsearch"}
    broken = Said(status=503, body={"status": {"overall": overall}, "version": {}})

    assert (
        "Kibana server is not ready yet"
        in failed(FakeKibana(said={STATUS: starting})).message
    )
    assert (
        "2 services are critical: elasticsearch"
        in failed(FakeKibana(said={STATUS: broken})).message
    )


def test_redirect() -> None:
    """A login page of a proxy is no Kibana, and is not followed with credentials."""
    said = {STATUS: Said(status=302, body="", location="https://login.example/?to=x")}

    error = failed(FakeKibana(said=said))

    assert "sends us to https://login.example (302)" in error.message


def test_page_instead_of_kibana() -> None:
    """A page that is answered to everything is no Kibana."""
    error = failed(FakeKibana(said={STATUS: Said(body="<html>Sign in</html>")}))

    assert "is not Kibana" in error.message


def test_elasticsearch_instead_of_kibana() -> None:
    """The address of Elasticsearch is easily given instead."""
    odd = FullServer("9.2.0", lacking=("api/status",))
    with (
        answering(odd) as url,
        Kibana(KibanaSettings(url=url)) as client,
        pytest.raises(SinkUnavailable, match="is not Kibana"),
    ):
        probe(client)


def test_unreachable() -> None:
    """Nobody there: the message is about Kibana, not Elasticsearch."""
    settings = KibanaSettings(url="http://127.0.0.1:9", timeout=5)
    with Kibana(settings) as client, pytest.raises(SinkUnavailable) as caught:
        probe(client)

    assert "Kibana is running there" in caught.value.remedy


def test_missing_space() -> None:
    """A space that is not there is told before anything is imported into it."""
    fake = FakeKibana()

    error = failed(fake, "soc")

    assert error.message.endswith("has no space soc.")
    assert fake.changes == []


def test_wrong_credentials() -> None:
    """Kibana's words are told, and the secret is not."""
    said = {STATUS: refused(401, "[security_exception] unable to authenticate")}

    error = failed(FakeKibana(said=said))

    assert isinstance(error, NotPermitted)
    assert "CLISVC_KIBANA_API_KEY" in error.remedy
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    "url",
    ["siem.example", "ftp://siem.example", "https://", "http://x:port", "http://[x"],
)
def test_unusable_address(url: str) -> None:
    """An address that is none is a matter of the settings."""
    with pytest.raises(ConfigError, match=r"^kibana\.url: "):
        Kibana(KibanaSettings(url=url, password=Secret(SECRET)))


@pytest.mark.parametrize("url", ["https://app/kibana", "https://s/x", "http://x/app"])
def test_address_that_only_looks_like_a_page(url: str) -> None:
    """A host may be called app, and so may a base path."""
    with Kibana(KibanaSettings(url=url)) as client:
        assert client.where == url


def test_tls(tmp_path: Path) -> None:
    """The certificate of Kibana is checked, by the authority of its own table."""
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with FakeKibana().serving(tls=context) as url:
        with Kibana(KibanaSettings(url=url, ca_cert=str(file))) as client:
            version = probe(client).version
        with (
            Kibana(KibanaSettings(url=url)) as client,
            pytest.raises(SinkUnavailable) as caught,
        ):
            probe(client)

    assert version == "9.2.0"
    assert "CLISVC_KIBANA_CA_CERT" in caught.value.remedy


def test_missing_authority() -> None:
    """A certificate file that is not there is named before anything is sent."""
    settings = KibanaSettings(url="https://127.0.0.1:9", ca_cert="/missing.pem")

    with pytest.raises(ConfigError, match=r"^kibana\.ca_cert: /missing\.pem"):
        Kibana(settings)
