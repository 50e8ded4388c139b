"""The fingerprint of a cool-down: the MD5 of the raw request, byte for byte what Tyk computes.

Tyk hashes what Go's `Request.Write` gives for `NewRequest(method, target_path, body)` before any header is set, so
custom headers, scheme, user and fragment have no part in it, and the body always has. Everything before the
Content-Length is the same for every event of a handler: `head` makes it once.

Two event types are hashed by chosen fields instead, because their rendered bodies would count down the days.
MD5 is a fingerprint here and no protection: who can choose an event's content can make it equal to his own.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import md5

from streamhooks.delivery import gourl
from streamhooks.delivery.govalues import go_time
from streamhooks.errors import RequestError

CERTIFICATE_TYPES = {
    "CertificateExpiringSoon": ("ExpiresAt", "expires_at"),
    "CertificateExpired": ("ExpiredAt", "expired_at"),
}
"""Event types hashed by their fields, and how Go and Tyk's JSON name their time."""

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class Head:
    """The constant part of a request on Go's wire."""

    __slots__ = ("_begun", "_prefix", "_says_zero")

    def __init__(self, prefix: bytes, *, says_zero: bool) -> None:
        """`prefix`: request line, Host and User-Agent, with their line ends. `says_zero`: an empty body is announced
        with `Content-Length: 0`.
        """
        self._prefix = prefix
        self._says_zero = says_zero
        self._begun = md5(prefix, usedforsecurity=False)

    def wire_bytes(self, body: bytes) -> bytes:
        return self._prefix + self._rest(body)

    def fingerprint(self, body: bytes) -> str:
        """MD5 of the request with this body, 32 characters of lower-case hex."""
        digest = self._begun.copy()  # to begin one anew costs half of it
        digest.update(self._rest(body))
        return digest.hexdigest()

    def _rest(self, body: bytes) -> bytes:
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body) if body or self._says_zero else b"\r\n"


@lru_cache(maxsize=1024)
def head(method: str, url: str) -> Head:
    """The constant part for a method and a URL. Raises RequestError with Go's own text where Go refuses either."""
    if not _METHOD.match(method):
        raise RequestError("method", f"net/http: invalid method {gourl.quote(method.encode().decode('latin-1'))}")
    target = gourl.target(url)
    line = f"{method} {target.request_uri} HTTP/1.1\r\nHost: {target.host}\r\nUser-Agent: Go-http-client/1.1\r\n"
    return Head(line.encode("latin-1"), says_zero=method in {"POST", "PUT", "PATCH"})


def wire_bytes(method: str, url: str, body: bytes) -> bytes:
    """The request as Go writes it, without custom headers. Raises RequestError as `head` does."""
    return head(method, url).wire_bytes(body)


def fingerprint(method: str, url: str, body: bytes) -> str:
    """MD5 of `wire_bytes`, lower-case hex. Raises RequestError as `head` does."""
    return head(method, url).fingerprint(body)


def certificate_fingerprint(type: str, meta: Mapping[str, object]) -> str:
    """MD5 of type, certificate id, name, expiry and API id, joined without a separator.

    `type` is one of CERTIFICATE_TYPES. `meta` may name its members as Go or as Tyk's JSON does; what is missing
    counts as empty. The time is written as Go prints it; what is no RFC 3339 time is taken as it stands.
    """
    moment = _member(meta, *CERTIFICATE_TYPES[type])
    parts = (
        type,
        _member(meta, "CertID", "cert_id"),
        _member(meta, "CertName", "cert_name"),
        go_time(moment),
        _member(meta, "APIID", "api_id"),
    )
    return md5("".join(parts).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _member(meta: Mapping[str, object], go_name: str, json_name: str) -> str:
    value = meta.get(go_name, meta.get(json_name))
    return "" if value is None else str(value)
