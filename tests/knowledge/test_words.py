# SPDX-License-Identifier: Apache-2.0
"""Own words: plenty, careful, and refused where they cannot be used."""

import re

import pytest

from shipper.errors import ShipperError
from shipper.knowledge import explain, library
from shipper.knowledge.words import every, parse_words

WORDS = parse_words(library.text("words.toml"))

#: The rows of the table every analyst of these logs starts from.
WIN32 = (
    *(2, 3, 5, 6, 32, 53, 67, 71, 87, 112, 122, 126, 193, 170, 232, 1003, 1010, 1018),
    *(1053, 1056, 1058, 1060, 1062, 1067, 1068, 1069, 1072, 1115, 1219, 1300, 1313),
    *(1314, 1315, 1317, 1332, 1326, 1327, 1330, 1331, 1909, 1355, 1385, 1392, 1460),
    *(1722, 1787, 1788, 1789, 1790, 1792, 2114, 2138, 1601, 1602, 1603, 1605, 1612),
    *(1619, 1620, 1618, 1625, 1643, 1638, 1641, 3010),
)
HRESULT = (
    *(0x80004005, 0x80004015, 0x80070005, 0x80040154, 0x80080005, 0x80080008),
    *(0x80041001, 0x80041002, 0x80041003, 0x8004100E, 0x80041010, 0x80072EE2),
    *(0x80072EE7, 0x87D00213, 0x87D00215, 0x87D00229, 0x87D00230, 0x87D00231),
    *(0x87D00232, 0x87D00233, 0x87D0025E, 0x87D00269, 0x87D0027A, 0x87D0027C),
    *(0x87D0027D, 0x87D0027E, 0x87D00283, 0x87D00287, 0x87D00297, 0x87D00321),
    *(0x87D00324, 0x87D00325, 0x87D00327, 0x87D00329, 0x87D00602, 0x87D00607),
    *(0x87D00664, 0x87D00665, 0x87D00667, 0x87D00668, 0x87D00692, 0x87D00704),
    *(0x87D00708, 0x87D0070C, 0x87D01004, 0x87D01005, 0x87D01106, 0x87D01107),
    *(0x87D01108, 0x87D01201, 0x87D01202, 0x87D1076C, 0x07D00635),
)


def test_own_words_are_plenty() -> None:
    """At least 120 codes have words of ours, those of the usual causes among them."""
    expected = {("win32", code) for code in WIN32} | {
        ("hresult", code) for code in HRESULT
    }

    assert len(WORDS) >= 120
    assert expected - WORDS.keys() == set()
    assert every() == tuple(WORDS)


def test_every_entry_reaches_its_reader() -> None:
    """What is written for a code is what explaining it says."""
    for (namespace, value), words in WORDS.items():
        (reading,) = (
            reading
            for reading in explain(value, namespace=namespace)
            if reading.namespace == namespace
        )

        assert (reading.meaning, reading.advice) == (words.meaning, words.check)
        assert (reading.fix, reading.threat) == (words.fix, words.threat)
        assert reading.severity == (words.severity or reading.severity)


@pytest.mark.parametrize(
    ("namespace", "code", "severity"),
    [
        ("win32", 0, "success"),
        ("win32", 1641, "success"),
        ("win32", 3010, "success"),
        ("msi", 1707, "success"),
        ("exit", 1707, "success"),
        ("exit", 1641, "success"),
        ("exit", 5, "error"),
        ("hresult", 0x00041301, "success"),
        ("hresult", 0x87D1076C, "success"),
        ("win32", 1056, "info"),
        ("win32", 1618, "warning"),
        ("win32", 1314, "error"),
    ],
)
def test_severity(namespace: str, code: int, severity: str) -> None:
    """A success is one whatever its number, and a nuisance is no error."""
    assert explain(code, namespace=namespace)[0].severity == severity


def test_techniques_carry_the_version_that_has_them() -> None:
    """ATT&CK 19 gave "Disable or Modify Tools" a new number; both are told apart."""
    (reading,) = explain(1314)

    assert [(one.id, one.since, one.until) for one in reading.threat] == [
        ("T1484.001", 0, 0),
        ("T1562.001", 0, 18),
        ("T1685", 19, 0),
    ]


def test_words_claim_nothing_they_cannot_know() -> None:
    """Evidence is consistent with an attack; it never proves one."""
    text = library.text("words.toml").lower()

    assert re.search(r"\bprov(?:e|es|ed|en|ing)\b", text) is None
    assert re.search(r"\bunknown\b", text) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[win64.5]", "words.toml: win64: is no namespace of codes"),
        ("win32 = 5", "words.toml: win32: is no namespace of codes"),
        ("[win32.x5]", "words.toml: win32.x5: is not spelled as a code"),
        ("[hresult.5]", "words.toml: hresult.5: is not spelled as a code"),
        ("[win32.5]\nmeaning = 'a'", "words.toml: win32.5: .*check"),
        ("[win32.5]\nmeaning = ''\ncheck = 'b'", "words.toml: win32.5: .*length"),
        (
            "[win32.5]\nmeaning = 'a'\ncheck = 'b'\nseverity = 'bad'",
            "words.toml: win32.5: .*severity",
        ),
        (
            "[win32.5]\nmeaning = 'a'\ncheck = 'b'\nthreat = [{id = 'X', name = 'x'}]",
            "words.toml: win32.5: .*threat",
        ),
        ("[win32.5]\ncolour = 'a'", "words.toml: win32.5: "),
        ("[win32.5]\n[win32.5]", "words.toml: Cannot declare"),
    ],
)
def test_broken_words_are_named(content: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    with pytest.raises(ShipperError, match=message) as caught:
        parse_words(content)

    assert caught.value.remedy
