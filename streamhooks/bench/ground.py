"""What every measurement stands on: a server, an endpoint, a folder, and for each a stream of its own.

Laws: no measurement sees what another left: its stream has a new name, and all that was written under it is deleted
after it, nothing else, for the server may be somebody's. Workers are real ones, `streamhooks serve`, with a
configuration in the folder; the settings of the environment do not reach them. The address of the server, which may
hold a password, is in no file.
"""

import json
import os
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.bench.endpoint import Endpoint
from streamhooks.bench.serving import Serving, serving
from streamhooks.embedded import EmbeddedServer
from streamhooks.errors import BenchError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store import adding
from streamhooks.store.account import Account
from streamhooks.store.connection import ask, connect
from streamhooks.store.keys import Keys

GROUP: Final = "streamhooks"
_Serving: TypeAlias = AbstractAsyncContextManager[Serving]
AT_ONCE: Final = 5000
"""Events that are made before they are added."""
SCANNED: Final = 1000
STAMPED: Final = "stamped.json"
"""A template whose body says when its event was sent, which the endpoint notes."""
_STAMPED_BODY: Final = """{"event": "{{.Type}}", "message": "{{.Meta.Message}}", "path": "{{.Meta.Path}}",
"origin": "{{.Meta.Origin}}", "key": "{{.Meta.Key}}", "sent": "{{.Meta.Sent}}"}
"""
_to_json = msgspec.json.Encoder().encode


class Ground(Struct, frozen=True):
    """`async with ground(redis_url) as here:`."""

    client: Redis
    endpoint: Endpoint
    folder: Path
    redis_url: str

    @asynccontextmanager
    async def field(self, handlers: Sequence[Mapping[str, Any]], *, workers: int = 1) -> AsyncIterator["Field"]:
        """A stream of its own, with a configuration for each of `workers`. A handler's `target_path` is put behind
        the field's own path and the worker's number, so that the endpoint knows whose requests arrive.
        """
        name = secrets.token_hex(8)
        keys = Keys.of(f"streamhooks-bench:{name}")
        configs = [self._config(keys, f"/{name}/{number}", handlers) for number in range(workers)]
        await self.endpoint.forget()
        try:
            yield Field(self, keys, f"/{name}/", configs, len(handlers))
        finally:
            await _wipe(self.client, keys)

    def _config(self, keys: Keys, before: str, handlers: Sequence[Mapping[str, Any]]) -> Path:
        own = [{**one, "target_path": f"{self.endpoint.url}{before}{one['target_path']}"} for one in handlers]
        path = self.folder / f"{before.strip('/').replace('/', '-')}.json"
        path.write_text(json.dumps({"stream": {"key": keys.stream, "group": GROUP}, "handlers": own}))
        return path


class Field(Struct, frozen=True):
    """One stream, and what may be done with it."""

    ground: Ground
    keys: Keys
    path: str
    """What the path of every request of it begins with."""
    configs: list[Path]
    handlers: int

    async def fill(self, count: int, *, first: int = 0, **meta: str) -> None:
        """Adds events of some 200 bytes, numbered from `first`: those of one number are duplicates of each other."""
        stop = first + count
        for begin in range(first, stop, AT_ONCE):
            numbers = range(begin, min(begin + AT_ONCE, stop))
            events = [(self.keys.stream, packed(number, **meta)) for number in numbers]
            added = await adding.add(self.ground.client, events)
            if added.failed is not None:
                raise added.failed

    def worker(self, number: int = 0, *, until_idle: bool = False) -> _Serving:
        """A worker, to be entered."""
        words = [sys.executable, "-m", "streamhooks", "serve", "--config", str(self.configs[number])]
        return self.process([*words, "--until-idle"] if until_idle else words, number)

    def process(self, words: Sequence[str], number: int = 0) -> _Serving:
        """Anything else that delivers: nobody's settings but ours reach it."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("STREAMHOOKS_")}
        own["STREAMHOOKS_REDIS__URL"] = self.ground.redis_url
        return serving(words, own, self.configs[number].with_suffix(".log"))

    async def arrived(self) -> int:
        return sum((await self._by_path()).values())

    async def came(self, count: int) -> bool:
        """So many requests have arrived, or more."""
        return await self.arrived() >= count

    async def shares(self) -> tuple[int, ...]:
        """Requests of each worker."""
        shares = Counter[str]()
        for path, count in (await self._by_path()).items():
            shares[path.removeprefix(self.path).partition("/")[0]] += count
        return tuple(shares[str(number)] for number in range(len(self.configs)))

    async def _by_path(self) -> dict[str, int]:
        arrived = await self.ground.endpoint.arrived()
        return {path: count for path, count in arrived.items() if path.startswith(self.path)}

    async def account(self) -> dict[str, int]:
        return await Account(self.ground.client, self.keys).totals()

    async def lost_nothing(self, count: int) -> None:
        """Raises BenchError unless every event was delivered to every handler: else a figure would mean nothing."""
        expected = count * self.handlers
        account, arrived = await self.account(), await self.arrived()
        if not account["accepted"] == account["delivered"] == expected <= arrived:
            raise BenchError("lost", f"{arrived} of {expected} requests arrived; the account says {account}")


def handler(id: str = "bench", path: str = "/hook", **more: Any) -> dict[str, Any]:
    """One handler's definition, as the Go consumer does it: the shipped body, a cool-down, a header."""
    return {
        "id": id,
        "on": ["AuthFailure"],
        "method": "POST",
        "target_path": path,
        "template_path": "default_webhook.json",
        "header_map": {"X-Bench": "1"},
        "event_timeout": 60,
        "concurrency": 128,
        "allow_cidrs": ["127.0.0.0/8"],
        **more,
    }


def packed(number: int, **meta: str) -> bytes:
    """One event as a gateway writes it."""
    own = {"Message": "Auth Failure", "Path": f"/widgets/{number}", "Origin": "10.0.0.1", "Key": f"key-{number}"}
    return _to_json({"type": "AuthFailure", "meta": {**own, **meta}, "ts": "2026-11-23T10:00:00Z", "api_id": "widgets"})


@asynccontextmanager
async def ground(redis_url: str = "") -> AsyncIterator[Ground]:
    """Everything that a measurement needs; the embedded server unless another is named. Raises StoreError."""
    with tempfile.TemporaryDirectory(prefix="streamhooks-bench-") as folder:
        path = Path(folder)
        if redis_url:
            async with _on(redis_url, path) as here:
                yield here
        else:
            async with EmbeddedServer(path / "server", persist=False) as server, _on(server.url, path) as here:
                yield here


@asynccontextmanager
async def _on(redis_url: str, folder: Path) -> AsyncIterator[Ground]:
    client = connect(RedisSettings(url=Secret(redis_url)), connections=8)
    try:
        await ask(client, "PING")
        (folder / STAMPED).write_text(_STAMPED_BODY)
        async with Endpoint() as endpoint:
            yield Ground(client, endpoint, folder, redis_url)
    finally:
        await client.aclose()


async def _wipe(client: Redis, keys: Keys) -> None:
    """Deletes what begins with our stream's name or its tag; both are ours alone, for they were drawn by lot."""
    cursor = 0
    for pattern in (f"{keys.tag}*", f"{keys.stream}*"):
        while True:
            cursor, found = await ask(client, "SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED)
            if found:
                await ask(client, "UNLINK", *found)
            if not cursor:
                break
