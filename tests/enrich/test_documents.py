# SPDX-License-Identifier: Apache-2.0
"""What holds for every document, whatever the log says."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.demo.fleet import DEFAULT_TIMEZONE, Fleet
from shipper.enrich.document import Composer
from shipper.knowledge import signatures
from shipper.records import DOCUMENT_HEAD, Generation, Stream
from shipper.stack.assets import Kind, assets
from tests.enrich.ecs import DEFINITION, misfits, strangers
from tests.enrich.story import (
    HARDWARE,
    HOUR,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    SOURCE,
    VERIFY,
    VERIFY_5,
    Shipped,
    attempt,
    echo,
    failed,
    line,
    lines,
    ship,
    triple,
    trouble,
    unverified,
)

SAMPLES = Path(__file__).parents[3] / "shared" / "samples.txt"
CALM = line("Working set trimmed to 812 KB~", -60)

#: One message for each signature at least.
TELLING = [
    *attempt(HARDWARE),
    INTEGRITY,
    echo(HARDWARE, "0x5"),
    VERIFY_5,
    unverified(HARDWARE),
    *triple(OFFERS),
    f'"{SOFTWARE.exe} " - Error : 1314',
    f"{SOFTWARE.app} - Not launching until CCIM indicates that it's safe to do so~",
    f"{SOFTWARE.app} - Waiting 20 seconds for application initialisation",
    "Still waiting for previous verify to finish.",
    "Finished list processing, return code = 0x5",
    "Finished list processing, return code = 0x0",
    "Software Inventory cycle started",
    'Component "Software Inventory Agent" needs to be verified',
    "Warning - could not find a site CAP with uplevel version of component APM",
    r"\\CAP\clicomp\apm.cfg version (2) out of sync with offer file version (1)",
    'Component "APM" install/verify/upgrade last done at 02/12/03 06:00:00',
    "Could not register APM with the client service; AppRegister return code = 5",
    "Could not launch/register CCIM - 2138",
    "AppRegisterI returned error 1018 for component Software Inventory Agent",
    "Couldn't get mutex (1460)",
    "Unable to create the Client Service Account. Win32 Error: 2114",
    "Processing SID list for account mask SMSCliToknAcct&",
    "Unable to open the service control manager on PC0417. Win32 Error: 5",
    'Logging initialized for module "Software Inventory Agent"',
    "An exception was raised in the application 'SINV32.EXE'",
    "<<CLIEXCEPT>> details follow",
    "ERROR: Unable to establish a connection with APM",
    "No longer assigned to S01",
    "Advertised Programs Client Agent: Install Pending",
    "Phase 1 initialization failed (0x80004015).",
    "Program exit code 3010",
    "Installation failed with error code 1603",
    "Rebooting the computer - InitiateSystemShutdownEx failed 1115",
    "Unable to get CacheInfo. Error: 0X80070005",
    "Starting CCMEXEC service...",
    "SMS Client Service is starting",
    "** Service Thread is ending **",
    "Could not open it, error = 0x80070522",
    "Win32 Error = 5",
]


def check(shipped: list[Shipped]) -> None:
    """Check what every document owes."""
    for one in shipped:
        assert one.raw.startswith(DOCUMENT_HEAD)
        assert b"\n" not in one.raw
        assert json.loads(one.raw) == one.body
        assert misfits(one) == []
        assert not DEFINITION.is_file() or strangers(one) == []
        assert one.body["data_stream"]["dataset"] == one.stream
        assert one.body["event"]["dataset"] == one.stream
        assert one.body["event"].get("severity") in {None, 21, 47, 73, 99}
    ids = Counter(one.id for one in shipped)
    assert [ident for ident, count in ids.items() if count > 1] == []


def without_doubles(raw: bytes) -> None:
    """Refuse an object that has a member twice."""

    def pairs(members: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in members]
        assert len(names) == len(set(names)), names
        return dict(members)

    json.loads(raw, object_pairs_hook=pairs)


def test_telling_lines() -> None:
    """Records with a meaning, in every state of affairs, make good documents."""
    shipped = ship(CALM + b"".join(lines(TELLING, day * 23 * HOUR) for day in range(3)))

    check(shipped)
    told = {one.body["event"].get("code") for one in shipped}
    assert told >= {one.id for one in signatures() if not one.inferred}
    assert {one.stream for one in shipped} == {Stream.CLISVC, Stream.STATE}


def test_telling_plain_lines() -> None:
    """The same without trailers."""
    check(ship(CALM + lines(TELLING, 0, None)))


def test_fleet() -> None:
    """All documents of a fleet are good ones."""
    end = datetime(2003, 3, 14, 12, 30, tzinfo=UTC)
    for log in Fleet.plan(3, end=end, hosts=18).logs:
        check(ship(b"".join(log.truth.lines), timezone=DEFAULT_TIMEZONE))


def test_samples() -> None:
    """Lines as articles and other public places print them make good documents."""
    if not SAMPLES.is_file():
        pytest.skip("the collection of article texts is not beside this folder")
    rows = SAMPLES.read_bytes().splitlines(keepends=True)
    printed = [row.replace(b"<TAB>", b"\t") for row in rows if row[:1] not in b"#["]
    shipped = ship(CALM + b"".join(printed))

    check(shipped)
    assert sum(one.stream is not Stream.STATE for one in shipped) == 3 + len(printed)


def test_ecs_is_at_hand() -> None:
    """Names and words of the documents are ECS's own."""
    if not DEFINITION.is_file():
        pytest.skip("the definition of ECS is not beside this folder")
    (plain,) = ship(CALM)

    assert strangers(plain) == []
    plain.body["event"] |= {"category": ["process"], "type": ["installation"]}
    plain.body["log"]["offset"] = 0
    assert strangers(plain) == [
        "log.offset",
        "event.type: installation of ['process']",
        "event.category: process without a type of its own",
    ]


def test_mapping_is_ours() -> None:
    """A field that is not mapped, or not as what it is, is noticed."""
    (plain,) = ship(CALM)
    plain.body["sms"] |= {"record": {"thread": "52"}, "mood": "good"}

    assert misfits(plain) == ["sms.record.thread: '52'", "sms.mood: 'good'"]
    assert any(one.kind is Kind.COMPONENT_TEMPLATE for one in assets())


def test_no_member_twice() -> None:
    """No object has a member twice, however it was put together."""
    for one in ship(CALM + lines(TELLING, 0) + lines(TELLING, 0, None)):
        without_doubles(one.raw)


MESSAGES = st.one_of(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])),
    st.sampled_from(TELLING),
    st.builds(
        str.replace,
        st.sampled_from(TELLING),
        st.sampled_from(["1314", "Inventory", "Offer", "(5)", "exe", "0x5", "C:\\"]),
        st.text(
            st.characters(exclude_characters="\n", exclude_categories=["Cs"]),
            max_size=12,
        ),
    ),
)
ROWS = st.one_of(
    st.builds(
        line,
        MESSAGES,
        st.floats(-1e6, 1e8),
        st.sampled_from([52, 53, 4_294_798_339, None]),
    ),
    st.binary(max_size=80).map(lambda data: data + b"\r\n"),
)


@given(st.lists(ROWS, max_size=20))
def test_any_text(rows: list[bytes]) -> None:
    """Whatever stands in a log, its documents are good ones."""
    shipped = ship(CALM + b"".join(rows))

    check(shipped)
    for one in shipped:
        without_doubles(one.raw)


def test_launch_record_is_about_the_launched_program() -> None:
    """The launched program is the process, the writer its parent with the thread."""
    (one,) = (
        one for one in ship(line(failed(OFFERS), 0)) if one.stream is Stream.CLISVC
    )

    assert one.body["process"] == {
        "name": "ODPUSR32.exe",
        "executable": OFFERS.exe,
        "parent": {
            "name": "CLISVCL.EXE",
            "executable": r"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE",
            "thread": {"id": 52},
        },
    }
    assert one.body["log"]["logger"] == "CLISVCL.EXE"
    assert one.body["sms"]["launch"] == {
        "path": OFFERS.exe,
        "executable": "ODPUSR32.exe",
    }
    assert one.body["rule"]["id"] == one.body["event"]["code"] == "S01"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (VERIFY, 21),
        (echo(OFFERS), 21),
        (failed(OFFERS), 47),
        (INTEGRITY, 73),
        (attempt(OFFERS)[1], None),
    ],
)
def test_severity(text: str, severity: int | None) -> None:
    """Severity is on Elastic's ladder: echo, refusal, integrity; none for the rest."""
    (one,) = (one for one in ship(line(text, 0)) if one.stream is Stream.CLISVC)

    assert one.body["event"].get("severity") == severity


#: Category, type and outcome, by signature.
PAIRS = [
    ("S01 S01b S02 S03 S17 S17b S17c", ["process"], ["start"], "failure"),
    ("S05", ["intrusion_detection", "process"], ["denied", "start"], "failure"),
    ("S06 S18 S22b S23", ["process"], ["info"], "failure"),
    ("S22", ["process"], ["end"], "failure"),
    ("S07 S09 S10 S11 S12", ["process"], ["info"], None),
    ("S08", ["process"], ["start"], "unknown"),
    ("S14", ["package"], ["info"], "unknown"),
    ("S15 S15b", ["package"], ["installation"], "failure"),
    ("S19", ["iam"], ["user", "info"], "failure"),
    ("S20", ["process"], ["access"], "failure"),
    ("S28", ["host"], ["info"], "failure"),
]


def test_pairs() -> None:
    """Category, type and outcome go together as the signature has it."""
    told = {one.body["event"].get("code"): one for one in ship(lines(TELLING, 0))}
    words = {
        code: [
            told[code].body["event"].get(name)
            for name in ("category", "type", "outcome")
        ]
        for codes, *_ in PAIRS
        for code in codes.split()
    }

    assert words == {
        code: expected for codes, *expected in PAIRS for code in codes.split()
    }


def test_logs_share_what_is_known_of_writers() -> None:
    """Thousands of quiet logs do not keep the same text thousands of times."""
    one, other = (
        Composer(SOURCE, Generation(gen_id=name * 20), "default", "1") for name in "01"
    )

    assert one.writer("CLISVCL.EXE") is other.writer("CLISVCL.EXE")


def test_ready_made_members_are_bounded() -> None:
    """A writer with many threads and a long name takes bounded room."""
    composer = Composer(SOURCE, Generation(gen_id="0" * 20), "default", "1")
    writer = composer.writer("\x01" * 256 + ".exe")
    for thread in range(4_294_960_000, 4_294_963_000):
        writer.on(thread)

    kept = sum(len(part) for parts in writer.threads.values() for part in parts)
    assert 0 < kept <= 1 << 18


def test_user_of_a_newer_clients_record() -> None:
    """The context names a user, who is related as is an account the record names."""
    named = "Processing SID list for account mask SMSCliToknAcct&"
    plain, both = ship(
        trouble("Failed", 0, user=r"CORP\anna") + trouble(named, 1, user=r"CORP\anna")
    )

    assert plain.body["user"] == {"name": r"CORP\anna"}
    assert plain.body["related"] == {"hosts": ["pc0417"], "user": [r"CORP\anna"]}
    assert both.body["related"]["user"] == ["SMSCliToknAcct&", r"CORP\anna"]
