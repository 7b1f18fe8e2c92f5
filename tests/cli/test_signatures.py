# SPDX-License-Identifier: Apache-2.0
"""``clisvc signatures``: the list, one of them, and a user's own among them."""

from pathlib import Path

from tests.live.commands import clisvc

_OWN = """\
[U01]
name = "Profile refused"
literals = ["profile refused"]
pattern = 'profile refused'
action = "profile-refused"
category = ["process"]
type = ["start"]
role = "info"
status = "assumed"
source = ["our handbook"]
reason = "The profile server sent the client away."
"""


def test_list_has_each_with_its_source() -> None:
    """The list says of each signature what it is, whence, and what it does."""
    done = clisvc("signatures")
    rows = [line.split("\t") for line in done.out.splitlines()]

    assert (done.code, done.err) == (0, "")
    assert rows[0] == ["ID", "Name", "Status", "Source", "State of the agent"]
    assert [
        "S05",
        "Program not authorised to run",
        "confirmed",
        "KB246331, KB264630, KB270912, KB277745",
        "integrity_failed",
    ] in rows
    assert [row[2] for row in rows if row[0] == "S26"] == ["assumed"]


def test_one_of_them_as_a_card() -> None:
    """The card of one signature has its meaning and what it is consistent with."""
    done = clisvc("signatures", "s05")
    text = " ".join(done.out.replace("│", " ").split())

    assert done.code == 0
    assert "S05 Program not authorised to run" in text
    assert "Status confirmed" in text
    assert "T1562.001 Disable or Modify Tools, up to ATT&CK v18" in text
    assert "T1685 Disable or Modify Tools, from ATT&CK v19" in text


def test_one_of_them_as_json() -> None:
    """JSON has the fields of the data file, the effect, and the techniques' pages."""
    answer = clisvc("signatures", "S25b", "--json").json

    assert (answer["id"], answer["status"], answer["effect"]) == ("S25b", "assumed", "")
    assert answer["threat"] == [
        {
            "id": "T1489",
            "name": "Service Stop",
            "since": 0,
            "until": 0,
            "reference": "https://attack.mitre.org/techniques/T1489/",
        }
    ]


def test_own_signatures_come_last(tmp_path: Path) -> None:
    """A user's file of the configuration is part of the list."""
    (tmp_path / "own.toml").write_text(_OWN)
    (tmp_path / "clisvc.toml").write_text(
        f"[knowledge]\nsignatures = '{tmp_path / 'own.toml'}'\n"
    )
    done = clisvc("signatures", "--config", str(tmp_path / "clisvc.toml"))

    assert done.code == 0
    assert done.out.splitlines()[-1].split("\t") == [
        "U01",
        "Profile refused",
        "assumed",
        "our handbook",
        "",
    ]


def test_own_signature_is_in_the_document(tmp_path: Path) -> None:
    """A record that a user's signature fits says so, and names the file's content."""
    (tmp_path / "own.toml").write_text(_OWN)
    (tmp_path / "Clisvc.log").write_text(
        "Profile refused today  $$<CCIM32><Tue Jun 22 01:26:12.050 1999>"
        "<thread=52 (0x34)>\n"
    )
    settings = {"CLISVC_KNOWLEDGE_SIGNATURES": str(tmp_path / "own.toml")}
    document = clisvc(
        "parse", "--host", "pc1", str(tmp_path / "Clisvc.log"), extra=settings
    ).json

    version = document["sms"]["knowledge"]["version"]
    assert version.startswith("2+")
    assert document["rule"] == {
        "id": "U01",
        "name": "Profile refused",
        "ruleset": "user",
        "version": version,
        "reference": "our handbook",
    }
    assert document["sms"]["signature"] == {"status": "assumed"}


def test_bad_file_stops_what_needs_it(tmp_path: Path) -> None:
    """A file that cannot be used is wrong configuration: named, and nothing is read."""
    (tmp_path / "own.toml").write_text(_OWN.replace("[U01]", "[S01]"))
    settings = {"CLISVC_KNOWLEDGE_SIGNATURES": str(tmp_path / "own.toml")}

    for words in (["signatures"], ["parse", "-"]):
        done = clisvc(*words, extra=settings)

        assert (done.code, done.out) == (2, "")
        assert "knowledge.signatures: " in done.err
        assert "own.toml: S01: names that begin with S" in done.err


def test_no_such_signature() -> None:
    """An id nobody has is wrong usage, and the way to the list is told."""
    done = clisvc("signatures", "S5")

    assert done.code == 2
    assert "'S5': there is no such signature" in done.err
    assert "`clisvc signatures` lists them" in done.err
