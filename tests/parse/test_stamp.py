# SPDX-License-Identifier: Apache-2.0
"""Local times as the trailers spell them."""

from __future__ import annotations

import pytest

from shipper.parse.stamp import read_stamp

# 1999-11-15 is day 10,910 since 1970: 29 years of 365 days, 7 leap days (1972-1996),
# and 318 days of 1999 before it. 16:54:10 is second 60,850 of a day.
SECONDS = 10_910 * 86_400 + 60_850


def test_time_is_the_wall_clock() -> None:
    """Seconds are counted on the local clock, without any zone."""
    stamp = read_stamp("Mon Nov 15 16:54:10.253 1999")

    assert stamp is not None
    assert (stamp.seconds, stamp.millis) == (SECONDS, 253)
    assert (stamp.zone, stamp.bias, stamp.sound, stamp.early) == ("", None, True, False)


def test_bias_form_is_the_same_wall_clock() -> None:
    """Month comes before day, and the bias is kept apart."""
    stamp = read_stamp("11-15-1999 16:54:10.253+360")

    assert stamp is not None
    assert (stamp.seconds, stamp.bias) == (SECONDS, 360)


def test_early_form_has_no_milliseconds() -> None:
    """SMS 1.x writes a tilde where the milliseconds would tell."""
    stamp = read_stamp("Mon Nov 15 16:54:10 1999~")

    assert stamp is not None
    assert (stamp.seconds, stamp.millis) == (SECONDS, 0)
    assert (stamp.early, stamp.sound) == (True, True)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Mon Nov 15 16:54:10.253 1999 ", ""),
        ("Mon Nov 15 16:54:10.253 1999 Pacific Standard Time", "Pacific Standard Time"),
        ("Mon Nov 15 16:54:10.253 1999 Est (heure d'été)", "Est (heure d'été)"),
        ("11-15-1999 16:54:10.253+9999", "+9999"),
    ],
)
def test_zone_is_any_text(text: str, zone: str) -> None:
    """Localized zone names have other letters than CMTrace's own reader accepts."""
    stamp = read_stamp(text)

    assert stamp is not None
    assert (stamp.seconds, stamp.zone, stamp.bias) == (SECONDS, zone, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Wed Feb 30 10:00:00.000 2000",
        "Mon Nov 15 25:00:00.000 1999",
        "Mon Nov 15 16:54:60.000 1999",
        "Mon Foo 15 16:54:10.000 1999",
        "Mon Nov 15 16:54:10.000 1979",
        "Mon Nov 15 16:54:10.000 9999",
        "13-15-1999 16:54:10.253+360",
        "Mon Nov 15 16:54:10.2 1999",
        "Mon Nov 15 16:54:10.253 19991",
        "Mon Nov 15 16:54:10.253",
        "Mon Nov 15 16:54:10.253 1999 " + "x" * 200,
        "\N{ARABIC-INDIC DIGIT ONE}1-15-1999 16:54:10.253+360",
    ],
)
def test_no_time(text: str) -> None:
    """What is not in the calendar, or spelt otherwise, is no time."""
    assert read_stamp(text) is None
