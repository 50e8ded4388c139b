"""`cool.share_with_tyk`: one cool-down for the gateways that still send and for us."""

from hashlib import md5
from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.errors import ConfigError
from streamhooks.files import load_mapping
from streamhooks.store.claims import Claims, Covered, Done, Park, Send, Verdict
from streamhooks.store.keys import Keys
from tests.flow.rig import Rig
from tests.store.given import HOOK, LEASE, PRINT, claim, mark
from tests.waiting import eventually

KEYS = Keys.of("gateway:events")
SHARED = {"share_with_tyk": True}
MINE = "100-1|slack"


def tyk_key(rig: Rig, body: str) -> str:
    host = rig.endpoint.url.removeprefix("http://")
    head = f"POST /h HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\n"
    raw = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    return f"webhook.cache.{md5(raw.encode(), usedforsecurity=False).hexdigest()}"


async def test_what_tyk_has_sent_is_not_sent_again_and_what_we_send_is_marked_for_tyk(rig: Rig) -> None:
    handler = rig.handler(event_timeout=60, template_path=rig.template("body.json", '{"key": "{{.Meta.Key}}"}'))
    await rig.redis.set(tyk_key(rig, '{"key": "sent"}'), "1", ex=60)
    async with rig.working(handler, cool=SHARED):
        await rig.publish("sent")
        await rig.publish("new")
        await rig.settled(delivered=1, suppressed=1)
    assert rig.arrived == ["new"]
    marked = tyk_key(rig, '{"key": "new"}')
    assert await rig.redis.get(marked) == b"1"
    assert 50_000 < await rig.redis.pttl(marked) <= 60_000


async def test_a_failed_delivery_is_not_marked_for_tyk(rig: Rig) -> None:
    rig.endpoint.script(503)
    async with rig.working(rig.handler(event_timeout=60, retry={"delays": []}), cool=SHARED):
        await rig.publish("abc")
        await rig.settled(dead=1)
    assert not [name async for name in rig.redis.scan_iter(match="webhook.cache.*")]


async def test_a_retry_is_sent_whatever_tyk_marks_meanwhile(rig: Rig) -> None:
    rig.endpoint.script(503, 200)
    body = '{"key": "abc"}'
    handler = rig.handler(event_timeout=60, retry={"delays": [30]}, template_path=rig.template("body.json", body))
    async with rig.working(handler, cool=SHARED):
        await rig.publish("abc")
        await eventually(rig.stored)
        await rig.redis.set(tyk_key(rig, body), "1", ex=60)
        await rig.due_now()
        await rig.endpoint.wait_for(2)
        await rig.settled(delivered=1)


async def test_without_sharing_tyks_marks_mean_nothing_and_none_is_set(rig: Rig) -> None:
    body = '{"key": "abc"}'
    await rig.redis.set(tyk_key(rig, body), "1", ex=60)
    async with rig.working(rig.handler(event_timeout=60, template_path=rig.template("body.json", body))):
        await rig.publish("abc")
        await rig.settled(delivered=1)
    assert len([name async for name in rig.redis.scan_iter(match="webhook.cache.*")]) == 1


@pytest.mark.parametrize(
    ("found", "life", "verdict"),
    [
        ("", 60_000, Covered("tyk")),
        ("", 0, Send()),
        (f"c|{MINE}", 60_000, Send()),
        (f"r|{MINE}", 60_000, Send()),
        (f"d|{MINE}", 60_000, Done()),
        ("c|99-1|slack", 60_000, Park()),
        ("r|99-1|slack", 60_000, Covered("99-1|slack")),
    ],
)
async def test_tyks_mark_counts_where_we_would_claim_afresh(
    redis: Redis, found: str, life: int, verdict: Verdict
) -> None:
    """A mark without a TTL is Tyk's cool-down of 0, which is none of ours."""
    if found:
        await mark(redis, KEYS, found[0], found[2:])
    name = f"webhook.cache.{PRINT}"
    await redis.set(name, "1", px=life or None)
    assert await Claims(redis, KEYS, LEASE, share_with_tyk=True).claim([claim(MINE)]) == [verdict]
    await redis.delete(name)


async def test_each_of_many_claims_is_asked_for_its_own_mark(redis: Redis) -> None:
    await redis.set(f"webhook.cache.{'b' * 32}", "1", px=60_000)
    claims = [claim(MINE, fingerprint=letter * 32) for letter in "abc"]
    assert await Claims(redis, KEYS, LEASE, share_with_tyk=True).claim(claims) == [Send(), Covered("tyk"), Send()]
    assert await redis.get(KEYS.cool(HOOK, "b" * 32)) is None


def test_sharing_on_a_cluster_is_a_fault(tmp_path: Path) -> None:
    data = {"redis": {"url": "redis+cluster://h1:6379"}, "cool": SHARED}
    with pytest.raises(ConfigError) as caught:
        load_mapping(data, tmp_path, name="a.yaml")
    said = "cannot be shared on a cluster, where Tyk's marks lie in other slots than ours; take it out"
    assert str(caught.value) == f"a.yaml: cool.share_with_tyk: {said}"
