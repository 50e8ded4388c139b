"""Signatures, their secrets, and what the field's own libraries say of them."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from streamhooks.delivery.signing import secret_fault, sign, sign_body, text_fault
from streamhooks.errors import RequestError
from streamhooks.handlers.handler import BodySignature
from streamhooks.secret import Secret

SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The vector of the specification's own libraries."""

SEED = bytes(range(32))
PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
KEY_SIGNATURE = "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ=="
"""ed25519 is deterministic: RFC 8032, section 5.1.6."""
HOW = 'make one with `echo "whsec_$(openssl rand -base64 32)"`'
HOW_SEED = 'make one with `echo "whsk_$(openssl rand -base64 32)"`'


def whsec(key: bytes) -> Secret:
    return Secret("whsec_" + base64.b64encode(key).decode())


def whsk(key: bytes) -> Secret:
    return Secret("whsk_" + base64.b64encode(key).decode())


def test_the_vector_of_the_specification_is_met() -> None:
    assert sign((SECRET,), ID, AT, BODY) == SIGNATURE


@pytest.mark.parametrize("key", [SEED, SEED + PUBLIC], ids=["the seed", "the seed and its public key, as Svix has it"])
def test_the_vector_of_the_asymmetric_version_is_met(key: bytes) -> None:
    assert sign((whsk(key),), ID, AT, BODY) == KEY_SIGNATURE


def test_a_receiver_that_holds_the_public_key_alone_accepts_it() -> None:
    signature = base64.b64decode(sign((whsk(SEED),), ID, AT, BODY).removeprefix("v1a,"))
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature, f"{ID}.{AT}.".encode() + BODY)


def test_each_secret_gives_a_signature_of_its_kind_in_their_order() -> None:
    other = whsec(bytes(range(32)))
    signed = sign((other, whsk(SEED), SECRET), ID, AT, BODY)
    assert signed == f"{sign((other,), ID, AT, BODY)} {KEY_SIGNATURE} {SIGNATURE}"


@pytest.mark.parametrize("verifier", [StandardWebhook, SvixWebhook])
@pytest.mark.parametrize("held", [SECRET, whsec(bytes(range(40)))])
def test_the_libraries_of_receivers_accept_it_whichever_of_the_secrets_they_hold(
    verifier: Callable[[str], StandardWebhook | SvixWebhook], held: Secret
) -> None:
    now = int(time.time())
    signed = sign((whsec(bytes(range(40))), whsk(SEED), SECRET), ID, now, BODY)
    headers = {"webhook-id": ID, "webhook-timestamp": str(now), "webhook-signature": signed}
    verifier(held.reveal()).verify(BODY, headers)
    with pytest.raises(Exception, match="No matching signature"):
        verifier(held.reveal()).verify(BODY + b" ", headers)


def test_a_body_that_is_no_text_is_signed_as_it_is() -> None:
    assert sign((SECRET,), ID, 1, b"\xff\x00") != sign((SECRET,), ID, 1, b"\xff\x01")


def test_a_body_alone_is_signed_as_github_does_it() -> None:
    # The example of GitHub's page "Validating webhook deliveries".
    how = BodySignature("X-Hub-Signature-256", Secret("It's a Secret to Everybody"), "sha256=")
    signed = sign_body(how, b"Hello, World!")
    assert signed == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_body_may_be_empty_and_the_prefix_too() -> None:
    how = BodySignature("X-Signature", Secret("0123456789abcdef"), "")
    assert sign_body(how, b"") == hmac.new(b"0123456789abcdef", b"", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        (Secret("hello"), f"a secret begins with whsec_ and goes on in base64: {HOW}"),
        (Secret(""), f"a secret begins with whsec_ and goes on in base64: {HOW}"),
        (Secret("whsec_!!!"), f"what follows whsec_ is no base64: {HOW}"),
        (Secret("whsec_AAAA"), f"the key is 3 bytes, 24 to 64 are allowed: {HOW}"),
        (whsec(bytes(23)), f"the key is 23 bytes, 24 to 64 are allowed: {HOW}"),
        (whsec(bytes(65)), f"the key is 65 bytes, 24 to 64 are allowed: {HOW}"),
        (Secret("whsk_ä"), f"what follows whsk_ is no base64: {HOW_SEED}"),
        (whsk(bytes(31)), f"the key is 31 bytes, 32 are needed, or 64 with its public key: {HOW_SEED}"),
        (whsk(bytes(96)), f"the key is 96 bytes, 32 are needed, or 64 with its public key: {HOW_SEED}"),
        (whsk(SEED + SEED), "the last 32 bytes of the key are not the public key of the first 32: copy it anew"),
        (Secret("whpk_AAAA"), "this is a public key (whpk_): it is the receiver's, give its whsk_ key here"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: Secret, fault: str) -> None:
    with pytest.raises(RequestError) as caught:
        sign((secret,), ID, AT, BODY)
    assert (caught.value.kind, caught.value.message) == ("secret", fault)
    assert secret_fault(secret) == fault


def test_a_secret_with_a_line_break_behind_it_is_good() -> None:
    assert sign((Secret(SECRET.reveal() + "\n"),), ID, AT, BODY) == SIGNATURE
    assert secret_fault(SECRET) == ""


def test_a_secret_for_the_body_alone_has_sixteen_characters_at_least() -> None:
    assert (
        text_fault(Secret("0123456789abcde")) == "must be at least 16 characters: make one with `openssl rand -hex 32`"
    )
    assert text_fault(Secret("0123456789abcdef")) == ""


# The extra. In a process of its own, because what is imported stays imported.


def checked(folder: Path, secret: Secret, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """`check` on a handler that signs with `secret`; then tells whether cryptography was imported: more than the
    name of the package, by which redis-py looks whether it is there."""
    (folder / "t.txt").write_text("hello")
    handler: dict[str, object] = {"id": "a", "on": ["X"], "template_path": "t.txt"}
    handler |= {"target_path": "https://192.0.2.1/", "allow_cidrs": ["192.0.2.1/32"]}
    handler |= {"sign": {"secrets": [secret.reveal()]}}
    (folder / "streamhooks.json").write_text(json.dumps({"handlers": [handler]}))
    code = (
        f"import sys; {before}; from streamhooks.cli import main;"
        f"code = main(['check', '--config', {str(folder / 'streamhooks.json')!r}]);"
        "print('imported', 'cryptography.hazmat.primitives' in sys.modules); sys.exit(code)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)


def test_without_the_extra_an_asymmetric_key_is_a_fault_that_names_it(tmp_path: Path) -> None:
    ran = checked(tmp_path, whsk(SEED), "sys.modules['cryptography'] = None")
    said = "a whsk_ key needs the package cryptography: pip install 'streamhooks[ed25519]'"
    assert ran.returncode == 2
    assert ran.stderr == f"{tmp_path}/streamhooks.json: handlers[0].sign.secrets[0]: {said}\n1 fault\n"


@pytest.mark.parametrize(("secret", "imported"), [(SECRET, "False"), (whsk(SEED), "True")], ids=["whsec_", "whsk_"])
def test_the_extra_is_imported_only_where_such_a_key_is_configured(
    secret: Secret, imported: str, tmp_path: Path
) -> None:
    ran = checked(tmp_path, secret)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == f"imported {imported}"
