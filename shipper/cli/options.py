# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share, and what is made of them."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from shipper.clock import SystemClock
from shipper.config import Loaded, Settings, load
from shipper.deliver import ElasticSink, connect, public_url
from shipper.errors import StateError, UsageProblem
from shipper.tail import Discovery, HostList, Pattern
from shipper.telemetry import configure

F = TypeVar("F", bound=Callable[..., Any])

_HOST = "{host}"
_PLACEHOLDER = re.compile(r"\{\w*\}")

#: Option -> key path of the setting it overrides.
_KEYS = {
    "elasticsearch_url": "elasticsearch.url",
    "username": "elasticsearch.username",
    "ca_cert": "elasticsearch.ca_cert",
    "fingerprint": "elasticsearch.fingerprint",
    "kibana_url": "kibana.url",
    "kibana_space": "kibana.space",
    "kibana_rules": "kibana.rules",
    "paths": "input.paths",
    "host": "input.host",
    "hosts_file": "input.hosts_file",
    "timezone": "input.timezone",
    "shard": "input.shard",
    "namespace": "output.namespace",
    "state": "state.dir",
    "log_level": "log.level",
}


def _stack(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


config_options = _stack(
    click.option(
        "--config", metavar="FILE", help="TOML file with settings [CLISVC_CONFIG]."
    ),
    click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        help="Least grave message written to standard error [info].",
    ),
)
server_options = _stack(
    click.option(
        "--elasticsearch-url",
        metavar="URL",
        help="Where documents go [CLISVC_ELASTICSEARCH_URL, http://127.0.0.1:9200]."
        " Secrets come from CLISVC_API_KEY, or CLISVC_PASSWORD, or the file.",
    ),
    click.option("--username", metavar="NAME", help="User for basic authentication."),
    click.option(
        "--ca-cert", metavar="FILE", help="Authority of the server's certificate (PEM)."
    ),
    click.option(
        "--fingerprint", metavar="SHA256", help="The server's certificate itself."
    ),
    click.option(
        "--namespace", metavar="NS", help="Of the data streams logs-sms.*-NS [default]."
    ),
)
log_options = _stack(
    click.option(
        "--host",
        metavar="NAME",
        help="Whose logs they are, where the path does not say [this machine].",
    ),
    click.option(
        "--timezone",
        metavar="ZONE",
        help="Zone of records that name none, such as America/Chicago"
        " [this machine's for its own logs, otherwise UTC].",
    ),
)
input_options = _stack(
    log_options,
    click.option(
        "--hosts-file",
        metavar="FILE",
        help="Host names for {host}, one a line, where they cannot be listed.",
    ),
    click.option(
        "--shard", metavar="I/N", help="This is collector I of N sharing the hosts."
    ),
)
state_option = click.option(
    "--state",
    metavar="DIR",
    help="Folder for what has to be remembered [CLISVC_STATE, the user's own].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_from(options: dict[str, Any]) -> Loaded:
    """Load the settings a command line asks for, and set up logging.

    Args:
        options: the command's parameters by name; unknown ones are left alone.

    Raises:
        ConfigError: a setting is wrong.
    """
    given = {_KEYS[name]: value for name, value in options.items() if name in _KEYS}
    loaded = load(file=options.get("config"), options=given)
    log = loaded.settings.log
    configure(level=log.level, style=log.format)
    return loaded


def discovery_from(
    settings: Settings, *, siblings_of_files: bool = True, shared: bool = True
) -> Discovery:
    """Return which logs the settings name.

    Args:
        settings: all settings.
        siblings_of_files: follow the rotated files beside a log named as one file.
        shared: other collectors have their share of the hosts.

    Raises:
        UsageProblem: no logs are named.
    """
    given = settings.input
    if not given.paths:
        raise UsageProblem(
            "No logs are named.",
            remedy="Give a path, a pattern, or input.paths in the configuration.",
        )
    hosts = HostList(
        names=given.hosts, file=given.hosts_file, command=given.hosts_command
    )
    patterns = []
    for path in given.paths:
        for name in _PLACEHOLDER.findall(path):
            if name != _HOST:
                raise UsageProblem(
                    f"{path}: {name} stands for nothing.",
                    remedy=f"Write {_HOST} where the path has the host's name.",
                )
        pattern = Pattern(path, hosts)
        if pattern.literal and not siblings_of_files:
            pattern = Pattern(path, hosts, siblings=False)
        patterns.append(pattern)
    index, count = map(int, given.shard.split("/")) if shared else (1, 1)
    if index > count:
        raise UsageProblem(
            f"input.shard: there is no collector {index} of {count}.",
            remedy=f"Give one from 1/{count} to {count}/{count}.",
        )
    return Discovery(
        tuple(patterns),
        given.host or socket.gethostname(),
        explicit=bool(given.host),
        shard=(index, count),
    )


#: Where states are that nobody named a folder for.
_STATES = platformdirs.user_state_path("clisvc-shipper", appauthor=False)
#: Those of backfills, one a target: what one target has, another may lack.
BACKFILLS = _STATES / "ship"


def state_dir(settings: Settings, *, backfill: bool = False) -> Path:
    """Return the state folder of ``run``, or of a backfill to the same target."""
    if settings.state.dir:
        return Path(settings.state.dir).expanduser()
    if not backfill:
        return _STATES / "run"
    target = f"{public_url(settings.elasticsearch.url)}|{settings.output.namespace}"
    return BACKFILLS / blake2b(target.encode(), digest_size=6).hexdigest()


def existing_state(settings: Settings) -> Path:
    """Return the state folder of ``run``, which has to be there.

    Raises:
        StateError: there is no state in it.
    """
    folder = state_dir(settings)
    if has_state(folder):
        return folder
    backfills = "" if settings.state.dir else f" (`clisvc ship`: below {BACKFILLS})"
    raise StateError(
        f"{folder}: there is no state in it.",
        remedy=f"Name the folder in use with --state{backfills}.",
    )


def has_state(folder: Path) -> bool:
    """Tell whether there is a state in a folder.

    Raises:
        StateError: nobody lets us look.
    """
    try:
        return (folder / "state.db").exists()
    except OSError as error:
        raise StateError(
            f"state.dir: {folder} cannot be read: {error.strerror or error}.",
            remedy="Run it as the user whose state it is, or name another with"
            " --state.",
        ) from error


def sink_from(
    settings: Settings, folder: Path, prepare: Callable[[], None] | None = None
) -> ElasticSink:
    """Return Elasticsearch as a sink; nothing is sent yet.

    Args:
        settings: all settings.
        folder: the state folder; it stands for this installation.
        prepare: what has to be done before anything is sent.
    """
    name = socket.gethostname()
    client = connect(settings.elasticsearch, connections=settings.output.senders)
    return ElasticSink(
        client,
        namespace=settings.output.namespace,
        url=settings.elasticsearch.url,
        clock=SystemClock(),
        collector=name,
        agent_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"clisvc:{name}:{folder}")),
        prepare=prepare,
    )
