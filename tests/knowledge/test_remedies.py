# SPDX-License-Identifier: Apache-2.0
"""Remedies: what the administrator of the host is told."""

from typing import get_args

import pytest

from shipper.errors import ShipperError
from shipper.knowledge import RIGHTS, Cause, for_cause, library
from shipper.knowledge.remedies import parse_remedies


@pytest.mark.parametrize("cause", get_args(Cause))
def test_every_cause_has_a_remedy(cause: Cause) -> None:
    """Whatever the cause, something can be done about it."""
    remedy = for_cause(cause)

    assert remedy.id == cause
    assert remedy.summary


def test_privilege() -> None:
    """A missing right names its three candidates, the account and the articles."""
    remedy = for_cause("privilege")

    assert remedy.rights == (
        "SeAssignPrimaryTokenPrivilege",
        "SeIncreaseQuotaPrivilege",
        "SeTcbPrivilege",
    )
    assert remedy.account == "SMSCliSvcAcct&"
    assert remedy.references[:2] == ("KB828371", "KB295771")
    events = " ".join(remedy.windows_events)
    assert all(number in events for number in ("4704", "4705", "608", "609"))


def test_rights_of_the_article() -> None:
    """The five rights of KB828371, by their policy names."""
    assert {right.constant: right.policies[0] for right in RIGHTS} == {
        "SeTcbPrivilege": "Act as part of the operating system",
        "SeIncreaseQuotaPrivilege": "Increase quotas",
        "SeServiceLogonRight": "Log on as a service",
        "SeAssignPrimaryTokenPrivilege": "Replace a process level token",
        "SeShutdownPrivilege": "Shut down the system",
    }


def test_logon_right_is_no_privilege() -> None:
    """Windows logs changes of logon rights under other numbers than privileges."""
    assert [right.constant for right in RIGHTS if right.kind == "logon"] == [
        "SeServiceLogonRight"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[file]", "[files]", "remedies.toml: file: has no entry"),
        ("[privilege]", "[magic]\nsummary = 'x'\n[privilege]", "magic: is no cause"),
        ("SeTcbPrivilege", "SeTcb", "privilege: 'SeTcb' is no known right"),
        ("account = ", "acount = ", "remedies.toml: privilege: .*acount"),
    ],
)
def test_broken_remedy_is_named(old: str, new: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    content = library.text("remedies.toml").replace(old, new, 1)

    with pytest.raises(ShipperError, match=message):
        parse_remedies(content)
