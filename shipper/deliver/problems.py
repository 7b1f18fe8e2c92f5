# SPDX-License-Identifier: Apache-2.0
"""What an exception of the Elasticsearch client means to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from elastic_transport import (
    ApiError,
    ConnectionError,  # noqa: A004  the client's own name for it
    ConnectionTimeout,
    SerializationError,
    TlsError,
)
from elasticsearch import UnsupportedProductError

from shipper.deliver.sink import BUSY, Outage
from shipper.errors import NotPermitted, ShipperError, SinkUnavailable

_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_SERVER_ERROR = 500
#: Said before anything is done. A proxy may say others after it has passed it on.
_NOTHING_DONE = frozenset({400, 401, 403, 404, 405, 406, 413, 415, BUSY})
_MAX_REASON = 300
# Up to the last @ of each address: a password may hold any sign.
_USER = re.compile(r"((?:\w+:)?//|^)((?!,\s*https?://).)*@")
_GRANTED_BY = re.compile(r"granted by the (\w+) privileges \[([^\]]+)\]")


def public_url(url: str) -> str:
    """Return one URL, or several, without user, password, query and fragment."""
    shown = (re.split(r"[?#]", part)[0] for part in _USER.sub(r"\1", url).split(","))
    return ",".join(part.strip().rstrip("/") for part in shown)


def explain(error: Exception, url: str) -> ShipperError:
    """Turn an exception of the client into the error a person is shown.

    Args:
        error: what the client raised.
        url: the server's address; secrets in it are left out of the message.

    Returns:
        ``NotPermitted`` if credentials are wrong or lack a privilege, else
        ``SinkUnavailable``. A ``ShipperError`` is returned as it is.
    """
    where = public_url(url)
    if isinstance(error, ShipperError):
        return error
    if isinstance(error, ApiError):
        return _answered(error, where)
    return unanswered(error, where)


def unanswered(
    error: Exception,
    where: str,
    *,
    product: str = "Elasticsearch",
    authority: str = "CLISVC_CA_CERT",
) -> ShipperError:
    """Turn an exception without an answer into the error a person is shown.

    Args:
        error: what the transport raised.
        where: the server's address, without secrets.
        product: what was expected there.
        authority: variable that names the authority of its certificate.
    """
    match error:
        case TlsError():
            why = _root(error)
            remedy = (
                f"Give the certificate of its authority with {authority}, and "
                "check that the address is the one in the server's certificate."
            )
            if "expired" in why:
                remedy = "Renew it, or the authority's; check this machine's clock."
            return SinkUnavailable(f"TLS with {where} failed: {why}.", remedy=remedy)
        case ConnectionTimeout():
            return SinkUnavailable(
                f"{where} did not answer in time.",
                remedy=f"Check that {product} is running and not overloaded.",
            )
        case ConnectionError():
            return SinkUnavailable(
                f"{where} cannot be reached: {_root(error)}.",
                remedy=f"Check the address and that {product} is running there.",
            )
        case SerializationError():
            return stranger(where, "its answer cannot be read", product=product)
        case _:
            return SinkUnavailable(f"{where} failed: {type(error).__name__}.")


def outage(error: Exception, url: str) -> Outage:
    """Return what a failed request means for the documents in it.

    Args:
        error: what the client raised.
        url: the server's address; secrets in it are left out of the message.
    """
    problem = explain(error, url)
    if isinstance(error, ApiError):
        status = error.meta.status
        stated = error.meta.headers.get("retry-after") or ""
        return Outage(
            problem,
            unknown=status not in _NOTHING_DONE,
            busy=status == BUSY,
            wait_s=float(stated) if stated.isdecimal() else 0.0,
        )
    refused = any(isinstance(each, ConnectionRefusedError) for each in _causes(error))
    return Outage(problem, unknown=not refused)


def _answered(error: ApiError, where: str) -> ShipperError:
    status = error.meta.status
    kind, why = _account(error)
    detail = f": {why}" if why else ""
    if status == _UNAUTHENTICATED:
        return NotPermitted(
            f"{where} does not accept the credentials (401{detail}).",
            remedy="Check CLISVC_API_KEY, or CLISVC_USERNAME and CLISVC_PASSWORD.",
        )
    # Blocks, such as a read-only index, are answered 403 too, and no key helps.
    if status == _FORBIDDEN and kind != "cluster_block_exception":
        if granted := _GRANTED_BY.search(why):
            level, privileges = granted.groups()
            return NotPermitted(
                f"The credentials lack a privilege at {where} (403{detail}).",
                remedy=(
                    f"Grant one of the {level} privileges "
                    f"{privileges.replace(',', ', ')}."
                ),
            )
        return NotPermitted(
            f"{where} refuses the request (403{detail}).",
            remedy="Check what the credentials may do.",
        )
    foreign = error.meta.headers.get("x-elastic-product") != "Elasticsearch"
    if isinstance(error, UnsupportedProductError) or (
        foreign and status < _SERVER_ERROR and status != _FORBIDDEN
    ):
        return stranger(
            where, f"it answered {status} without the X-Elastic-Product header"
        )
    return SinkUnavailable(f"{where} answered {status}{detail}.")


def stranger(
    where: str, evidence: str, *, product: str = "Elasticsearch"
) -> SinkUnavailable:
    """Return that something else answers at an address.

    Args:
        where: the address, without secrets.
        evidence: what shows it.
        product: what was expected there.
    """
    return SinkUnavailable(
        f"{where} is not {product}: {evidence}.",
        remedy="Check address and port, and any proxy in between.",
    )


def reason(error: ApiError) -> str:
    """Return why Elasticsearch refused a request, in its own words."""
    return _account(error)[1]


def _account(error: ApiError) -> tuple[str, str]:
    """Return type and innermost reason of Elasticsearch's own account of an error."""
    account = error.body.get("error") if isinstance(error.body, dict) else None
    if isinstance(account, str):
        return "", account[:_MAX_REASON]
    if not isinstance(account, dict):
        return "", ""
    kind = str(account.get("type", ""))
    while isinstance(cause := account.get("caused_by"), dict):
        account = cause
    return kind, str(account.get("reason", kind)).rstrip(".")[:_MAX_REASON]


def _root(error: Exception) -> str:
    """Return the operating system's or TLS library's words, without object dumps."""
    for cause in _causes(error):
        if verdict := getattr(cause, "verify_message", ""):
            return str(verdict)
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what lies beneath it, in the client's and urllib3's ways."""
    yield error
    nested = (*error.args, getattr(error, "reason", None), error.__cause__)
    for cause in (*getattr(error, "errors", ()), *nested, error.__context__):
        if isinstance(cause, BaseException):
            yield from _causes(cause)
