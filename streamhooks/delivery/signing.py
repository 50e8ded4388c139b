"""Signatures: Standard Webhooks 1.0.0, and one of the body alone as GitHub's receivers check it.

Standard Webhooks signs `<webhook-id>.<webhook-timestamp>.<body>`: the id of the message, the unix seconds of this
attempt, and exactly the bytes that are sent. A whsec_ secret makes version v1 (HMAC-SHA256), a whsk_ key version v1a
(ed25519), whose receivers hold the public half only. While one is exchanged both are given, the current one first, and
the header carries a signature for each. No secret ever appears in a message.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from streamhooks.errors import RequestError
from streamhooks.handlers.handler import BodySignature
from streamhooks.secret import Secret

Signer: TypeAlias = Callable[[bytes], bytes]
"""Takes what is signed and gives the signature."""

_HMAC, _SEED, _PUBLIC = "whsec_", "whsk_", "whpk_"
_HOW = 'make one with `echo "whsec_$(openssl rand -base64 32)"`'
_HOW_SEED = 'make one with `echo "whsk_$(openssl rand -base64 32)"`'
MIN_KEY = 24
MAX_KEY = 64
"""Bytes of a symmetric key, section "Signature scheme" of the specification."""
SEED = 32
"""Bytes of an ed25519 seed, RFC 8032 section 5.1.5; Svix stores the public key of the same length behind it."""
MIN_TEXT = 16
"""Characters of a secret that signs the body alone; GitHub sets no bound, ours keeps `changeme` out."""


@lru_cache(maxsize=1024)
def _signer(secret: Secret) -> tuple[str, Signer]:
    """The version of a secret's signatures, and what makes them.

    Raises RequestError, kind `secret`, that says what is wrong without showing it.
    """
    text = secret.reveal().strip()
    if text.startswith(_PUBLIC):
        raise RequestError("secret", "this is a public key (whpk_): it is the receiver's, give its whsk_ key here")
    if text.startswith(_SEED):
        return "v1a", _ed25519(text.removeprefix(_SEED))
    if not text.startswith(_HMAC):
        raise RequestError("secret", f"a secret begins with {_HMAC} and goes on in base64: {_HOW}")
    key = _decoded(text.removeprefix(_HMAC), _HMAC, _HOW)
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise RequestError("secret", f"the key is {len(key)} bytes, {MIN_KEY} to {MAX_KEY} are allowed: {_HOW}")
    return "v1", lambda content: hmac.digest(key, content, "sha256")


def _decoded(text: str, prefix: str, how: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestError("secret", f"what follows {prefix} is no base64: {how}") from None


def _ed25519(text: str) -> Signer:
    key = _decoded(text, _SEED, _HOW_SEED)
    if len(key) not in (SEED, 2 * SEED):
        said = f"the key is {len(key)} bytes, {SEED} are needed, or {2 * SEED} with its public key: {_HOW_SEED}"
        raise RequestError("secret", said)
    try:
        # Only where such a key is configured: the package is an extra, and takes longer to import than all the rest.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415  said above
            Ed25519PrivateKey,
        )
    except ImportError:
        said = "a whsk_ key needs the package cryptography: pip install 'streamhooks[ed25519]'"
        raise RequestError("secret", said) from None
    private = Ed25519PrivateKey.from_private_bytes(key[:SEED])
    if key[SEED:] not in (b"", private.public_key().public_bytes_raw()):
        raise RequestError(
            "secret", "the last 32 bytes of the key are not the public key of the first 32: copy it anew"
        )
    return private.sign


def sign(secrets: tuple[Secret, ...], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one `<version>,<base64>` for each secret, in their order, spaces between them.

    `timestamp` is unix seconds. Raises RequestError, kind `secret`, for a secret that is none.
    """
    content = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
    signed = [(version, signer(content)) for version, signer in map(_signer, secrets)]
    return " ".join(f"{version},{b64encode(signature).decode()}" for version, signature in signed)


def sign_body(how: BodySignature, body: bytes) -> str:
    """The value of a GitHub-style header: the prefix and the HMAC-SHA256 of the body alone, in lower-case hex."""
    return how.prefix + hmac.new(how.secret.reveal().encode(), body, "sha256").hexdigest()


def secret_fault(secret: Secret) -> str:
    """What is wrong with a Standard Webhooks secret of a configuration, without showing it; empty: nothing."""
    try:
        _signer(secret)
    except RequestError as error:
        return error.message
    return ""


def text_fault(secret: Secret) -> str:
    """The same of a secret that signs the body alone."""
    if len(secret.reveal()) < MIN_TEXT:
        return f"must be at least {MIN_TEXT} characters: make one with `openssl rand -hex 32`"
    return ""
