"""NGINX with streamhooks.lua, end to end: what it answers becomes a webhook, and no request waits for that."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import trustme
from redis.asyncio import Redis

from streamhooks.model import Event
from streamhooks.partitioning import stream_names, stream_of
from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Rig
from tests.gateways.nginx import needs_nginx, nginx
from tests.ingest.asking import stored
from tests.ports import free_port
from tests.servers import Endpoint
from tests.waiting import eventually

pytestmark = needs_nginx
QUICK = "report = 0.2, again = 0.2, "


def at(rig: Rig, more: str = "") -> str:
    return f'socket = "{rig.url.removeprefix("unix://")}", {QUICK}{more}'


async def events(rig: Rig, count: int, stream: str = STREAM) -> list[Event]:
    async def found() -> list[Event]:
        events = await stored(rig, stream)
        return events if len(events) >= count else []

    return await eventually(found)


async def test_a_request_that_is_forbidden_becomes_a_webhook(rig: Rig, tmp_path: Path) -> None:
    template = rig.template(
        "t.json", '{"{{.Type}}": "{{.Meta.Path}}", "from": "{{.Meta.Origin}}", "by": "{{.Source}}"}'
    )
    async with rig.working(rig.handler(template_path=template)), nginx(tmp_path, at(rig)) as gateway:
        assert await gateway.get("/internal/users?token=secret") == 403
        await rig.endpoint.wait_for(1)
        await rig.settled(delivered=1)
    [body] = rig.endpoint.bodies
    assert msgspec.json.decode(body) == {"AuthFailure": "/internal/users", "from": "127.0.0.1", "by": "nginx"}


@asynccontextmanager
async def upstreams() -> AsyncIterator[tuple[Endpoint, dict[str, str]]]:
    async with Endpoint() as upstream:
        address = upstream.url.removeprefix("http://")
        servers = {"server 127.0.0.1:9001": f"server {address}", "server 127.0.0.1:9002": f"server {address} backup"}
        yield upstream, servers


async def test_what_the_upstream_answers_becomes_an_event(rig: Rig, tmp_path: Path) -> None:
    async with (
        upstreams() as (upstream, places),
        nginx(tmp_path, at(rig, 'key_variable = "http_x_key"'), places) as gateway,
    ):
        statuses = [200, 401, 404, 429, 500, 503]
        for status in statuses:
            upstream.script(status)
            assert await gateway.get(f"/orders/{status}") == status
        found = await events(rig, 3)
    assert [(event.type, event.meta["Path"], event.api_id) for event in found] == [
        ("AuthFailure", "/orders/401", "orders"),
        ("RatelimitExceeded", "/orders/429", "orders"),
        ("HostDown", "/orders/503", "orders"),
    ]
    assert found[0].meta == {"Message": "Auth Failure", "Path": "/orders/401", "Origin": "127.0.0.1", "Key": ""}
    host = found[2].meta["HostInfo"]
    assert (host["ResponseCode"], host["Method"], host["IsTCPError"]) == (503, "GET", False)
    assert host["CheckURL"] == f"{upstream.url}/orders/503"
    assert host["MetaData"] == {"host_name": upstream.url.removeprefix("http://"), "api_id": "orders"}


async def test_hosts_that_are_down_and_a_group_that_has_none_left_are_told_apart(rig: Rig, tmp_path: Path) -> None:
    dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    places = {"server 127.0.0.1:9001": f"server {dead[0]}", "server 127.0.0.1:9002": f"server {dead[1]}"}
    async with nginx(tmp_path, at(rig), places | {"max_fails=2": "max_fails=1"}) as gateway:
        for _ in range(6):
            assert await gateway.get("/orders/1") == 502
        found = await events(rig, 6)
    types = [event.type for event in found]
    assert set(types) == {"HostDown", "BreakerTripped"}
    down = next(event for event in found if event.type == "HostDown")
    assert down.meta["Message"] == "Upstream answered 502"
    assert (down.meta["HostInfo"]["IsTCPError"], down.meta["HostInfo"]["MetaData"]["host_name"] in dead) == (True, True)
    tripped = next(event for event in found if event.type == "BreakerTripped")
    assert tripped.meta == {
        "Message": "Breaker Tripped", "Path": "/orders/1", "APIID": "orders", "CircuitEvent": 0, "Upstream": "orders",
    }  # fmt: skip


async def test_a_limited_request_is_a_rate_limit_whatever_its_status(rig: Rig, tmp_path: Path) -> None:
    places = {"limit_req_status 429;": "", "rate=10r/s": "rate=1r/m", " burst=20 nodelay": ""}
    async with upstreams() as (_, servers), nginx(tmp_path, at(rig), servers | places) as gateway:
        assert [await gateway.get("/orders/1") for _ in range(2)] == [200, 503]
        [event] = await events(rig, 1)
    assert event.type == "RatelimitExceeded"


HOSTILE = [
    (b"/internal/\xff\xfe%zz", None),
    (b"/internal/\xff\xfe", "/internal/%FF%FE"),
    (b'/internal/"\\', '/internal/"\\'),
    (b"/internal/%22%5C%0A%00", None),
    (b"/internal/%22%5C%0A", "/internal/%22%5C%0A"),
    (b"/internal/caf\xc3\xa9\x7f{}", None),
    (b"/internal/caf\xc3\xa9{}", "/internal/caf%C3%A9{}"),
    (b"/internal/" + b"a" * 5000, "/internal/" + "a" * 4086 + "..."),
]


async def test_whatever_the_path_the_event_is_one(rig: Rig, tmp_path: Path) -> None:
    async with nginx(tmp_path, at(rig)) as gateway:
        expected = []
        for path, told in HOSTILE:
            line = await gateway.raw(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert line.split()[1] == (b"403" if told else b"400")
            expected += [told] if told else []
        found = await events(rig, len(expected))
    # Two NGINX workers have a queue each.
    assert sorted(event.meta["Path"] for event in found) == sorted(expected)


async def test_events_go_into_the_partition_that_every_publisher_chooses(rig: Rig, tmp_path: Path) -> None:
    names = stream_names(STREAM, 3)
    async with upstreams() as (upstream, places), nginx(tmp_path, at(rig, "partitions = 3"), places) as gateway:
        for status in (401, 429, 503):
            upstream.script(status)
            await gateway.get("/orders/1")
        for type in ("AuthFailure", "RatelimitExceeded", "HostDown"):
            name = stream_of(type, "orders", names)
            assert type in [event.type for event in await events(rig, 1, name)]


# Redis that is not there.


async def test_while_redis_hangs_requests_are_answered_and_their_events_come_later(rig: Rig, tmp_path: Path) -> None:
    """The server takes connections and says nothing until it is replaced by the real one."""
    path = tmp_path / "redis.sock"
    asked = asyncio.Event()
    writers = []

    def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        asked.set()

    options = f'socket = "{path}", timeout = 300, {QUICK}'
    server = await asyncio.start_unix_server(hang, path)
    async with nginx(tmp_path, options) as gateway:
        for number in range(20):
            assert await gateway.get(f"/internal/{number}") == 403
        await asked.wait()
        assert [await gateway.get("/internal/last") for _ in range(5)] == [403] * 5
        server.close()
        path.unlink()
        path.symlink_to(rig.url.removeprefix("unix://"))
        for writer in writers:
            writer.close()
        found = await events(rig, 25)
        await gateway.says("streamhooks: Redis: ")
    assert sorted(event.meta["Path"] for event in found) == sorted(
        [*(f"/internal/{number}" for number in range(20)), *["/internal/last"] * 5]
    )


async def test_a_redis_that_refuses_is_tried_again(rig: Rig, tmp_path: Path) -> None:
    await ask(rig.redis, "SET", STREAM, "no stream", "EX", 60)
    async with nginx(tmp_path, at(rig)) as gateway:
        await gateway.get("/internal/1")
        await gateway.says("WRONGTYPE")
        await ask(rig.redis, "DEL", STREAM)
        [event] = await events(rig, 1)
    assert event.meta["Path"] == "/internal/1"


async def test_what_waits_is_sent_when_nginx_stops(rig: Rig, tmp_path: Path) -> None:
    async with nginx(tmp_path, at(rig, "wait = 60")) as gateway:
        for number in range(5):
            await gateway.get(f"/internal/{number}")
        assert await stored(rig) == []
    assert len(await stored(rig)) == 5


# Too much.


async def test_a_flood_is_capped_and_what_was_dropped_is_counted(rig: Rig, tmp_path: Path) -> None:
    async with nginx(tmp_path, at(rig, "cap = 5")) as gateway:
        flood = await asyncio.gather(*(gateway.get(f"/internal/{number}") for number in range(200)))
        assert flood == [403] * 200

        async def accounted() -> bool:
            counts = re.findall(r"(\d+) of AuthFailure over the cap of 5 a second", gateway.log)
            return sum(map(int, counts)) + len(await stored(rig)) == 200

        await eventually(accounted)
    assert 5 <= len(await stored(rig)) <= 100


async def test_a_queue_that_is_full_takes_nothing_more_and_says_so(rig: Rig, tmp_path: Path) -> None:
    options = f'socket = "{tmp_path / "nowhere.sock"}", queue = 10, {QUICK}'
    async with nginx(tmp_path, options) as gateway:
        for number in range(40):
            assert await gateway.get(f"/internal/{number}") == 403
        await gateway.says("that found the queue full")
        await eventually(lambda: re.search(r"streamhooks: Redis: .*; \d+ events wait", gateway.log))


# Ways to Redis.


async def test_a_user_who_may_only_add_is_enough(rig: Rig, redis: Redis, tmp_path: Path) -> None:
    await ask(redis, "ACL", "SETUSER", "gateway", "on", ">pass word", "resetkeys", f"~{STREAM}", "-@all", "+xadd")
    try:
        async with nginx(tmp_path, at(rig, 'username = "gateway", password = "pass word"')) as gateway:
            await gateway.get("/internal/1")
            assert len(await events(rig, 1)) == 1
    finally:
        await ask(redis, "ACL", "DELUSER", "gateway")


async def test_redis_may_be_reached_by_tls(rig: Rig, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("redis.internal").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    relays: list[asyncio.Task[Any]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(rig.url.removeprefix("unix://"))
        sending = asyncio.create_task(pump(reader, ours))
        try:
            await pump(theirs, writer)
        finally:
            sending.cancel()
            for each in (ours, writer):
                each.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.append(asyncio.create_task(relay(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusted = f"lua_ssl_trusted_certificate {tmp_path / 'ca.pem'};"
    places = {"# For tls = true: lua_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;": trusted}
    for name, good in (("other.internal", False), ("redis.internal", True)):
        options = f'host = "127.0.0.1", port = {port}, tls = true, tls_name = "{name}", {QUICK}'
        async with nginx(tmp_path, options, places) as gateway:
            await gateway.get(f"/internal/{name}")
            if good:
                await events(rig, 1)
            else:
                await gateway.says("certificate host mismatch")
    assert [event.meta["Path"] for event in await stored(rig)] == ["/internal/redis.internal"]
    server.close()
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)


async def test_an_option_that_is_none_is_said_at_the_start(rig: Rig, tmp_path: Path) -> None:
    async with nginx(tmp_path, 'hots = "x"') as gateway:
        await gateway.says("streamhooks: hots is no option")
    async with nginx(tmp_path, "", {"lua_shared_dict streamhooks 1m;": ""}) as gateway:
        await gateway.says("streamhooks: there is no lua_shared_dict streamhooks")
