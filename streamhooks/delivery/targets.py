"""Which addresses a webhook may be sent to: public ones, and what an operator has opened by `allow_cidrs`.

The verdict is on an address, never on a name: what is checked is what is connected to, so that no name can point
elsewhere between check and connection. The table is our own because `ipaddress.is_global` calls multicast, NAT64 and
Azure's 168.63.129.16 global, and changes between releases of Python.

Laws: two tiers. A `soft` range opens by any network that covers the address. A `hard` one (metadata services,
link-local, forms that hide an IPv4 address) opens by naming that very address as /32 or /128. What cannot be read is
denied.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from msgspec import Struct

from streamhooks.errors import RequestError

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Denied(Struct, frozen=True):
    """A range that is closed unless it was opened."""

    network: Network
    what: str
    hard: bool = False


def _rows(hard: bool, table: str) -> tuple[Denied, ...]:
    rows = (line.split(maxsplit=1) for line in table.strip().splitlines())
    return tuple(Denied(ip_network(cidr), what, hard) for cidr, what in rows)


# IANA's special-purpose registries (RFC 6890 and its updates), and the metadata services of the clouds. Hard rows
# stand first: the first row that covers an address decides.
_HARD_V4 = _rows(
    True,
    """
    168.63.129.16/32    the Azure host's own service
    100.100.100.200/32  the Alibaba metadata service
    192.0.0.192/32      the Oracle metadata service
    169.254.0.0/16      link-local, where metadata services live
    0.0.0.0/8           an address of this host
    224.0.0.0/4         multicast
    240.0.0.0/4         reserved
    """,
)
_SOFT_V4 = _rows(
    False,
    """
    127.0.0.0/8         loopback
    10.0.0.0/8          private
    172.16.0.0/12       private
    192.168.0.0/16      private
    100.64.0.0/10       carrier-grade NAT
    192.0.0.0/24        for protocol assignments
    192.0.2.0/24        for documentation
    192.31.196.0/24     an anycast sink
    192.52.193.0/24     for multicast tunnels
    192.88.99.0/24      a 6to4 relay
    192.175.48.0/24     an anycast sink
    198.18.0.0/15       for benchmarks
    198.51.100.0/24     for documentation
    203.0.113.0/24      for documentation
    """,
)
_HARD_V6 = _rows(
    True,
    """
    fd00:ec2::254/128   the AWS metadata service
    fd20:ce::254/128    the Google metadata service
    fe80::/10           link-local
    ff00::/8            multicast
    64:ff9b::/96        an IPv4 address behind NAT64
    64:ff9b:1::/48      an IPv4 address behind NAT64
    2002::/16           an IPv4 address behind 6to4
    2001::/32           an IPv4 address behind Teredo
    ::ffff:0:0:0/96     an IPv4 address behind a translator
    ::/128              an address of this host
    ::/96               an IPv4 address in disguise
    """,
)
_SOFT_V6 = _rows(
    False,
    """
    fc00::/7            private
    fec0::/10           site-local
    2001::/23           for protocol assignments
    2001:db8::/32       for documentation
    2620:4f:8000::/48   an anycast sink
    3fff::/20           for documentation
    """,
)
_LOOPBACK_V6 = Denied(IPv6Network("::1/128"), "loopback")
"""Soft, and looked at before the hard range ::/96 that it lies in."""
_DENIED_V4 = (*_HARD_V4, *_SOFT_V4)
_DENIED_V6 = (_LOOPBACK_V6, *_HARD_V6, *_SOFT_V6)
_PUBLIC_V6 = IPv6Network("2000::/3")
_OUTSIDE = Denied(IPv6Network("::/0"), "outside the public range 2000::/3")

# A host whose last label is a number is an IPv4 address in some spelling (WHATWG URL, section 3.5).
_LAST_LABEL_IS_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?\Z", re.DOTALL)


class Policy:
    """What a route may connect to. Raises RequestError, kind `cidr`, for an `allow_cidrs` that is no network."""

    def __init__(self, allow_cidrs: tuple[str, ...] = ()) -> None:
        self._allowed = tuple(_network(cidr) for cidr in allow_cidrs)

    def verdict(self, address: str) -> str:
        """Why `address`, as the socket would have it, may not be connected to; empty: it may."""
        try:
            parsed = _parsed(address)
        except ValueError:
            return f"{address[:64]!r} is no address that can be checked"
        denied = _denied(parsed)
        if denied is None or self._opens(parsed, denied.hard):
            return ""
        return f"{parsed} is not allowed: {denied.what} ({denied.network})"

    def _opens(self, address: Address, hard: bool) -> bool:
        return any(
            address in network and (not hard or network.prefixlen == network.max_prefixlen) for network in self._allowed
        )


@lru_cache(maxsize=256)
def _policy(allow_cidrs: tuple[str, ...]) -> Policy:
    return Policy(allow_cidrs)


OPEN_BY_HANDLER = "give this handler `allow_cidrs: [{}]`"
OPEN_BY_DEFAULTS = "write `defaults: {{allow_cidrs: [{}]}}` into the configuration; Tyk's own files open nothing"


def check_target(host: str, allow_cidrs: tuple[str, ...], way_out: str = OPEN_BY_HANDLER) -> str:
    """What is wrong with the host of a configured URL; empty: nothing that can be known without looking it up.

    Only for good messages early: what guards is `Policy.verdict` on the address that is connected to. `host` is
    without brackets. The sentence goes on after the place that holds the URL, and ends with `way_out`.
    """
    if host.lower().rstrip(".") == "localhost":
        opens = any(not _policy(allow_cidrs).verdict(address) for address in ("127.0.0.1", "::1"))
        return "" if opens else _closed("localhost", "loopback", way_out.format('"127.0.0.0/8", "::1/128"'))
    try:
        parsed = _parsed(host)
    except ValueError:
        if ":" in host or _LAST_LABEL_IS_A_NUMBER.match(host):
            return f"is {host[:64]!r}, a number that resolvers take for an IP address; write the address in full"
        return ""
    if not _policy(allow_cidrs).verdict(host):
        return ""
    denied = _denied(parsed) or _OUTSIDE
    return _closed(str(parsed), denied.what, way_out.format(f'"{parsed}/{parsed.max_prefixlen}"'))


def _closed(shown: str, what: str, way_out: str) -> str:
    return f"is {shown}, which is not public ({what}); if that is meant, {way_out}"


def _parsed(address: str) -> Address:
    """Raises ValueError; a zone (`%eth0`) is refused, an IPv4 address mapped into IPv6 is taken out."""
    if "%" in address:
        raise ValueError(address)
    parsed = ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def _denied(address: Address) -> Denied | None:
    if isinstance(address, IPv4Address):
        return next((row for row in _DENIED_V4 if address in row.network), None)
    outside = None if address in _PUBLIC_V6 else _OUTSIDE
    return next((row for row in _DENIED_V6 if address in row.network), outside)


def _network(cidr: str) -> Network:
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        raise RequestError("cidr", f'{cidr!r} is no network; write one such as "10.0.0.0/8" or "fd00::/8"') from None
