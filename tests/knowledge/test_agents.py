# SPDX-License-Identifier: Apache-2.0
"""Agents: whom a launched program serves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.errors import ShipperError
from shipper.knowledge import agents, by_app, by_executable
from shipper.knowledge.agents import Roster


@pytest.mark.parametrize(
    ("name", "launcher", "agent"),
    [
        ("WNet User Groups Offer Data Provider", "odpusr32", "advertised-programs"),
        ("System Offer Data Provider", "odpsys32", "advertised-programs"),
        (
            "Some Other Offer Data Provider",
            "offer-data-provider",
            "advertised-programs",
        ),
        ("Advertised Programs Monitor", "smsmon32", "advertised-programs"),
        (
            "Advertised Programs Monitor (Event Driven)",
            "smsmon32",
            "advertised-programs",
        ),
        ("Program Execution Agent", "pea32", "advertised-programs"),
        ("Available Programs Manager Win32", "smsapm32", "advertised-programs"),
        ("APM", "smsapm32", "advertised-programs"),
        ("Software Inventory Agent", "sinv32", "software-inventory"),
        ("hardware  inventory AGENT ", "hinv32", "hardware-inventory"),
        ("Remote Control", "wuser32", "remote-tools"),
        ("Lic Client", "licclint", "software-metering"),
        ("LICENSE METERING", "licclint", "software-metering"),
        ("Client Configuration Installation Manager", "ccim32", "client-base"),
        ("Client Component Installation Manager", "ccim32", "client-base"),
        ("Sinv32", "sinv32", "software-inventory"),
    ],
)
def test_launcher_by_name(name: str, launcher: str, agent: str) -> None:
    """The names the logs print lead to the launcher and its agent."""
    found = by_app(name)

    assert found is not None
    assert (found.id, found.agent.id) == (launcher, agent)


@pytest.mark.parametrize(
    ("path", "launcher", "agent"),
    [
        (
            r"C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe",
            "odpusr32",
            "advertised-programs",
        ),
        (
            r"C:\WINNT.SRV\MS\SMS\clicomp\apa\Bin\smsapm32.exe ",
            "smsapm32",
            "advertised-programs",
        ),
        (r"C:\WINNT\MS\SMS\core\Bin\ccim32.dll", "ccim32", "client-base"),
        (r"D:\x\sinv32.exe", "sinv32", "software-inventory"),
        (r"C:\WINNT\MS\SMS\CLICOMP\sinv\new.exe", "new", "software-inventory"),
        (r"C:\WINNT\MS\SMS\clicomp\hinv\a\b\new.exe", "new", "hardware-inventory"),
        ("c:/winnt/ms/sms/clicomp/licmtr/new.exe", "new", "software-metering"),
        (r"C:\WINNT\MS\SMS\core\bin\new.exe", "new", "client-base"),
        (r'"C:\core\MS\SMS\clicomp\apa\new.exe"', "new", "advertised-programs"),
    ],
)
def test_launcher_by_program(path: str, launcher: str, agent: str) -> None:
    """A program is known by its name, else by the folder it lies in."""
    found = by_executable(path)

    assert found is not None
    assert (found.id, found.agent.id) == (launcher, agent)


@pytest.mark.parametrize("text", ["", " ", "Notepad", r"C:\WINNT\notepad.exe", "\\"])
def test_stranger(text: str) -> None:
    """What belongs to no agent is said to belong to none."""
    assert by_app(text) is None
    assert by_executable(text) is None


def test_only_base_components_concern_the_host() -> None:
    """A failure of the base components concerns every agent of the host."""
    assert {agent.id: agent.scope for agent in agents()} == {
        "advertised-programs": "agent",
        "software-inventory": "agent",
        "hardware-inventory": "agent",
        "remote-tools": "agent",
        "software-metering": "agent",
        "client-base": "host",
    }


def test_names_of_the_panel() -> None:
    """The two agents of KB828371 have the names the article gives them."""
    names = {agent.id: agent.name for agent in agents()}

    assert names["advertised-programs"] == "Advertised Programs Client Agent"
    assert names["software-inventory"] == "Software Inventory Client Agent"


@given(st.text())
def test_any_text_is_looked_up(text: str) -> None:
    """No name and no path whatever raises."""
    by_app(text)
    by_executable(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[a]\nname = 'A'", "agents.toml: a: .*launchers"),
        ("[a]\nname = 'A'\nscope = 'x'\n[a.launchers.b]", "agents.toml: a: .*'x'"),
        ("[a]\nname = 'A'\n[a.launchers.b]\nexe = 'x'", "agents.toml: a: .*exe"),
        (
            (
                "[a]\nname = 'A'\n[a.launchers.b]\nnames = ['N']\n"
                "[a.launchers.c]\nnames = ['n']"
            ),
            "agents.toml: c: 'n' is taken",
        ),
    ],
)
def test_broken_roster_is_named(content: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    with pytest.raises(ShipperError, match=message):
        Roster(content)
