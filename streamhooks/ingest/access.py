"""Who may publish: whoever has one of the tokens; on a loopback address without tokens everybody but a browser.

A browser is never a gateway. A page of anybody's may send forms to every loopback port of the machine that it is looked
at on, but it cannot leave out the Origin, so what has one is refused.
"""

import hmac
from collections.abc import Iterable, Mapping

from streamhooks.ingest.refusals import IngestError
from streamhooks.secret import Secret

DELAY = 0.3
"""Seconds that a wrong token costs; the bound on guessing is the token's length."""


class Tokens:
    """All that are good now."""

    def __init__(self, tokens: Iterable[Secret]) -> None:
        self._tokens = [token for token in tokens if token]

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def admit(self, headers: Mapping[str, str]) -> None:
        """Raises IngestError: 403 for a browser, 401 without a good token (kind `wrong_token` where one was given)."""
        if "Origin" in headers or "Sec-Fetch-Site" in headers:
            raise IngestError(403, "browser", "a browser's page may not publish")
        if not self._tokens:
            return
        scheme, _, rest = headers.get("Authorization", "").partition(" ")
        given = rest.strip()
        if scheme.lower() != "bearer" or not given:
            raise _unauthorized("no_token", "give a token of ingest.token as Authorization: Bearer TOKEN")
        # All are compared, so that time tells not even which one it was.
        equal = [hmac.compare_digest(_bytes(given), _bytes(token.reveal())) for token in self._tokens]
        if not any(equal):
            raise _unauthorized("wrong_token", "the token is not one of ingest.token", ', error="invalid_token"')


def _unauthorized(kind: str, message: str, more: str = "") -> IngestError:
    return IngestError(401, kind, message, headers={"WWW-Authenticate": f'Bearer realm="streamhooks"{more}'})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
