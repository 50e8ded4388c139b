"""Signatures by Standard Webhooks 1.0.0, version v1 (HMAC-SHA256).

Signed is `<webhook-id>.<webhook-timestamp>.<body>`: the id of the message, the unix seconds of this attempt, and
exactly the bytes that are sent. While a secret is exchanged both are given, the current one first, and the header
carries a signature for each. No secret ever appears in a message.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from functools import lru_cache

from streamhooks.errors import RequestError

_PREFIX = "whsec_"
_HOW = 'make one with `echo "whsec_$(openssl rand -base64 32)"`'
MIN_KEY = 24
MAX_KEY = 64
"""Bytes of a key, section "Signature scheme" of the specification."""


@lru_cache(maxsize=1024)
def secret_key(secret: str) -> bytes:
    """The key in a secret. Raises RequestError, kind `secret`, that says what is wrong without showing it."""
    text = secret.strip()
    if text.startswith(("whsk_", "whpk_")):
        raise RequestError("secret", "this is an asymmetric key (whsk_, whpk_): give a whsec_ secret")
    if not text.startswith(_PREFIX):
        raise RequestError("secret", f"a secret begins with {_PREFIX} and goes on in base64: {_HOW}")
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("secret", f"what follows {_PREFIX} is no base64: {_HOW}") from None
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise RequestError("secret", f"the key is {len(key)} bytes, {MIN_KEY} to {MAX_KEY} are allowed: {_HOW}")
    return key


def sign(secrets: tuple[str, ...], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `v1,<base64>` for each secret, in their order, separated by spaces.

    `timestamp` is unix seconds. Raises RequestError, kind `secret`, for a secret that is none.
    """
    content = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
    return " ".join("v1," + b64encode(hmac.digest(secret_key(s), content, "sha256")).decode() for s in secrets)


def secret_fault(secret: str) -> str:
    """What is wrong with a secret of a configuration, without showing it; empty: nothing."""
    try:
        secret_key(secret)
    except RequestError as error:
        return error.message
    return ""
