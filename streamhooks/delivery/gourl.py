"""What Go makes of a URL: the request target and the Host header that `http.NewRequest` and `Request.Write` give.

The fingerprint of a cool-down is the MD5 of a request as Go writes it, so a URL is read here by the rules of Go's
net/url and not by those of RFC 3986 or of yarl. Go's strings are bytes: a text is handled as its UTF-8 bytes, one
character each (latin-1), and turned back only for messages. What Go refuses, this refuses with Go's words.

Not followed: GODEBUG switches, and the exact words of netip for a broken IPv6 literal.
"""

import re
from collections.abc import Callable
from ipaddress import IPv6Address

from msgspec import Struct

from streamhooks.errors import RequestError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PORT = re.compile(r"(?::[0-9]*)?\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}\Z")
_NOT_UTF_8 = re.compile(r"[\udc80-\udcff]")

_UNRESERVED = r"A-Za-z0-9._~\-"
_IN_HOST = _UNRESERVED + r"!$&'()*+,;=:\[\]<>\""
_NOT_IN_HOST = re.compile(rf"[^{_IN_HOST}%\x80-\xff]")
_NOT_IN_PATH = re.compile(rf"[^{_UNRESERVED}$&+,/:;=@]")
"""What Go escapes in a path it has to write anew; `*` is among it, though RFC 3986 would let it stand."""
_VALID_PATH = re.compile(rf"[{_UNRESERVED}!$&'()*+,;=:@\[\]%/]*\Z")
_VALID_USER = re.compile(rf"[{_UNRESERVED}!$&'()*+,;=:@%]*\Z")
_VALID_HOST_HEADER = re.compile(rf"[{_UNRESERVED}!$%&'()*+,;=:\[\]]*\Z")


class Target(Struct, frozen=True):
    """The two places of a request where its URL shows, as bytes in latin-1."""

    request_uri: str
    host: str


def target(url: str) -> Target:
    """Request target and Host header for `url`. Raises RequestError, kind `url`, where Go gives an error."""
    raw = url.encode("utf-8", "surrogatepass").decode("latin-1")
    before_fragment, _, fragment = raw.partition("#")
    try:
        parsed = _parse(before_fragment)
    except _Refused as refused:
        raise RequestError("url", f"parse {quote(before_fragment)}: {refused}") from None
    try:
        _unescape(fragment)
    except _Refused as refused:
        raise RequestError("url", f"parse {quote(raw)}: {refused}") from None
    return parsed


def quote(raw: str) -> str:
    """Go's strconv.Quote of UTF-8 bytes in latin-1."""
    text = raw.encode("latin-1").decode("utf-8", "surrogateescape")
    return '"' + "".join(_QUOTED.get(char) or _quote_char(char) for char in text) + '"'


_QUOTED = {'"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTED["\v"] = "\\v"


def _quote_char(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Refused(Exception):  # noqa: N818  not an error of ours: it becomes a RequestError in target()
    """What Go says against a URL, without its `parse "...": `."""


def _parse(raw: str) -> Target:
    if _CONTROL.search(raw):
        raise _Refused("net/url: invalid control character in URL")
    if raw == "*":
        return Target("*", "")
    scheme, rest = _cut_scheme(raw)
    rest, mark, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            # A rootless path is opaque: it stands in the request line as it is.
            return Target((rest or "/") + mark + query, "")
        if ":" in rest.partition("/")[0]:
            raise _Refused("first path segment in URL cannot contain colon")
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host = _host_header(_authority(scheme, authority))
        rest = slash + path
    return Target(_escaped_path(rest) + mark + query, host)


def _cut_scheme(raw: str) -> tuple[str, str]:
    if raw.startswith(":"):
        raise _Refused("missing protocol scheme")
    found = _SCHEME.match(raw)
    return (found[1].lower(), raw[found.end() :]) if found else ("", raw)


def _authority(scheme: str, authority: str) -> str:
    user, at, host = authority.rpartition("@")
    host = _host(scheme, host)
    if at:
        if not _VALID_USER.match(user):
            raise _Refused("net/url: invalid userinfo")
        name, _, password = user.partition(":")
        _unescape(name)
        _unescape(password)
    return host


def _host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise _Refused("invalid IP-literal")
    if bracket == 0:
        return _ip_literal(host)
    if ":" in host:
        colon = host.index(":") if scheme in {"http", "https"} else host.rindex(":")
        _check_port(host[colon:])
    return _unescape_host(host)


def _ip_literal(host: str) -> str:
    closing = host.rfind("]")
    if closing < 0:
        raise _Refused("missing ']' in host")
    port = host[closing + 1 :]
    _check_port(port)
    address, percent, zone = host[1:closing].partition("%25")
    name = _unescape_host(address) + (_unescape_zone(percent + zone) if percent else "")
    if _IPV4.match(name):
        raise _Refused("invalid IP-literal")
    try:
        IPv6Address(name)
    except ValueError:
        # Go's netip says more precisely what it stumbled over.
        raise _Refused(f"invalid host: ParseAddr({quote(name)}): unable to parse IP") from None
    return f"[{name}]{port}"


def _check_port(port: str) -> None:
    if not _PORT.match(port):
        raise _Refused(f"invalid port {quote(port)} after host")


def _unescape_host(text: str) -> str:
    _check_host_escapes(text, lambda escape: escape == "%25" or int(escape[1], 16) >= 8)
    return _unescape(text)


def _unescape_zone(text: str) -> str:
    def allowed(escape: str) -> bool:
        char = chr(int(escape[1:], 16))
        return char in "% " or not (_NOT_IN_HOST.match(char) or char >= "\x80")

    _check_host_escapes(text, allowed)
    return _unescape(text)


def _check_host_escapes(text: str, allowed: Callable[[str], bool]) -> None:
    """Go looks from left to right, so the first fault decides what is said."""
    for found in _HOST_FAULT.finditer(text):
        if found[1]:
            if not allowed(found[1]):
                raise _Refused(f"invalid URL escape {quote(found[1])}")
        elif found[0].startswith("%"):
            raise _Refused(f"invalid URL escape {quote(found[0])}")
        else:
            raise _Refused(f"invalid character {quote(found[0])} in host name")


_HOST_FAULT = re.compile(rf"(%[0-9A-Fa-f]{{2}})|%.{{0,2}}|{_NOT_IN_HOST.pattern}", re.DOTALL)


def _unescape(text: str) -> str:
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise _Refused(f"invalid URL escape {quote(text[bad.start() : bad.start() + 3])}")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _escaped_path(path: str) -> str:
    """The path as written where that is a valid encoding, else written anew; `/` for none."""
    decoded = _unescape(path)
    if _VALID_PATH.match(path):
        return path or "/"
    return _NOT_IN_PATH.sub(lambda found: f"%{ord(found[0]):02X}", decoded)


def _host_header(host: str) -> str:
    """The host as it goes on the wire: no empty port, names in Punycode, no IPv6 zone; empty where Go blanks it."""
    host = host.removesuffix(":")
    if not host.isascii():
        host = _punycode(host)
    if not _VALID_HOST_HEADER.match(host):
        return ""
    if host.startswith("["):
        return re.sub(r"%[^%]*(?=\][^\]]*\Z)", "", host)
    return host


def _punycode(host: str) -> str:
    """Labels that are not ASCII in Punycode, letters as they are: Go maps and lowers nothing here."""
    name, colon, port = host.partition(":")
    # A byte that is no UTF-8 counts as U+FFFD, each for itself.
    text = _NOT_UTF_8.sub("\ufffd", name.encode("latin-1").decode("utf-8", "surrogateescape"))
    labels = (
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii") for label in text.split(".")
    )
    return ".".join(labels) + colon + port
