"""Where a handler sends: the URL of its configuration, taken apart and checked.

Law: scheme, host and port come from the configuration alone. A template action may stand in path and query only, where
its values are percent-encoded, so that no event can choose whom we talk to.
"""

import ipaddress
import re
from urllib.parse import quote

import idna
from msgspec import Struct

from streamhooks.handlers.actions import OPEN, pieces
from streamhooks.settings.rules import RefusedError

_PORTS = {"http": "80", "https": "443"}
_SHAPE = re.compile(r"(https?)://([^/?#]*)(.*)", re.DOTALL | re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# RFC 3986, sections 3.3 and 3.4, with the brackets that Go lets stand; what is encoded already stays so.
_PATH_SAFE = "/%:@!$&'()*+,;=~-._[]"
_QUERY_SAFE = _PATH_SAFE + "?{}|\\^`"


class Target(Struct, frozen=True):
    """A checked target."""

    origin: str
    """Scheme and host in lower case, the host in IDNA; the port only where it is not the scheme's own."""
    host: str
    """As it is looked up: without brackets and a last dot."""
    path: str
    """Path and query, percent-encoded outside of actions; never empty."""
    templated: bool
    """The path holds actions."""


def parse_target(url: str) -> Target:
    """Raises RefusedError, whose sentence never holds the URL: paths of webhooks are often secrets."""
    match = _SHAPE.fullmatch(url)
    if match is None:
        if OPEN in url.partition("/")[0]:
            raise RefusedError("must name scheme, host and port itself; template actions are for path and query")
        raise RefusedError("must be an absolute URL that starts with http:// or https://")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if OPEN in authority:
        raise RefusedError("must name scheme, host and port itself; template actions are for path and query")
    if "@" in authority:
        raise RefusedError("must not hold a user or password; send them by header_map: {Authorization: ...}")
    host, port = _split_port(authority)
    name = _address(host[1:-1], 6) if host.startswith("[") else _host(host)
    shown_host = f"[{name}]" if ":" in name else name
    shown_port = f":{port}" if port and port != _PORTS[scheme] else ""
    path, templated = _path(rest)
    return Target(f"{scheme}://{shown_host}{shown_port}", name, path, templated)


def _split_port(authority: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]+)(?::([0-9]*))?", authority, re.ASCII)
    if match is None:
        raise RefusedError("must name a host, and after a colon its port")
    port = (match[2] or "").lstrip("0")
    if match[2] and (not port or len(port) > 5 or int(port) > 65535):
        raise RefusedError("must have a port from 1 to 65535")
    return match[1], port


def _host(host: str) -> str:
    if host.isascii():
        name = host.lower().removesuffix(".")
    else:
        try:
            name = idna.encode(host.removesuffix("."), uts46=True).decode()
        except idna.IDNAError:
            raise RefusedError("must name a host that is a valid domain name") from None
    # WHATWG URL, section 3.5: a host whose last label is a number is an IPv4 address; resolvers fold 127.1 and 0x7f.1.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]):
        return _address(name, 4)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise RefusedError("must name a host that is a valid domain name")
    return name


def _address(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version or "%" in text:
        kind = "four numbers from 0 to 255" if version == 4 else "an IPv6 address without a zone in brackets"
        raise RefusedError(f"must write an IP address in full, as {kind}")
    return str(address)


def _path(rest: str) -> tuple[str, bool]:
    encoded, in_query, templated = "", False, False
    for is_action, piece in pieces(rest):
        templated = templated or is_action
        if is_action or OPEN in piece:  # an action that never ends: the template's own message is the better one
            templated, encoded = True, encoded + piece
            continue
        if re.search(r"[\x00-\x20\x7f]", piece):
            raise RefusedError("must not hold a space or control character; write a space as %20")
        if "#" in piece:
            raise RefusedError("must not hold a fragment (#...): it is never sent; write a literal # as %23")
        before, mark, after = ("", "", piece) if in_query else piece.partition("?")
        if _STRAY_PERCENT.search(before):
            raise RefusedError("must write a literal % of the path as %25")
        in_query = in_query or bool(mark)
        encoded += quote(before, safe=_PATH_SAFE) + mark + quote(after, safe=_QUERY_SAFE)
    return (encoded if encoded.startswith("/") else f"/{encoded}"), templated
