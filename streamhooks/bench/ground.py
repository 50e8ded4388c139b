"""What every measurement stands on: a server or a cluster, an endpoint, a folder, and for each a stream of its own.

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
from streamhooks.store.connection import ask, connect, servers
from streamhooks.store.keys import Keys
from streamhooks.store.keys import partitions as partitions_of

GROUP: Final = "streamhooks"
_Serving: TypeAlias = AbstractAsyncContextManager[Serving]
AT_ONCE: Final = 5000
"""Events that are made before they are added."""
BYTES_AT_ONCE: Final = 8 << 20
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
    async def field(
        self, handlers: Sequence[Mapping[str, Any]], *, workers: int = 1, partitions: int = 1, **settings: Any
    ) -> AsyncIterator["Field"]:
        """A stream of its own, with a configuration for each of `workers`. A handler's `target_path` is put behind
        the field's own path and the worker's number, so that the endpoint knows whose requests arrive. `settings`:
        further sections of the configuration.
        """
        name = secrets.token_hex(8)
        stream = f"streamhooks-bench:{name}"
        own = {"stream": {"key": stream, "group": GROUP, "partitions": partitions}, **settings}
        configs = [self._config(own, f"/{name}/{number}", handlers) for number in range(workers)]
        parts = partitions_of(stream, partitions)
        await self.endpoint.forget()
        try:
            yield Field(self, parts, f"/{name}/", configs, len(handlers))
        finally:
            for keys in parts:
                await _wipe(self.client, keys)

    def _config(self, own: Mapping[str, Any], before: str, handlers: Sequence[Mapping[str, Any]]) -> Path:
        behind = [{**one, "target_path": f"{self.endpoint.url}{before}{one['target_path']}"} for one in handlers]
        path = self.folder / f"{before.strip('/').replace('/', '-')}.json"
        path.write_text(json.dumps({**own, "handlers": behind}))
        return path


class Field(Struct, frozen=True):
    """One stream, and what may be done with it."""

    ground: Ground
    parts: tuple[Keys, ...]
    """Of each of its partitions."""
    path: str
    """What the path of every request of it begins with."""
    configs: list[Path]
    handlers: int

    @property
    def keys(self) -> Keys:
        """Of the first partition; there is no other one unless it was asked for."""
        return self.parts[0]

    def stream_of(self, number: int) -> str:
        """Where the event of this number goes: each partition gets as many."""
        return self.parts[number % len(self.parts)].stream

    async def fill(self, count: int, *, first: int = 0, size: int = 0, **meta: str) -> None:
        """Adds events of `size` bytes, or of some 200, numbered from `first`: those of one number are duplicates of
        each other.
        """
        stop = first + count
        at_once = min(AT_ONCE, max(1, BYTES_AT_ONCE // max(1, size)))
        for begin in range(first, stop, at_once):
            numbers = range(begin, min(begin + at_once, stop))
            events = [(self.stream_of(number), packed(number, size, **meta)) for number in numbers]
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
        found = Counter[str]()
        for keys in self.parts:
            found.update(await Account(self.ground.client, keys).totals())
        return dict(found)

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


def packed(number: int, size: int = 0, **meta: str) -> bytes:
    """One event as a gateway writes it: `size` bytes, or what it has by itself, some 200, where that is more."""
    return _to_json(event(number, size, **meta))


def event(number: int, size: int = 0, **meta: str) -> dict[str, Any]:
    """The same before it is packed."""
    own = {"Message": "Auth Failure", "Path": f"/widgets/{number}", "Origin": "10.0.0.1", "Key": f"key-{number}"}
    made = {"type": "AuthFailure", "meta": {**own, **meta}, "ts": "2026-11-23T10:00:00Z", "api_id": "widgets"}
    lacking = size - len(_to_json(made)) - len(',"Padding":""')
    return {**made, "meta": {**own, **meta, "Padding": "x" * lacking}} if lacking > 0 else made


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
    """Deletes a stream of ours and what begins with its tag; both are ours alone, for they were drawn by lot."""
    await ask(client, "UNLINK", keys.stream)
    for server in await servers(client):
        cursor = 0
        while True:
            cursor, found = await ask(server, "SCAN", cursor, "MATCH", f"{keys.tag}:*", "COUNT", SCANNED)
            if found:
                await ask(server, "UNLINK", *found)
            if not cursor:
                break
