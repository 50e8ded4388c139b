"""The users of docs/redis.md on a real server: everything works with them, and they may do nothing else.

The server itself is the witness: what it refuses stands in ACL LOG. Redis 7.0 is one of those that are asked, for it
knows fewer words than the later ones.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from streamhooks.embedded import EmbeddedServer
from streamhooks.errors import StoreError
from streamhooks.store.connection import ask
from tests.doors.command import command
from tests.faults.engines import engines
from tests.flow.rig import STREAM, Records, Rig
from tests.servers import Answer, Endpoint
from tests.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "redis.md"
LINES = [line.split() for line in PAGE.read_text().splitlines() if line.startswith("ACL SETUSER")]
USERS = [words for words in LINES if "on" in words]
LATER = [words for words in LINES if "on" not in words]
"""What is left out for Redis 7.0."""
BY_THE_CLIENT = {"HELLO", "SELECT", "CLIENT|SETINFO"}
"""What redis-py sends by itself when it connects."""
SEVERAL = {"XGROUP", "XINFO", "CLIENT", "SCRIPT"}
"""Commands that are allowed one by one."""
PASSWORDS = {words[2]: words[4].removeprefix(">") for words in USERS}


@pytest.fixture(params=["valkey", "redis7"])
async def guarded(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedServer]:
    """A server that has the users of the page."""
    engine = engines().get(request.param)
    if engine is None:
        pytest.skip("redis-server is not installed")
    async with EmbeddedServer(tmp_path / "server", persist=False, binary=engine.binary) as server:
        async with Redis.from_url(server.url) as admin:
            for words in USERS:
                await ask(admin, *words)
            for words in LATER:
                if engine.version >= (7, 2):
                    await ask(admin, *words)
                else:
                    with pytest.raises(StoreError, match="Unknown command"):
                        await ask(admin, *words)
        yield server


def _url(server: EmbeddedServer, user: str) -> str:
    socket = server.url.removeprefix("unix://").partition("?")[0]
    return f"unix://{user}@{socket}?db=0&password={PASSWORDS[user]}"


async def _refused(admin: Redis) -> list[str]:
    """What the server has refused since it was last asked."""
    found: list[dict[str, Any]] = await admin.acl_log()
    await admin.acl_log_reset()
    return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in found]


async def test_a_worker_and_its_operator_do_all_that_they_do_and_are_refused_nothing(
    guarded: EmbeddedServer, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with Redis.from_url(guarded.url, protocol=2) as admin:
        rig = Rig(admin, _url(guarded, "streamhooks"), tmp_path, endpoint, Records())
        handlers = (
            rig.handler("one", event_timeout=60, rate_limit="500/s"),
            rig.handler("two", on=["AuthFailure"]),
        )
        sections = {"worker": {"lease": 1, "journal": "all"}}
        file = rig.written(*handlers, **sections)
        endpoint.script(503, Answer(422, b"no"), 200)
        async with rig.working(*handlers, **sections):
            first = await rig.publish("a")
            await rig.settled(delivered=1, dead=1)
            await rig.publish("a")
            await rig.publish_many(20)
            await eventually(rig.totals, 10, "there is an account")
            for words in (
                ("status",), ("pending",), ("explain", first), ("handlers", "list"), ("handlers", "pause", "two"),
                ("handlers", "resume", "two"), ("dead", "list"), ("dead", "replay", "--handler", "one"),
                ("check", "--redis"), ("publish", "KeyExpired", "key=b"), ("replay", "--since", "1h", "--force"),
            ):  # fmt: skip
                done = await command(*words, "--config", file)
                assert done.code == 0, (words, done.out, done.err)
        assert await _refused(admin) == []


@pytest.mark.parametrize(
    "words",
    [
        ("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("SCAN", "0"), ("SHUTDOWN",), ("ACL", "LIST"),
        ("GET", "other"), ("XADD", "other", "*", "a", "b"), ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other"),
        ("REPLICAOF", "NO", "ONE"), ("CLIENT", "KILL", "TYPE", "normal"),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_a_worker_cannot(guarded: EmbeddedServer, words: tuple[str, ...]) -> None:
    async with Redis.from_url(_url(guarded, "streamhooks")) as client:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


async def test_a_gateway_can_add_and_not_read(guarded: EmbeddedServer) -> None:
    async with Redis.from_url(_url(guarded, "gateway")) as client:
        assert await client.xadd(STREAM, {"type": "AuthFailure"})
        for words in (("XRANGE", STREAM, "-", "+"), ("XTRIM", STREAM, "MAXLEN", "0"), ("DEL", STREAM)):
            with pytest.raises(NoPermissionError):
                await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


async def test_a_scaler_sees_how_much_waits_and_no_event(guarded: EmbeddedServer) -> None:
    async with Redis.from_url(guarded.url) as admin:
        await admin.xadd(STREAM, {"type": "AuthFailure"})
        await admin.xgroup_create(STREAM, "streamhooks", "0")
    async with Redis.from_url(_url(guarded, "scaler"), protocol=2) as client:
        assert (await client.xinfo_groups(STREAM))[0]["lag"] == 1
        assert (await client.xpending(STREAM, "streamhooks"))["pending"] == 0
        with pytest.raises(NoPermissionError):
            await client.xrange(STREAM)


def test_the_worker_is_allowed_what_the_code_uses_and_nothing_more() -> None:
    rooms = PAGE.parents[1] / "streamhooks"
    scripts = "".join(file.read_text() for file in rooms.rglob("*.lua"))
    code = "".join(file.read_text() for file in rooms.rglob("*.py") if file.parent.name != "publisher")
    called = re.findall(r"redis\.p?call\('([A-Z]+)'(?:, '([A-Z]+)')?", scripts)
    used = {"|".join(word for word in words if word) for words in called if words[0] in SEVERAL}
    used |= {name for name, _ in called if name not in SEVERAL}
    used |= {text.replace(" ", "|") for text in re.findall(r'"([A-Z]{3,}(?: [A-Z]+)?)"', code)}
    allowed = {word[1:].upper() for words in (USERS[1], LATER[1]) for word in words if word.startswith("+")}
    assert allowed - used == BY_THE_CLIENT


def test_each_user_may_say_what_it_is_where_the_server_asks() -> None:
    assert [words[2:] for words in LATER] == [[words[2], "+client|setinfo"] for words in USERS]
