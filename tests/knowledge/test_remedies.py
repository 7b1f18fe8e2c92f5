# SPDX-License-Identifier: Apache-2.0
"""Remedies: what the administrator of the host is told."""

from typing import get_args

import pytest

from shipper.errors import ShipperError
from shipper.knowledge import ACCOUNTS, RIGHTS, Cause, for_cause, library
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
    assert remedy.policies == (
        "Replace a process level token",
        "Increase quotas",
        "Adjust memory quotas for a process",
        "Act as part of the operating system",
    )
    assert remedy.account == ("SMSCliSvcAcct&", "SMS&_<dc>")
    assert "Local System" in remedy.lasting
    assert remedy.references[:2] == ("KB828371", "KB295771")
    events = " ".join(remedy.windows_events)
    assert all(number in events for number in ("4704", "4705", "608", "609"))


def test_account() -> None:
    """The account that cannot log on may be the service's or one that lends tokens."""
    remedy = for_cause("account")

    assert remedy.policies == ("Log on as a service",)
    assert remedy.account == (
        "SMSCliSvcAcct&",
        "SMSCliToknAcct&",
        "SMSCliToknLocalAcct&",
        "SMS&_<dc>",
    )


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


def test_accounts_by_machine_and_version() -> None:
    """Who runs the service and who lends its token, by machine and version."""
    used = {
        (account.role, account.machines, version): account.name
        for account in ACCOUNTS
        for version in account.versions
    }

    assert {key: name for key, name in used.items() if key[0] != "boot"} == {
        ("service", "member", "2.0"): "SMSCliSvcAcct&",
        ("service", "member", "2003"): "SMSCliSvcAcct&",
        ("service", "domain controller", "2.0"): "SMS&_<dc>",
        ("service", "domain controller", "2003"): "SMS&_<dc>",
        ("token", "member", "2.0"): "SMSCliToknAcct&",
        ("token", "member", "2003"): "SMSCliToknLocalAcct&",
        ("token", "domain controller", "2.0"): "SMSCliToknAcct&",
        ("token", "domain controller", "2003"): "SMSCliToknAcct&",
    }


def test_events_have_both_numberings() -> None:
    """Windows renumbered its security events; whoever looks needs either number."""
    both: dict[Cause, tuple[str, ...]] = {
        "privilege": ("4704", "608", "4705", "609", "4673", "577", "4739", "643"),
        "account": ("4717", "621", "4718", "622", "4740", "644", "4625", "534"),
        "integrity": ("4697", "601"),
    }

    for cause, numbers in both.items():
        events = " ".join(for_cause(cause).windows_events)
        assert [number for number in numbers if number not in events] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[file]", "[files]", "remedies.toml: file: has no entry"),
        ("[privilege]", "[magic]\nsummary = 'x'\n[privilege]", "magic: is no cause"),
        ("SeTcbPrivilege", "SeTcb", "privilege: 'SeTcb' is no known right"),
        ("SMS&_<dc>", "SMS&", "privilege: 'SMS&' is no known account"),
        ("account = ", "acount = ", "remedies.toml: privilege: .*acount"),
    ],
)
def test_broken_remedy_is_named(old: str, new: str, message: str) -> None:
    """An entry that cannot be used is named with its file and the reason."""
    content = library.text("remedies.toml").replace(old, new, 1)

    with pytest.raises(ShipperError, match=message):
        parse_remedies(content)
