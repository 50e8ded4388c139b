"""Deliveries as their receivers check them: signed by a running worker, verified over the bytes that came."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from tests.flow.rig import Rig
from tests.servers import Answer

SEED = bytes(range(32))
WHSK = "whsk_" + base64.b64encode(SEED).decode()
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = "It's a Secret to Everybody"


async def test_a_delivery_verifies_by_every_kind_of_receiver(rig: Rig) -> None:
    sign = {"secrets": [WHSEC, WHSK], "hmac": {"secrets": [TEXT]}}
    async with rig.working(rig.handler(sign=sign)):
        await rig.publish("k\u00e9y")
        (request,) = await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    StandardWebhook(WHSEC).verify(request.body, request.headers)
    SvixWebhook(WHSEC).verify(request.body, request.headers)
    first, second = request.headers["webhook-signature"].split(" ")
    assert (first[:3], second[:4]) == ("v1,", "v1a,")
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    public.verify(base64.b64decode(second.removeprefix("v1a,")), content)
    digest = hmac.new(TEXT.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-hub-signature-256"] == f"sha256={digest}"


async def test_a_body_that_is_no_text_and_none_at_all_are_signed_as_they_are_sent(rig: Rig) -> None:
    sign = {"hmac": {"secrets": [TEXT], "header": "X-Sig", "prefix": ""}}
    raw = rig.template("raw.txt", '{{ b64dec "/wD+" }}')
    handlers = [rig.handler("a", sign=sign, template_path=raw), rig.handler("b", sign=sign, method="DELETE")]
    async with rig.working(*handlers):
        await rig.publish("k")
        received = await rig.endpoint.wait_for(2)
        await rig.settled(delivered=2)
    for request in received:
        assert request.headers["x-sig"] == hmac.new(TEXT.encode(), request.body, hashlib.sha256).hexdigest()
    assert {request.path: request.body for request in received} == {"/a": b"\xff\x00\xfe", "/b": b""}


async def test_an_answer_that_repeats_our_secrets_is_kept_without_them(rig: Rig) -> None:
    rig.endpoint.script(Answer(400, b"unknown token hunter2-hunter2"))
    handler = rig.handler(header_map={"Authorization": "Bearer hunter2-hunter2"}, retry={"delays": []})
    async with rig.working(handler):
        await rig.publish("k")
        await rig.settled(dead=1)
    (letter,) = await rig.letters()
    assert letter.answer == b"unknown token ***"
