# SPDX-License-Identifier: Apache-2.0
"""Secrets in a keyring, and an address in a cloud id."""

import sys
from base64 import b64encode
from pathlib import Path

import pytest
from keyring.errors import KeyringError

from shipper.config import Secret, load
from shipper.errors import ConfigError
from tests.config.conftest import MemoryKeyring

_SECRET = "s3cr3t-w0rd"  # noqa: S105  a value to look for


def cloud_id(inside: str) -> str:
    """Return a cloud id as Elastic makes it."""
    return "fleet:" + b64encode(inside.encode()).decode()


def test_api_key_from_keyring(memory_keyring: MemoryKeyring) -> None:
    """Without a user name the keyring holds the API key."""
    memory_keyring.set_password("clisvc", "api_key", _SECRET)

    loaded = load(environment={}, options={"elasticsearch.keyring": "clisvc"})

    assert loaded.settings.elasticsearch.api_key == Secret(_SECRET)
    assert ("elasticsearch.api_key", "<hidden>", "keyring clisvc") in loaded.rows()


def test_password_from_keyring(memory_keyring: MemoryKeyring) -> None:
    """With a user name the keyring holds the password under it."""
    memory_keyring.set_password("clisvc", "shipper", _SECRET)
    options = {"elasticsearch.keyring": "clisvc", "elasticsearch.username": "shipper"}

    loaded = load(environment={}, options=options)

    assert loaded.settings.elasticsearch.password == Secret(_SECRET)


@pytest.mark.usefixtures("memory_keyring")
def test_given_secret_beats_keyring() -> None:
    """A secret that is given is not looked for in the keyring."""
    environment = {"CLISVC_API_KEY": _SECRET, "CLISVC_ELASTICSEARCH_KEYRING": "none"}

    elastic = load(environment=environment).settings.elasticsearch

    assert elastic.api_key == Secret(_SECRET)


@pytest.mark.usefixtures("memory_keyring")
def test_missing_entry() -> None:
    """An entry that is missing is named, with the command that makes it."""
    with pytest.raises(ConfigError) as caught:
        load(environment={"CLISVC_ELASTICSEARCH_KEYRING": "clisvc"})

    assert "elasticsearch.keyring: the keyring has no entry 'api_key'" in (
        caught.value.message
    )
    assert caught.value.remedy == "Make it with: keyring set clisvc api_key"


def test_locked_keyring(
    memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring that does not open is a clear error."""

    def refuse(*_: str) -> str:
        raise KeyringError("it is locked")

    monkeypatch.setattr(memory_keyring, "get_password", refuse)

    with pytest.raises(ConfigError, match="the keyring cannot be read: it is locked"):
        load(environment={"CLISVC_ELASTICSEARCH_KEYRING": "clisvc"})


def test_keyring_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the message says how to install it."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(ConfigError) as caught:
        load(environment={"CLISVC_ELASTICSEARCH_KEYRING": "clisvc"})

    assert caught.value.remedy == (
        "Install it with: pip install 'clisvc-shipper[keyring]'."
    )


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ("eu.example$0123abcd$4567ef", "https://0123abcd.eu.example:443"),
        ("eu.example:9243$0123abcd$", "https://0123abcd.eu.example:9243"),
        ("eu.example$0123abcd", "https://0123abcd.eu.example:443"),
    ],
)
def test_cloud_id(inside: str, url: str) -> None:
    """A cloud id stands for the address of its Elasticsearch."""
    name = "CLISVC_ELASTICSEARCH_CLOUD_ID"

    loaded = load(environment={name: cloud_id(inside)})

    assert loaded.settings.elasticsearch.url == url
    assert loaded.origins["elasticsearch.url"] == "elasticsearch.cloud_id"


@pytest.mark.parametrize("wrong", ["fleet", "fleet:%%%", cloud_id("eu.example"), "a:"])
def test_no_cloud_id(wrong: str) -> None:
    """What is no cloud id is refused with the value seen."""
    with pytest.raises(ConfigError) as caught:
        load(environment={"CLISVC_ELASTICSEARCH_CLOUD_ID": wrong})

    assert caught.value.message.startswith(
        f"elasticsearch.cloud_id: {wrong!r} is no cloud id"
    )


@pytest.fixture
def cloud(tmp_path: Path) -> str:
    """Return a file that names a deployment in Elastic Cloud and a key for it."""
    file = tmp_path / "clisvc.toml"
    place = cloud_id("eu.example$0123abcd")
    file.write_text(f"[elasticsearch]\ncloud_id = '{place}'\napi_key = 'filed'\n")
    return str(file)


@pytest.mark.parametrize("nearer", ["options", "environment"])
def test_address_beats_cloud_id_of_the_file(cloud: str, nearer: str) -> None:
    """An address given nearer than the file is where documents go."""
    url = "http://other:9200"
    given: dict[str, dict[str, str]] = {"environment": {}, "options": {}}
    given[nearer] = {
        "options": {"elasticsearch.url": url},
        "environment": {"CLISVC_ELASTICSEARCH_URL": url},
    }[nearer]

    loaded = load(
        file=cloud, environment=given["environment"], options=given["options"]
    )

    assert loaded.settings.elasticsearch.url == url
    assert loaded.settings.elasticsearch.cloud_id == ""


def test_cloud_id_beats_address_of_the_environment() -> None:
    """A deployment named on the command line counts, and no other address."""
    loaded = load(
        environment={"CLISVC_ELASTICSEARCH_URL": "http://other:9200"},
        options={"elasticsearch.cloud_id": cloud_id("eu.example$0123abcd")},
    )

    url = "https://0123abcd.eu.example:443"
    assert loaded.settings.elasticsearch.url == url
    assert loaded.origins["elasticsearch.url"] == "elasticsearch.cloud_id"


def test_two_addresses_of_one_rank() -> None:
    """An address and a cloud id side by side are refused, and both are named."""
    environment = {
        "CLISVC_ELASTICSEARCH_URL": "http://other:9200",
        "CLISVC_ELASTICSEARCH_CLOUD_ID": cloud_id("eu.example$0123abcd"),
    }

    with pytest.raises(ConfigError) as caught:
        load(environment=environment)

    assert caught.value.message == (
        "elasticsearch.cloud_id: elasticsearch.url is given, too"
        " (from CLISVC_ELASTICSEARCH_CLOUD_ID)."
    )


def test_user_beats_key_of_the_file(cloud: str) -> None:
    """A user named in the environment is who we are, and not the file's key."""
    environment = {"CLISVC_USERNAME": "ship", "CLISVC_PASSWORD": _SECRET}

    elastic = load(file=cloud, environment=environment).settings.elasticsearch

    assert (elastic.username, elastic.password) == ("ship", Secret(_SECRET))
    assert not elastic.api_key


def test_key_beats_user_of_the_file(tmp_path: Path) -> None:
    """A key given in the environment counts, and not a user of the file."""
    file = tmp_path / "clisvc.toml"
    file.write_text("[elasticsearch]\nusername = 'ship'\npassword_file = 'none'\n")

    elastic = load(
        file=str(file), environment={"CLISVC_API_KEY": _SECRET}
    ).settings.elasticsearch

    assert elastic.api_key == Secret(_SECRET)
    assert (elastic.username, elastic.password_file) == ("", "")


def test_two_identities_of_one_rank() -> None:
    """A key and a user side by side are refused, and both are named."""
    environment = {"CLISVC_API_KEY": _SECRET, "CLISVC_USERNAME": "ship"}

    with pytest.raises(ConfigError) as caught:
        load(environment=environment)

    assert "elasticsearch.username: elasticsearch.api_key" in caught.value.message


def test_kibana_borrows_credentials() -> None:
    """Without credentials of its own, Kibana is given those for Elasticsearch."""
    environment = {"CLISVC_API_KEY": _SECRET, "CLISVC_KIBANA_URL": "http://kibana"}

    loaded = load(environment=environment)

    assert loaded.settings.kibana.api_key == Secret(_SECRET)
    assert ("kibana.api_key", "<hidden>", "elasticsearch.api_key") in loaded.rows()


def test_kibana_keeps_its_credentials() -> None:
    """Credentials of its own, also those in its address, are not mixed with others."""
    environment = {"CLISVC_API_KEY": _SECRET, "CLISVC_KIBANA_URL": "http://a:b@kibana"}

    kibana = load(environment=environment).settings.kibana

    assert (kibana.url, kibana.username) == ("http://kibana", "a")
    assert kibana.password == Secret("b")
    assert not kibana.api_key


def test_no_kibana_no_credentials() -> None:
    """A Kibana that is not named is lent nothing."""
    assert not load(environment={"CLISVC_API_KEY": _SECRET}).settings.kibana.api_key


def test_kibana_from_keyring(memory_keyring: MemoryKeyring) -> None:
    """The keyring serves Kibana as it does Elasticsearch."""
    memory_keyring.set_password("soc", "api_key", _SECRET)
    options = {"kibana.keyring": "soc", "kibana.url": "http://kibana"}

    loaded = load(environment={"CLISVC_API_KEY": "other"}, options=options)

    assert loaded.settings.kibana.api_key == Secret(_SECRET)
    assert loaded.origins["kibana.api_key"] == "keyring soc"


def test_impossible_space() -> None:
    """The name of a space is what Kibana allows: small letters, digits, _ and -."""
    with pytest.raises(ConfigError) as caught:
        load(environment={"CLISVC_KIBANA_SPACE": "The SOC"})

    assert caught.value.message == (
        "kibana.space: expected small letters, digits, _ and - only, not 'The SOC'"
        " (from CLISVC_KIBANA_SPACE)."
    )
