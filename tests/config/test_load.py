# SPDX-License-Identifier: Apache-2.0
"""Settings: who wins, where a value came from, and what is said about a wrong one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shipper.config import Secret, Settings, load
from shipper.config.load import flatten
from shipper.errors import ConfigError

_SECRET = "s3cr3t-w0rd"  # noqa: S105  a value to look for
_CLOUD_ID = "fleet:ZXUuZXhhbXBsZSQwMTIzYWJjZCQ0NTY3ZWY="
_KEYS = [key for key, _ in flatten(Settings()) if "." in key]
Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the settings file and returns its path."""

    def put(text: str) -> str:
        path = tmp_path / "clisvc.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return put


def _wrong(**sources: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(**{"environment": {}, **sources})  # type: ignore[arg-type]  # by name
    assert caught.value.exit_code == 2
    return caught.value


# --- precedence -------------------------------------------------------------------


def test_defaults() -> None:
    """Without any source all settings have their defaults."""
    loaded = load(environment={})

    assert loaded.settings == Settings()
    assert {origin for _, _, origin in loaded.rows()} == {"default"}


def test_precedence(write: Write) -> None:
    """Option beats environment beats file beats default, key by key."""
    file = write("[output]\nsenders = 3\nbatch_events = 30\nnamespace = 'file'\n")
    loaded = load(
        file=file,
        environment={"CLISVC_OUTPUT_SENDERS": "4", "CLISVC_OUTPUT_BATCH_EVENTS": "40"},
        options={"output.senders": 5},
    )

    output = loaded.settings.output
    found = output.senders, output.batch_events, output.namespace, output.linger
    assert found == (5, 40, "file", 0.02)
    origins = {key: origin for key, _, origin in loaded.rows()}
    assert origins["output.senders"] == "the command line"
    assert origins["output.batch_events"] == "CLISVC_OUTPUT_BATCH_EVENTS"
    assert origins["output.namespace"] == file
    assert origins["output.linger"] == "default"


def test_options_left_out() -> None:
    """An option that was not given overrides nothing."""
    loaded = load(
        environment={"CLISVC_OUTPUT_NAMESPACE": "lab", "CLISVC_INPUT_PATHS": "a.log"},
        options={"output.namespace": None, "input.paths": ()},
    )

    assert loaded.settings.output.namespace == "lab"
    assert loaded.settings.input.paths == ("a.log",)


def test_file_from_environment(write: Write) -> None:
    """The file may be named by a variable; an option's file beats it."""
    file = write("[output]\nnamespace = 'lab'\n")

    named = load(environment={"CLISVC_CONFIG": file})
    beaten = load(file=file, environment={"CLISVC_CONFIG": "/missing.toml"})

    assert named.settings == beaten.settings
    assert named.settings.output.namespace == "lab"


def test_empty_variable() -> None:
    """An empty variable is no value."""
    assert load(environment={"CLISVC_OUTPUT_SENDERS": ""}).settings == Settings()


def test_foreign_variables() -> None:
    """Variables of others, and ours that are no settings, are let be."""
    environment = {"PATH": "/bin", "CLISVC_CACHE": "/cache"}

    assert load(environment=environment).settings == Settings()


@pytest.mark.usefixtures("memory_keyring")
@pytest.mark.parametrize("key", _KEYS)
def test_every_key_has_a_variable(key: str) -> None:
    """A key ``a.b`` is also the variable ``CLISVC_A_B``."""
    values = {
        "elasticsearch.api_key_file": __file__,
        "elasticsearch.cloud_id": _CLOUD_ID,
        "elasticsearch.password_file": __file__,
        "kibana.api_key_file": __file__,
        "kibana.password_file": __file__,
        "kibana.rules": "both",
        "input.bias_sign": "ignore",
        "input.max_line_bytes": "2048",
        "input.watch": "sweep",
        "input.shard": "1/2",
        "output.batch_bytes": "2048",
        "output.max_in_flight_bytes": "70000",
        "setup.lifecycle": "dsl",
        "log.level": "debug",
        "log.format": "json",
    }
    name = "CLISVC_" + key.upper().replace(".", "_")

    loaded = load(environment={name: values.get(key, "1")})

    assert loaded.origins[key] == name
    default = dict(flatten(Settings()))[key]
    same_as_default = {
        "elasticsearch.verify",
        "kibana.verify",
        "input.sweep_min",
        "output.status_documents",
    }
    changed = dict(flatten(loaded.settings))[key] != default
    assert changed or key in same_as_default


@pytest.mark.parametrize(
    ("short", "key"),
    [
        ("CLISVC_API_KEY", "elasticsearch.api_key"),
        ("CLISVC_USERNAME", "elasticsearch.username"),
        ("CLISVC_PASSWORD", "elasticsearch.password"),
        ("CLISVC_CA_CERT", "elasticsearch.ca_cert"),
        ("CLISVC_STATE", "state.dir"),
    ],
)
def test_short_variables(short: str, key: str) -> None:
    """The usual settings have short names, which yield to the regular ones."""
    regular = "CLISVC_" + key.upper().replace(".", "_")

    assert load(environment={short: "x"}).origins == {key: short}
    assert load(environment={short: "x", regular: "y"}).origins == {key: regular}


def test_lists_from_environment() -> None:
    """Paths are separated as the system does it, names by commas."""
    environment = {
        "CLISVC_INPUT_PATHS": os.pathsep.join(["/a/Clisvc.log", " /b/*.log "]),
        "CLISVC_INPUT_HOSTS": "pc1, pc2,,",
    }

    reading = load(environment=environment).settings.input

    assert reading.paths == ("/a/Clisvc.log", "/b/*.log")
    assert reading.hosts == ("pc1", "pc2")


def test_types_from_environment() -> None:
    """Text from the environment becomes the setting's type."""
    environment = {
        "CLISVC_ELASTICSEARCH_VERIFY": "false",
        "CLISVC_ELASTICSEARCH_TIMEOUT": "2.5",
        "CLISVC_OUTPUT_SENDERS": "7",
    }

    settings = load(environment=environment).settings

    assert settings.elasticsearch.verify is False
    assert settings.elasticsearch.timeout == 2.5
    assert settings.output.senders == 7


def test_whole_file(write: Write) -> None:
    """Tables without fixed keys are read as they are; a byte order mark is no fault."""
    file = write(
        "\ufeff[zones]\nMST = 'America/Denver'\n"
        "[host_timezones]\n'pc04*' = 'Europe/Berlin'\n"
        "[input]\npaths = ['C:\\SMS\\Clisvc.log']\n"
    )

    settings = load(file=file, environment={}).settings

    assert settings.zones == {"MST": "America/Denver"}
    assert settings.host_timezones == {"pc04*": "Europe/Berlin"}
    assert settings.input.paths == ("C:\\SMS\\Clisvc.log",)


# --- wrong settings ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[output]\nsenders = 0", "output.senders: expected `int` >= 1, not 0"),
        ("[output]\nsenders = 65", "output.senders: expected `int` <= 64, not 65"),
        ("[output]\nsenders = 'x'", "output.senders: expected `int`, not 'x'"),
        ("[output]\nlinger = -1", "output.linger: expected `float` >= 0.0, not -1"),
        (
            "[output]\nshutdown_grace = inf",
            "output.shutdown_grace: expected `float` <= 86400.0, not inf",
        ),
        (
            "[elasticsearch]\ntimeout = 0",
            "elasticsearch.timeout: expected `float` > 0.0, not 0",
        ),
        ("[input]\nhost = 5", "input.host: expected `str`, not 5"),
        ("[input]\npaths = 'a'", "input.paths: expected `array`, not 'a'"),
        ("[input]\npaths = ['a', 5]", "input.paths[1]: expected `str`, not 5"),
        (
            "[input]\nmax_line_bytes = 1025",
            "input.max_line_bytes: expected `int` that's a multiple of 2, not 1025",
        ),
        (
            "[input]\nwatch = 'x'",
            "input.watch: expected one of auto, events, sweep, not 'x'",
        ),
        ("[zones]\nMST = 5", "zones[...]: expected `str`, not {'MST': 5}"),
        ("elasticsearch = 3", "elasticsearch: expected `object`, not 3"),
    ],
)
def test_wrong_value(write: Write, text: str, message: str) -> None:
    """A wrong value is told with its key path, what it is and where it came from."""
    file = write(text)

    assert _wrong(file=file).message == f"{message} (from {file})."


@pytest.mark.parametrize("namespace", ["Lab", "a-b", "a b", "a*", ""])
def test_wrong_namespace(write: Write, namespace: str) -> None:
    """A namespace Elasticsearch would refuse is refused at once."""
    problem = _wrong(file=write(f"[output]\nnamespace = '{namespace}'"))

    assert problem.key == "output.namespace"
    assert problem.message.partition(", not ")[2].startswith(repr(namespace))


@pytest.mark.parametrize(
    ("text", "key", "remedy"),
    [
        ("[output]\nsendrs = 1", "output.sendrs", "Did you mean output.senders?"),
        ("[outptu]\nsenders = 1", "outptu", "Did you mean output?"),
        ("zzz = 1", "zzz", "See docs/configuration.md."),
    ],
)
def test_unknown_key(write: Write, text: str, key: str, remedy: str) -> None:
    """An unknown key is named, and the likeliest one beside it."""
    file = write(text)
    problem = _wrong(file=file)

    assert problem.message == f"{key}: no such setting (from {file})."
    assert problem.remedy == remedy


def test_unknown_variable() -> None:
    """A misspelt variable is no silence."""
    problem = _wrong(environment={"CLISVC_OUTPUT_SENDER": "4"})

    assert problem.message == (
        "CLISVC_OUTPUT_SENDER: no such setting (from the environment)."
    )
    assert problem.remedy == "Did you mean CLISVC_OUTPUT_SENDERS?"


def test_wrong_variable() -> None:
    """A wrong value from a variable is told with the variable's name."""
    problem = _wrong(environment={"CLISVC_OUTPUT_SENDERS": "many"})

    assert problem.message == (
        "output.senders: expected `int`, not 'many' (from CLISVC_OUTPUT_SENDERS)."
    )


def test_wrong_option() -> None:
    """A wrong value of an option is told to be from the command line."""
    problem = _wrong(options={"input.shard": "9"})

    assert problem.key == "input.shard"
    assert "not '9' (from the command line)." in problem.message


def test_windows_path_in_toml(write: Write) -> None:
    """A path between double quotes gets the hint that single ones are needed."""
    problem = _wrong(file=write('[input]\npaths = ["C:\\Users\\x.log"]'))

    assert "is not valid TOML" in problem.message
    assert problem.remedy == "In TOML a Windows path stands between single quotes."


def test_missing_file(tmp_path: Path) -> None:
    """A settings file that is not there is named."""
    path = tmp_path / "none.toml"

    assert _wrong(file=str(path)).message == (
        f"config: {path} cannot be read: No such file or directory."
    )


# --- secrets ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api_key", "password"])
def test_secret_from_file(tmp_path: Path, name: str) -> None:
    """A secret may be in a file of its own, as editors leave it."""
    path = tmp_path / "secret"
    path.write_bytes(b"\xef\xbb\xbf" + _SECRET.encode() + b"\r\n")

    loaded = load(environment={}, options={f"elasticsearch.{name}_file": str(path)})

    assert getattr(loaded.settings.elasticsearch, name) == Secret(_SECRET)
    assert (f"elasticsearch.{name}", "<hidden>", str(path)) in loaded.rows()


def test_secret_itself_beats_its_file(tmp_path: Path) -> None:
    """A secret that is given is not looked for in a file."""
    environment = {
        "CLISVC_API_KEY": _SECRET,
        "CLISVC_ELASTICSEARCH_API_KEY_FILE": str(tmp_path / "missing"),
    }

    assert load(environment=environment).settings.elasticsearch.api_key == Secret(
        _SECRET
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfek\x00", "cannot be read: it is not UTF-8"),
        (b" \n", "is empty"),
    ],
)
def test_wrong_secret_file(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """A secret's file that gives no secret is named with its key and origin."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    name = "CLISVC_ELASTICSEARCH_API_KEY_FILE"

    assert _wrong(environment={name: str(path)}).message == (
        f"elasticsearch.api_key_file: {path} {problem} (from {name})."
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://ship%40er:{_SECRET}@es:9200/x", "https://es:9200/x"),
        (
            f"https://ship%40er:{_SECRET}@a:9200,https://b:{_SECRET}@b:9200",
            "https://a:9200,https://b:9200",
        ),
    ],
)
def test_secret_in_address(url: str, shown: str) -> None:
    """User and password in an address become settings of their own."""
    loaded = load(environment={"CLISVC_ELASTICSEARCH_URL": url})

    elastic = loaded.settings.elasticsearch
    assert elastic.url == shown
    assert elastic.username == "ship@er"
    assert elastic.password == Secret(_SECRET)
    assert loaded.origins["elasticsearch.password"] == "CLISVC_ELASTICSEARCH_URL"
    assert _SECRET not in repr(loaded)


def test_address_with_at_sign() -> None:
    """An ``@`` behind the host is no password."""
    url = "http://es:9200/tenant@x"

    elastic = load(environment={"CLISVC_ELASTICSEARCH_URL": url}).settings.elasticsearch

    assert (elastic.url, elastic.username) == (url, "")


def test_secrets_are_hidden() -> None:
    """No row, dump or message shows a secret."""
    loaded = load(environment={"CLISVC_API_KEY": _SECRET, "CLISVC_PASSWORD": _SECRET})

    assert _SECRET not in str(loaded.rows())
    assert _SECRET not in repr(loaded)
    rows = {key: value for key, value, _ in loaded.rows()}
    assert rows["elasticsearch.api_key"] == "<hidden>"
    none = ("elasticsearch.api_key", "<none>", "default")
    assert none in load(environment={}).rows()


def test_wrong_secret_is_hidden(write: Write) -> None:
    """A secret of the wrong type is refused without showing it."""
    problem = _wrong(file=write("[elasticsearch]\npassword = 424242"))

    assert problem.key == "elasticsearch.password"
    assert "expected `str`" in problem.message
    assert "424242" not in str(problem)


def test_secret() -> None:
    """A secret compares by value, is falsy when empty, and only tells when asked."""
    secret = Secret(_SECRET)

    assert secret.reveal() == _SECRET
    assert secret == Secret(_SECRET)
    assert hash(secret) == hash(Secret(_SECRET))
    assert secret != Secret("other")
    assert secret != _SECRET
    assert (bool(secret), bool(Secret())) == (True, False)
    assert _SECRET not in f"{secret} {secret!r}"
