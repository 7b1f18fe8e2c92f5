# SPDX-License-Identifier: Apache-2.0
"""A user's own signatures: good ones work, bad ones are named, slow ones are none."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

import pytest

from shipper.errors import ConfigError
from shipper.knowledge import VERSION, catalogue, meaningful, shape

GOOD = """\
[U01]
name = "Profile refused"
literals = ["profile refused"]
pattern = '^(?P<app>[^:]+): profile refused, code (?P<code>\\d+)'
action = "profile-refused"
category = ["process"]
type = ["start"]
outcome = "failure"
role = "launch"
status = "confirmed"
source = ["our handbook, page 7"]
reason = "The profile server sent the client away."
threat = [{ id = "T1489", name = "Service Stop" }]
"""
REFUSED = "PC Agent: profile refused, code 1314"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Give a place for a user's file, with a good one in it."""
    path = tmp_path / "own.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_good_file_adds_to_what_is_known(own: Path) -> None:
    """A user's signature fits, says whose it is, and the built-in ones go on."""
    known = catalogue(str(own))
    found = known.match(REFUSED)
    other = known.match("Still waiting for previous verify to finish.")

    assert found is not None
    assert (found.signature.id, found.app, found.code) == ("U01", "PC Agent", 1314)
    assert found.signature.ruleset == "user"
    assert other is not None
    assert (other.signature.id, other.signature.ruleset) == ("S12", "clisvc-signatures")


def test_version_tells_the_file(own: Path) -> None:
    """Documents say that a user's file was in force, and which content it had."""
    digest = hashlib.sha256(GOOD.encode()).hexdigest()

    assert catalogue(str(own)).version == f"{VERSION}+{digest[:8]}"
    assert catalogue().version == VERSION == "2"


def test_built_in_signature_comes_first(own: Path) -> None:
    """A user's signature never hides what a line is known to mean."""
    text = GOOD.replace('"profile refused"]', '"verify"]').replace(
        "^(?P<app>[^:]+): profile refused, code (?P<code>\\d+)", "verify"
    )
    own.write_text(text, encoding="utf-8")
    known = catalogue(str(own))
    found = known.match("Still waiting for previous verify to finish.")
    other = known.match("verify all")

    assert found is not None
    assert found.signature.id == "S12"
    assert other is not None
    assert other.signature.id == "U01"


def test_pattern_ignores_case_and_knows_other_scripts(own: Path) -> None:
    """A user's words may be of any language, in any case."""
    text = GOOD.replace("profile refused", "käyttö evätty")
    own.write_text("\ufeff" + text, encoding="utf-8")
    found = catalogue(str(own)).match("Pääte: KÄYTTÖ EVÄTTY, CODE 5")

    assert found is not None
    assert (found.app, found.code) == ("Pääte", 5)


def test_user_literal_gives_a_shape_its_meaning(own: Path) -> None:
    """What only a user's signature knows is not taken for a dull message."""
    known = catalogue(str(own))
    message = "PC 12: Profile refused, code x"

    assert meaningful(message, known)
    assert meaningful(shape(message), known)
    assert not meaningful(message)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", "(a?){50}a{50}$"]
)
def test_no_pattern_of_a_user_stalls(own: Path, pattern: str) -> None:
    """A pattern that would keep other engines busy for ever answers in a moment."""
    text = GOOD.replace(
        "^(?P<app>[^:]+): profile refused, code (?P<code>\\d+)", pattern
    )
    own.write_text(text, encoding="utf-8")
    known = catalogue(str(own))
    started = time.thread_time()
    known.match("profile refused" + "a" * 65_536 + "!")

    assert time.thread_time() - started < 5.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "Profile refused"\n', "", "own.toml: U01: .*`name`"),
        ('outcome = "failure"', 'outcme = "failure"', "own.toml: U01: .*outcme"),
        ('outcome = "failure"', 'outcome = "bad"', "own.toml: U01: .*'bad'"),
        ('"confirmed"', "1", "own.toml: U01: .*status"),
        ('role = "launch"', 'role = "boss"', "own.toml: U01: .*'boss'"),
        ('["process"]', '["prozess"]', "own.toml: U01: category 'prozess' is none of"),
        ('["start"]', '["denied"]', "own.toml: U01: type 'denied' does not go with"),
        ("(?P<code>", "(?P<code", "own.toml: U01: pattern .*invalid"),
        ("(?P<code>", "(?P<nummer>", r"own.toml: U01: .*groups \['nummer'\]"),
        ("^(?P<app>", "^(?=P)(?P<app>", r"own.toml: U01: .*\(\?= .*RE2"),
        (r"\d+)", r"\d++)", r"own.toml: U01: .*\+\+ .*RE2"),
        (r"\d+)", r"\d+)\1", r"own.toml: U01: .*\\1 .*RE2"),
        (r"\d+)", r"\d{9999})", r"own.toml: U01: .*repetition"),
        (r"\d+)", r"(?:\w{900}){900})", "own.toml: U01: .*"),
        (r"\d+)", "x" * 1000 + ")", "own.toml: U01: .*length"),
        ('literals = ["profile refused"]', "", "own.toml: U01: has no literals"),
        ('["profile refused"]', '["Profile"]', "own.toml: U01: literal 'Profile'"),
        ('["profile refused"]', '["code 5"]', "own.toml: U01: literal 'code 5'"),
        ('["profile refused"]', '["pr"]', "own.toml: U01: literal 'pr' has fewer"),
        ("[U01]", "[S01]", "own.toml: S01: names that begin with S"),
        ("[U01]", "[s99x]", "own.toml: s99x: names that begin with S"),
        ("[U01]", '["my own"]', "own.toml: my own: .*id"),
        ("[U01]", "[U01", "own.toml: "),
        ("[U01]", "name = 1\n[U01]", "own.toml: name: Expected `object`"),
        ("[U01]", "[U00]\n[U01]", "own.toml: U00: .*missing"),
        ("[U01]", "[U01]\nid = 'X'", "own.toml: U01: has an id"),
        ("[U01]", "[U01]\nruleset = 'X'", "own.toml: U01: has a ruleset"),
        ('"T1489"', '"1489"', "own.toml: U01: .*threat"),
    ],
)
def test_bad_file_is_named_with_its_entry(
    own: Path, old: str, new: str, message: str
) -> None:
    """What is wrong with a user's file is said with file, entry and reason."""
    own.write_text(GOOD.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"knowledge\.signatures: .*{message}") as e:
        catalogue(str(own))

    assert e.value.remedy


def test_inferred_signature_of_a_user(own: Path) -> None:
    """Only the state machine infers; a user's signature needs words to find."""
    lines = [
        line for line in GOOD.splitlines() if not line.startswith(("literals", "patt"))
    ]
    own.write_text("\n".join([*lines, "inferred = true"]), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"own.toml: U01: cannot be inferred"):
        catalogue(str(own))


def test_ids_that_differ_only_in_case(own: Path) -> None:
    """Two entries that people cannot tell apart are refused."""
    own.write_text(GOOD + GOOD.replace("[U01]", "[u01]"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"own.toml: u01: another id differs only in"):
        catalogue(str(own))


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ConfigError, match=r"gone.toml cannot be read: No such file"):
        catalogue(str(tmp_path / "gone.toml"))


def test_file_that_is_no_text(own: Path) -> None:
    """A file in another encoding is refused rather than guessed at."""
    own.write_bytes(b"\xff\xfe[\x00U\x00")

    with pytest.raises(ConfigError, match=r"own.toml is not UTF-8"):
        catalogue(str(own))


def test_too_many_signatures(own: Path) -> None:
    """A file has its limit, and the message says which."""
    own.write_text(
        "\n".join(GOOD.replace("U01", f"U{number}") for number in range(201)),
        encoding="utf-8",
    )

    with pytest.raises(ConfigError, match=r"has 201 signatures, and may have 200"):
        catalogue(str(own))


def test_too_large_a_file(own: Path) -> None:
    """Nobody's mistake makes the shipper read a disk image as TOML."""
    own.write_bytes(b"#" * (256 * 1024 + 1))

    with pytest.raises(ConfigError, match=r"own.toml is larger than 256 KiB"):
        catalogue(str(own))


def test_engine_that_is_not_installed(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the message names it; without a file nobody needs it."""
    monkeypatch.setitem(sys.modules, "re2", None)

    with pytest.raises(ConfigError, match="google-re2, which is not installed") as e:
        catalogue(str(own))

    assert "clisvc-shipper[signatures]" in e.value.remedy
    assert catalogue().version == VERSION
