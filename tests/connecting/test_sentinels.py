"""Who the primary is: a real trio of sentinels says it, to clients and to publishers.

One trio for the whole module; each test leaves it able to fail over again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from streamhooks import Publisher, sync
from streamhooks.connecting.sentinels import ASK_EVERY
from streamhooks.errors import StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as Settings
from streamhooks.store.connection import ask, connect
from tests.doors.command import command
from tests.faults.engines import engines
from tests.faults.server import Server
from tests.faults.trio import SERVICE, Trio
from tests.figures import Figures
from tests.flow.rig import Records, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trio]:
    async with Trio(engines()["valkey"], tmp_path_factory.mktemp("trio")) as trio:
        yield trio


@asynccontextmanager
async def connected(url: str, *, wait: float = 0.0, beside: Redis | None = None) -> AsyncIterator[Redis]:
    client = connect(Settings(url=Secret(url)), wait=wait, beside=beside)
    try:
        yield client
    finally:
        await client.aclose()


async def port_of(client: Redis) -> int:
    return int((await ask(client, "INFO", "server"))["tcp_port"])


async def failure(url: str) -> StoreError:
    async with connected(url) as client:
        with pytest.raises(StoreError) as raised:
            await ask(client, "PING")
        return raised.value


async def test_a_client_is_led_to_the_primary_and_its_database(trio: Trio) -> None:
    async with connected(trio.url.removesuffix("0") + "3") as client:
        await ask(client, "SET", "key", "v", "EX", 60)
        assert await port_of(client) == (await trio.primary()).port
    async with (await trio.primary()).client() as admin:
        assert (await admin.info("keyspace"))["db3"]["keys"] == 1


async def test_a_failover_by_order_is_followed_by_clients_readers_and_publishers(trio: Trio) -> None:
    """The old primary lives on, and for eight seconds takes writes that are lost: so the sentinels are asked again."""
    await trio.hurry(publish_every=2000)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connected(trio.url))
        reader = await stack.enter_async_context(connected(trio.url, wait=1.0, beside=client))
        publisher = await stack.enter_async_context(Publisher(trio.url))
        blocking = stack.enter_context(sync.Publisher(trio.url))
        await ask(client, "XGROUP CREATE", "s", "g", "0", "MKSTREAM")
        read = ("XREADGROUP", "GROUP", "g", "me", "BLOCK", 100, "STREAMS", "s", ">")
        await asyncio.gather(*(ask(client, "PING") for _ in range(8)), ask(reader, *read))
        await publisher.publish("X")
        await asyncio.to_thread(blocking.publish, "X")
        new = await trio.fail_over()
        begun = asyncio.get_running_loop().time()
        admin = await stack.enter_async_context(new.client())

        async def led() -> bool:
            ids = {await publisher.publish("X"), await asyncio.to_thread(blocking.publish, "X")}
            found = await ask(admin, "XREVRANGE", "gateway:events", "+", "-", "COUNT", 2)
            await ask(reader, *read)
            ports = [await port_of(one) for one in (client, reader)]
            return ports == [new.port, new.port] and ids == {id.decode() for id, _ in found}

        await eventually(led, 10, "all are led to the new primary")
        assert asyncio.get_running_loop().time() - begun < ASK_EVERY + 1
        assert set(await asyncio.gather(*(port_of(client) for _ in range(8)))) == {new.port}
        await admin.flushall()
    await trio.hurry()
    await trio.ready()


async def test_a_demoted_primary_that_kept_its_connections_is_not_asked_for_ever(trio: Trio) -> None:
    """As behind a name that leads elsewhere by now: one refusal is enough for all connections."""
    primary = await trio.primary()
    async with Server(engines()["valkey"], trio.folder / "demoted") as demoted, connected(demoted.url) as client:
        await asyncio.gather(*(ask(client, "PING") for _ in range(8)))
        before = {await ask(client, "CLIENT ID") for _ in range(8)}
        await demoted.ask("REPLICAOF", "127.0.0.1", primary.port)
        with pytest.raises(StoreError) as raised:
            await ask(client, "SET", "k", "v")
        assert raised.value.kind == "refusing"
        after = set(await asyncio.gather(*(ask(client, "CLIENT ID") for _ in range(8))))
        assert not before & after
    await trio.ready()


async def test_a_sentinel_that_names_a_replica_is_not_believed(trio: Trio) -> None:
    """The first knows a primary of yesterday, as one does that was cut off; the next one knows better."""
    replica = await trio.replica()
    async with Astray(replica.port) as astray:
        both = f"redis+sentinel://127.0.0.1:{astray.port},127.0.0.1:{trio.sentinels[0].port}/{SERVICE}"
        async with connected(both) as client:
            assert await port_of(client) == (await trio.primary()).port
        error = await failure(f"redis+sentinel://127.0.0.1:{astray.port}/{SERVICE}")
    assert error.kind == "away"
    assert error.message == (
        f"no sentinel leads to a primary called {SERVICE}: 127.0.0.1:{astray.port} names 127.0.0.1:{replica.port}, "
        "which says that it is a replica"
    )


class Astray:
    """A server that answers as a sentinel of yesterday does."""

    def __init__(self, port: int) -> None:
        self._answer = f"*2\r\n$9\r\n127.0.0.1\r\n${len(str(port))}\r\n{port}\r\n".encode()
        self.port = 0

    async def __aenter__(self) -> "Astray":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(self._answer)
        await reader.read(1000)
        writer.close()


async def test_what_each_sentinel_said_is_told_where_none_knows_a_primary(trio: Trio) -> None:
    knows = trio.sentinels[0].port
    error = await failure(f"redis+sentinel://127.0.0.1:1,127.0.0.1:{knows}/nobody")
    assert error.kind == "away"
    assert error.message.startswith(
        "no sentinel leads to a primary called nobody: 127.0.0.1:1 gives no answer (127.0.0.1:1: connection refused"
    )
    assert error.message.endswith(f"; 127.0.0.1:{knows} does not know the name")
    ran = await command("status", "--redis-url", f"redis+sentinel://127.0.0.1:{knows}/nobody")
    assert ran.code == 3
    assert ran.err == (
        f"Redis at redis+sentinel://127.0.0.1:{knows}/nobody cannot be reached (no sentinel leads to a primary called "
        f"nobody: 127.0.0.1:{knows} does not know the name): start it, or name another server by --redis-url or "
        "redis.url\n"
    )


async def test_both_publishers_and_the_commands_are_led_to_the_primary(trio: Trio) -> None:
    async with Publisher(trio.url) as publisher:
        one = await publisher.publish("X")
    with sync.Publisher(trio.url) as blocking:
        two = blocking.publish("X")
    ran = await command("publish", "X", "--redis-url", trio.url)
    async with (await trio.primary()).client() as admin:
        found = await ask(admin, "XRANGE", "gateway:events", "-", "+")
        assert [id.decode() for id, _ in found] == [one, two, ran.out.strip()]
        await admin.delete("gateway:events")
    status = await command("status", "--redis-url", trio.url)
    assert status.out.startswith("stream          gateway:events\n")


async def test_sentinels_that_want_a_password_are_told_one(trio: Trio) -> None:
    sentinel = trio.sentinels[2]
    address = f"127.0.0.1:{sentinel.port}"
    await sentinel.ask("ACL", "SETUSER", "watcher", "on", ">inner", "+@all", "&*")
    await sentinel.ask("ACL", "SETUSER", "default", "resetpass", ">inner")
    try:
        for url in (
            f"redis+sentinel://{address}/{SERVICE}?sentinel_password=inner",
            f"redis+sentinel://{address}/{SERVICE}?sentinel_username=watcher&sentinel_password=inner",
        ):
            async with connected(url) as client:
                assert await ask(client, "PING") is True
        error = await failure(f"redis+sentinel://{address}/{SERVICE}")
        assert error.kind == "denied"
        assert error.message == (
            f"wrong user or password (no sentinel leads to a primary called {SERVICE}: {address} wants another "
            "password (Authentication required.): name it by ?sentinel_password=)"
        )
        # One user for all of them is common: what the servers want is tried, too.
        for server in trio.servers:
            await server.ask("ACL", "SETUSER", "watcher", "on", ">inner", "~*", "+@all")
        async with connected(f"redis+sentinel://watcher:inner@{address}/{SERVICE}") as client:
            assert await ask(client, "PING") is True
    finally:
        for server in trio.servers:
            await server.ask("ACL", "DELUSER", "watcher")
        await sentinel.ask("ACL", "SETUSER", "default", "nopass", password="inner")


async def test_a_wrong_password_of_the_server_is_denied_and_no_outage(trio: Trio) -> None:
    url = trio.url.replace("://", "://nobody:hunter2@")
    ran = await command("status", "--redis-url", url)
    assert ran.code == 1
    assert ran.err == (
        f"Redis at {trio.url} does not let us in: wrong user or password (invalid username-password pair or user is "
        "disabled.); see redis.url and redis.password\n"
    )


async def test_a_primary_that_dies_during_delivery_costs_ten_seconds_at_most_and_no_event(
    trio: Trio, tmp_path: Path, figures: Figures, record_property: Callable[[str, object], None]
) -> None:
    """Every event whose XADD a replica had, too, arrives: those under way, those not yet read, those added since."""
    old = await trio.primary()
    async with AsyncExitStack() as clients, AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(Endpoint())
        endpoint.script(Answer(delay=0.02))
        rig = Rig(await clients.enter_async_context(old.client()), trio.url, tmp_path, endpoint, Records())
        publisher = await stack.enter_async_context(Publisher(trio.url))
        worker = await stack.enter_async_context(rig.working(rig.handler(concurrency=8)))
        events = [{"type": "AuthFailure", "meta": {"Key": f"k{number}"}} for number in range(300)]
        await publisher.publish_many(events, replicas=1)
        await endpoint.wait_for(50)
        await old.kill()
        killed = asyncio.get_running_loop().time()
        await publisher.publish("AuthFailure", {"Key": "after"})
        rig.redis = await clients.enter_async_context((await trio.new_primary(old)).client())
        await eventually(lambda: "after" in rig.arrived, 15, "an event added since arrives")
        recovered = asyncio.get_running_loop().time() - killed
        figures(f"{recovered:.1f} s from the SIGKILL of the primary to the next delivery")
        record_property("recovery", recovered)
        assert recovered < 10
        await rig.settled(delivered=301)
        wanted = {"after", *(f"k{number}" for number in range(300))}
        record_property("lost", len(wanted - set(rig.arrived)))
        record_property("duplicates", len(rig.arrived) - len(set(rig.arrived)))
        assert set(rig.arrived) == wanted
        assert not worker.health.away
    await old.start()
    await trio.ready()
