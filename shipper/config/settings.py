# SPDX-License-Identifier: Apache-2.0
"""Every setting there is, with its default. ``docs/configuration.md`` explains them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from shipper.config.secret import Secret

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Interval = Annotated[float, Meta(gt=0, le=86_400)]
Positive = Annotated[int, Meta(ge=1)]
Namespace = Annotated[
    str, Meta(pattern=r'^[^A-Z\\/*?"<>| ,#:\-]{1,100}$', description="a namespace")
]
Space = Annotated[str, Meta(pattern=r"^[a-z0-9_\-]+$")]
Shard = Annotated[str, Meta(pattern=r"^[1-9][0-9]*/[1-9][0-9]*$")]


class ServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a table about a server has: its address, who we are, and TLS.

    Attributes:
        url: such as ``https://siem.example:9200``.
        api_key: base64 form, as Kibana shows it.
        api_key_file: a file that holds it instead.
        username: for basic authentication.
        password: the same.
        password_file: a file that holds it instead.
        keyring: service in this machine's keyring that holds the API key as
            ``api_key``, or the password under the user name.
        ca_cert: PEM file with the authority that signed the server's certificate.
        fingerprint: SHA-256 of the server's certificate, instead of an authority.
        client_cert: PEM file with our own certificate.
        client_key: PEM file with its key.
        verify: check the server's certificate.
        timeout: seconds to wait for a reply.
    """

    url: str = ""
    api_key: Secret = field(default_factory=Secret)
    api_key_file: str = ""
    username: str = ""
    password: Secret = field(default_factory=Secret)
    password_file: str = ""
    keyring: str = ""
    ca_cert: str = ""
    fingerprint: str = ""
    client_cert: str = ""
    client_key: str = ""
    verify: bool = True
    timeout: Interval = 60.0


class ElasticsearchSettings(ServerSettings, frozen=True, kw_only=True):
    """Table ``[elasticsearch]``: where documents go.

    Attributes:
        url: a comma separates several nodes.
        cloud_id: of a deployment in Elastic Cloud, instead of an address.
        compress: gzip what is sent.
    """

    url: str = "http://127.0.0.1:9200"
    cloud_id: str = ""
    compress: bool = False


class KibanaSettings(ServerSettings, frozen=True, kw_only=True):
    """Table ``[kibana]``: where dashboards and rules are installed, if anywhere.

    Without credentials of its own it gets those of ``[elasticsearch]``: the users of
    both are the same.

    Attributes:
        url: with the base path, if it has one; empty: nothing is done in Kibana.
        space: whose dashboards and rules they are.
        rules: which form of the alert rules is installed: ``stack`` rules, ``security``
            detection rules, ``both``, or ``none``.
    """

    space: Space = "default"
    rules: Literal["stack", "security", "both", "none"] = "stack"


class InputSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""Table ``[input]``: which logs are read, and how.

    Attributes:
        paths: files, patterns, or templates such as ``\\{host}\SMSLogs$\Clisvc.log``.
        host: whose logs they are when the path does not say; default: this machine.
        hosts: names for ``{host}`` where it cannot be listed.
        hosts_file: a file with one name a line; read anew at each scan.
        hosts_command: a command that prints one name a line.
        timezone: zone of records that do not name theirs (IANA or Windows name).
        bias_sign: what the bias of CCM records means: ``ccm`` minutes to add for UTC,
            ``inverted`` minutes to subtract, ``ignore`` nothing (``timezone`` counts).
        code_page: of lines that are not valid UTF-8.
        max_line_bytes: longer lines are cut.
        watch: ``events`` wakes on file system events, ``sweep`` only looks at
            intervals, ``auto`` decides by the kind of file system.
        max_watches: folders watched at most; above it the sweep does it alone.
        sweep_min: seconds between looks at a log that is being written.
        sweep_max: seconds between looks at one that is quiet.
        sweep_max_shares: the same on network shares.
        scan_interval: seconds between searches for new logs.
        rotation_wait: seconds a rotated log must rest to count as finished.
        shard: ``2/8``: this is the second of eight collectors that share the hosts.
        share_readers: threads that read network shares.
        max_stuck: calls that may hang on dead shares before reading of others waits.
    """

    paths: tuple[str, ...] = ()
    host: str = ""
    hosts: tuple[str, ...] = ()
    hosts_file: str = ""
    hosts_command: str = ""
    timezone: str = ""
    bias_sign: Literal["ccm", "inverted", "ignore"] = "ccm"
    code_page: str = "cp1252"
    max_line_bytes: Annotated[int, Meta(ge=1024, le=1024 * 1024, multiple_of=2)] = (
        64 * 1024
    )
    watch: Literal["auto", "events", "sweep"] = "auto"
    max_watches: Positive = 4096
    sweep_min: Interval = 1.0
    sweep_max: Interval = 10.0
    sweep_max_shares: Interval = 30.0
    scan_interval: Interval = 30.0
    rotation_wait: Seconds = 5.0
    shard: Shard = "1/1"
    share_readers: Positive = 16
    max_stuck: Positive = 256

    def __post_init__(self) -> None:
        if self.sweep_max < self.sweep_min:
            raise ValueError(
                f"sweep_max ({self.sweep_max:g} s) is shorter than"
                f" sweep_min ({self.sweep_min:g} s)"
            )


class OutputSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``[output]``: how documents are sent.

    Attributes:
        namespace: of the data streams ``logs-sms.clisvc-<namespace>``.
        batch_bytes: a batch is sent when it has reached this size,
        batch_events: or this many documents,
        linger: or this many seconds after its first one.
        senders: threads that send.
        max_in_flight_bytes: documents waiting or under way; reading stops above it.
        max_dead_letters_in_row: so many refused documents one after the other pause
            the sending instead.
        shutdown_grace: seconds to deliver what has been read when asked to stop.
        status_documents: report on the collector each minute, and on each log each
            hour, into ``logs-sms.shipper-<namespace>`` (``clisvc run``).
    """

    namespace: Namespace = "default"
    batch_bytes: Annotated[int, Meta(ge=1024)] = 5 * 1024 * 1024
    batch_events: Positive = 5_000
    linger: Seconds = 0.02
    senders: Annotated[int, Meta(ge=1, le=64)] = 2
    max_in_flight_bytes: Annotated[int, Meta(ge=64 * 1024)] = 32 * 1024 * 1024
    max_dead_letters_in_row: Positive = 1_000
    shutdown_grace: Seconds = 30.0
    status_documents: bool = True


class StateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``[state]``: what the shipper remembers.

    Attributes:
        dir: folder on a local disk; default: the user's state folder.
        keep_days: days a generation is remembered after its file is gone.
        spool_bytes: most bytes of rotated logs kept while nothing can be delivered.
    """

    dir: str = ""
    keep_days: Positive = 30
    spool_bytes: Annotated[int, Meta(ge=0)] = 1024 * 1024 * 1024


class SetupSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``[setup]``: what is installed in Elasticsearch.

    Attributes:
        lifecycle: what rolls over and deletes: ``ilm`` policies, the data streams' own
            lifecycle (``dsl``), or ``auto``: policies where the server has them.
        records_days: days a record is kept, counted from its index's rollover.
        states_days: the same for changes of an agent's state.
        shipper_days: the same for what the shipper says about itself.
        logsdb: store records in the index mode ``logsdb``.
    """

    lifecycle: Literal["auto", "ilm", "dsl"] = "auto"
    records_days: Positive = 90
    states_days: Positive = 730
    shipper_days: Positive = 30
    logsdb: bool = False


class KnowledgeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``[knowledge]``: what log lines mean.

    Attributes:
        signatures: TOML file with signatures of one's own, tried after ours.
    """

    signatures: str = ""


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``[log]``: what the shipper says about itself, on standard error.

    Attributes:
        level: the least grave level that is written.
        format: ``console``, ``json``, or ``auto``: console on a terminal.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings.

    Attributes:
        elasticsearch: where documents go.
        kibana: where dashboards and rules are installed.
        input: which logs are read.
        output: how documents are sent.
        state: what is remembered.
        setup: what is installed in Elasticsearch.
        knowledge: what log lines mean.
        log: what the shipper says about itself.
        zones: the log's name of a time zone -> IANA or Windows name.
        host_timezones: host name or pattern (``pc04*``) -> zone of its records that
            do not name theirs.
    """

    elasticsearch: ElasticsearchSettings = field(default_factory=ElasticsearchSettings)
    kibana: KibanaSettings = field(default_factory=KibanaSettings)
    input: InputSettings = field(default_factory=InputSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    state: StateSettings = field(default_factory=StateSettings)
    setup: SetupSettings = field(default_factory=SetupSettings)
    knowledge: KnowledgeSettings = field(default_factory=KnowledgeSettings)
    log: LogSettings = field(default_factory=LogSettings)
    zones: dict[str, str] = field(default_factory=dict)
    host_timezones: dict[str, str] = field(default_factory=dict)
