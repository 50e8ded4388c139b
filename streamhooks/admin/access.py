"""Who may ask: the checks that stand before the API and the console.

A browser on the operator's machine reaches every loopback port, so a page of somebody else must not be able to ask in
his name: the request's Host is one that we know (against DNS rebinding), its Origin is that Host, and what changes
something carries JSON and a header that no form can send. There are no cookies: who has no token has nothing.

Without a configured token the console exists on a loopback address only.
"""

import asyncio
import hmac
import ipaddress
import re
from collections.abc import Iterable

from aiohttp import web

from streamhooks.admin.answers import AdminError
from streamhooks.secret import Secret
from streamhooks.settings.rules import is_loopback

HEADER, VALUE = "X-Streamhooks", "console"
"""What every request that changes something carries: another site cannot set it without asking us first."""
DELAY = 0.3
"""Seconds that a wrong token costs; the bound on guessing is the token's length."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?")
_OWN = frozenset({"", "same-origin", "none"})
SAFE = frozenset({"GET", "HEAD"})


class Access:
    """The rules for one address that is listened on; `hosts` are further names of it, as those of a proxy."""

    def __init__(self, listen: str, token: Secret, hosts: Iterable[str] = ()) -> None:
        host = listen.rpartition(":")[0].strip("[]").lower()
        self._token = token
        self._any = _is_wildcard(host)
        named = {name.strip("[]").lower() for name in hosts}
        self._hosts = frozenset({*LOOPBACK, *named} if self._any else {*LOOPBACK, *named, host})
        self.exists = bool(token) or is_loopback(host)
        """Whether there are an API and a console at all."""

    async def admit(self, request: web.Request) -> None:
        """Raises AdminError for a request that may not be answered."""
        if not self.exists:
            said = "the API and the console need admin.token, for admin.listen is no loopback address"
            raise AdminError(404, "no_token_configured", said)
        self._check_host(request)
        if request.path.startswith("/api/"):
            _check_site(request)
            await self._check_token(request)
        if request.method not in SAFE:
            _check_form(request)

    def _check_host(self, request: web.Request) -> None:
        given = request.headers.get("Host", "")
        match = _HOST.fullmatch(given)
        host = (match[1] or match[2]).lower().removesuffix(".") if match else ""
        if host in self._hosts or (self._any and host and host == _local_address(request)):
            return
        names = (*LOOPBACK, *sorted(self._hosts - set(LOOPBACK)))
        known = ", ".join(f"[{name}]" if ":" in name else name for name in names)
        said = f"this is no host of ours; ask for one of {known}, or name it in admin.hosts"
        raise AdminError(421, "wrong_host", said)

    async def _check_token(self, request: web.Request) -> None:
        if not self._token:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given:
            if hmac.compare_digest(_bytes(given.strip()), _bytes(self._token.reveal())):
                return
            await asyncio.sleep(DELAY)
            raise _unauthorized("wrong_token", "the token is not that of admin.token", ', error="invalid_token"')
        raise _unauthorized("no_token", "give the token of admin.token as Authorization: Bearer TOKEN")


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _local_address(request: web.Request) -> str:
    """The address of this machine that was connected to: a page under a name of its own cannot be at an address."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    # A socket of both families has IPv4 addresses in IPv6's clothes.
    return str(name[0]).lower().removeprefix("::ffff:") if isinstance(name, tuple) else ""


def _check_site(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    theirs = request.headers.get("Sec-Fetch-Site", "").lower() not in _OWN
    if origin is not None:
        theirs = theirs or origin.lower().partition("://")[2] != request.headers.get("Host", "").lower()
    if theirs:
        raise AdminError(403, "wrong_origin", "a page of another site may not ask here")


def _check_form(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise AdminError(415, "wrong_content_type", "send the body as Content-Type: application/json")
    if request.headers.get(HEADER) != VALUE:
        raise AdminError(403, "header_missing", f"send the header {HEADER}: {VALUE}")


def _unauthorized(kind: str, message: str, more: str = "") -> AdminError:
    return AdminError(401, kind, message, {"WWW-Authenticate": f'Bearer realm="streamhooks"{more}'})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
