"""What connections of redis-py are made with, the same for both twins. What our answers depend on no URL changes."""

from typing import Any, Final

from streamhooks.connecting.address import Address
from streamhooks.connecting.sentinels import ASK_TIMEOUT, SERVER_TIMEOUT
from streamhooks.secret import Secret

CONNECT_TIMEOUT: Final = 5.0
"""Seconds to connect to the one server of a URL."""


def of_server(address: Address, password: Secret, *, timeout: float) -> dict[str, Any]:
    """`timeout`: seconds that an answer may take; `password` wins over that of the address."""
    led = address.form == "sentinel"
    given: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": False,
        "socket_timeout": timeout,
        "socket_connect_timeout": SERVER_TIMEOUT if led else CONNECT_TIMEOUT,
        "health_check_interval": 0,
        "db": address.db,
    }
    if address.form == "unix":
        given["path"] = address.path
    elif not led:
        (given["host"], given["port"]) = address.nodes[0]
    if address.client_name:
        given["client_name"] = address.client_name
    return given | _credentials(address.username, password or address.password)


def of_sentinel() -> dict[str, Any]:
    return {
        "protocol": 2,
        "decode_responses": False,
        "socket_timeout": ASK_TIMEOUT,
        "socket_connect_timeout": ASK_TIMEOUT,
        "health_check_interval": 0,
        "driver_info": None,
    }


def credentials_for_sentinels(address: Address, password: Secret) -> tuple[dict[str, Any], ...]:
    """As whom they are asked, one after the other where they refuse. First as nobody: who needs no password is told
    none.
    """
    own = _credentials(address.sentinel_username, address.sentinel_password)
    if own:
        return (own,)
    theirs = _credentials(address.username, password or address.password)
    return ({}, theirs) if theirs else ({},)


def _credentials(username: Secret, password: Secret) -> dict[str, Any]:
    named = {"username": username.reveal()} if username else {}
    return named | ({"password": password.reveal()} if password else {})
