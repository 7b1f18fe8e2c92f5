# SPDX-License-Identifier: Apache-2.0
"""Time zones and their names."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from shipper.errors import ShipperError
from shipper.parse import UnknownZoneError, Zones
from shipper.parse.stamp import Stamp, read_stamp
from shipper.parse.zones import BiasSign, Calendar, _windows_zones
from shipper.records import Moment

NOON_2003_07_15 = 1_058_270_400  # 12,248 days since 1970, and twelve hours


def moment(zones: Zones, zone: str) -> tuple[Moment, bool]:
    """Give noon of 15 July 2003 in a zone, as a record names it."""
    stamp = Stamp(seconds=NOON_2003_07_15, millis=0, zone=zone)
    return Calendar(zones).moment(stamp)


@pytest.mark.parametrize(
    ("name", "zone", "text"),
    [
        ("Pacific Standard Time", "America/Los_Angeles", "2003-07-15T19:00:00"),
        ("pacific  DAYLIGHT time", "America/Los_Angeles", "2003-07-15T19:00:00"),
        ("GMT Daylight Time", "Europe/London", "2003-07-15T11:00:00"),
        ("Coordinated Universal Time", "Etc/UTC", "2003-07-15T12:00:00"),
        ("Malay Peninsula Standard Time", "Asia/Singapore", "2003-07-15T04:00:00"),
        ("Bangkok Standard Time", "Asia/Bangkok", "2003-07-15T05:00:00"),
        ("Jerusalem Daylight Time", "Asia/Jerusalem", "2003-07-15T09:00:00"),
        ("Mexico Daylight Time", "America/Mexico_City", "2003-07-15T17:00:00"),
        ("Mexico Daylight Time 2", "America/Mazatlan", "2003-07-15T18:00:00"),
        ("US Mountain Standard Time", "America/Phoenix", "2003-07-15T19:00:00"),
        ("Paris, Madrid (heure d’été)", "Europe/Paris", "2003-07-15T10:00:00"),  # noqa: RUF001 -- French Windows writes this apostrophe
    ],
)
def test_name_in_a_record(name: str, zone: str, text: str) -> None:
    """A zone name gives the zone, and the date the offset."""
    found, known = moment(Zones(), name)

    assert (found.timezone, found.text) == (zone, text)
    assert (found.source, known) == ("record", True)


@pytest.mark.parametrize(
    ("zones", "zone", "source"),
    [
        (Zones(host_zone="Asia/Tokyo", default_zone="UTC"), "Asia/Tokyo", "host"),
        (Zones(default_zone="asia/tokyo"), "Asia/Tokyo", "configured"),
        (Zones(machine_zone="Tokyo Standard Time"), "Asia/Tokyo", "machine"),
        (Zones(), "UTC", "assumed-utc"),
    ],
)
def test_fallback(zones: Zones, zone: str, source: str) -> None:
    """Host goes before configured, before machine, before UTC; known or not shows."""
    absent, absent_known = moment(zones, "")
    strange, strange_known = moment(zones, "Olympus Mons Standard Time")

    assert (absent.timezone, absent.source, absent_known) == (zone, source, True)
    assert strange == absent
    assert strange_known is False


def test_alias_goes_before_the_tables() -> None:
    """The user may say what a name means on these machines."""
    zones = Zones(aliases={"Eastern Standard Time": "Australia/Sydney"})

    found, _ = moment(zones, "Eastern Daylight Time")

    assert found.timezone == "Australia/Sydney"


@pytest.mark.parametrize("name", ["", "Mars", "../etc/passwd", "America"])
def test_unknown_setting_is_named(name: str) -> None:
    """A wrong zone is refused when the settings are made."""
    with pytest.raises(UnknownZoneError, match=f'default_zone.*"{name}"'):
        Zones(default_zone=name)


def test_unknown_alias_is_named() -> None:
    """So is a wrong zone behind an alias."""
    with pytest.raises(ShipperError, match=r'zones."Head Office".*"Mars"'):
        Zones(aliases={"Head Office": "Mars"})


def test_every_name_leads_to_a_zone() -> None:
    """Each zone of the tables exists."""
    for zone in set(_windows_zones().values()):
        assert ZoneInfo(zone).key == zone


@pytest.mark.parametrize(
    ("sign", "text", "zone", "source"),
    [
        ("ccm", "2018-07-30T07:00:00", "-07:00", "record"),
        ("inverted", "2018-07-29T17:00:00", "+07:00", "record"),
        ("ignore", "2018-07-29T22:00:00", "Europe/Berlin", "configured"),
    ],
)
def test_bias_sign(sign: BiasSign, text: str, zone: str, source: str) -> None:
    """The bias is added, subtracted, or passed over for the zone of the settings."""
    stamp = read_stamp("07-30-2018 00:00:00.620+420")
    assert stamp is not None
    calendar = Calendar(Zones(default_zone="Europe/Berlin", bias_sign=sign))

    found, known = calendar.moment(stamp)

    assert (found.text, found.timezone, found.source) == (text, zone, source)
    assert known
