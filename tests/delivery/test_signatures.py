"""Standard Webhooks v1 signatures and their secrets."""

import base64

import pytest

from streamhooks.delivery.signing import secret_fault, secret_key, sign
from streamhooks.errors import RequestError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The vector of the specification's own libraries."""
HOW = 'make one with `echo "whsec_$(openssl rand -base64 32)"`'


def test_the_vector_of_the_specification_is_met() -> None:
    assert sign((SECRET,), ID, 1614265330, BODY) == SIGNATURE


def test_two_secrets_give_two_signatures_the_current_one_first() -> None:
    other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    signed = sign((other, SECRET), ID, 1614265330, BODY)
    assert signed == f"{sign((other,), ID, 1614265330, BODY)} {SIGNATURE}"


def test_a_body_that_is_no_text_is_signed_as_it_is() -> None:
    assert sign((SECRET,), ID, 1, b"\xff\x00") != sign((SECRET,), ID, 1, b"\xff\x01")


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("hello", f"a secret begins with whsec_ and goes on in base64: {HOW}"),
        ("", f"a secret begins with whsec_ and goes on in base64: {HOW}"),
        ("whsec_!!!", f"what follows whsec_ is no base64: {HOW}"),
        ("whsec_AAAA", f"the key is 3 bytes, 24 to 64 are allowed: {HOW}"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), f"the key is 23 bytes, 24 to 64 are allowed: {HOW}"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), f"the key is 65 bytes, 24 to 64 are allowed: {HOW}"),
        ("whsk_AAAA", "this is an asymmetric key (whsk_, whpk_): give a whsec_ secret"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str, fault: str) -> None:
    with pytest.raises(RequestError) as caught:
        secret_key(secret)
    assert (caught.value.kind, caught.value.message) == ("secret", fault)
    assert secret_fault(secret) == fault


def test_a_secret_of_24_bytes_with_a_line_break_behind_it_is_good() -> None:
    assert len(secret_key(SECRET + "\n")) == 24
    assert secret_fault(SECRET) == ""
