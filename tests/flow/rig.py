"""Workers in this process, between a real server and a real endpoint, and the account that must balance at the end.

`settled` is the law of every test here: nothing waits, nothing is pending, each entry has exactly the end that the
test names, and no bug was logged.
"""

import asyncio
import io
import random
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.app import application, consumer_name
from streamhooks.delivery.request import build
from streamhooks.files import Loaded, load_mapping
from streamhooks.flow.runners import Runners
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.model import Entry
from streamhooks.observe import logs
from streamhooks.observe.problems import write_log
from streamhooks.reload import LoadAgain
from streamhooks.sender import Sender
from streamhooks.store.connection import ask, servers
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from tests.served import NO_FILES
from tests.servers import Endpoint
from tests.waiting import PAUSE, eventually

STREAM = "gateway:events"
GROUP = "streamhooks"
BUGS = ("internal_error", "entry_failed", "sending_failed", "settling_failed")
"""Records that are written only where the code met what it does not know."""

Config = dict[str, Any]
Word = str | bytes | int | float


class Records:
    """What was logged, as people would find it on stderr: JSON, one record a line."""

    def __init__(self, level: str = "info") -> None:
        self._stream = io.StringIO()
        logs.set_up(level, "json", self._stream)
        # A logger that has been used keeps its stream; each test has one of its own.
        structlog.configure(cache_logger_on_first_use=False)
        for name, module in list(sys.modules.items()):
            if name.startswith("streamhooks") and hasattr(module, "log"):
                vars(module.log).pop("bind", None)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def all(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.text.splitlines()]

    def of(self, *events: str) -> list[dict[str, Any]]:
        return [record for record in self.all if record["event"] in events]


class Rig:
    """Makes configurations, starts workers, publishes, looks into Redis."""

    def __init__(
        self,
        redis: Redis,
        url: str,
        base: Path,
        endpoint: Endpoint,
        records: Records,
        *,
        tls: Mapping[str, str] = NO_FILES,
    ) -> None:
        self.redis = redis
        self.url = url
        self.tls = tls
        self.base = base
        self.endpoint = endpoint
        self.records = records
        self.keys = Keys.of(STREAM)
        self.workers: list[Worker] = []

    # Configurations.

    def handler(self, id: str = "h", **others: Any) -> Config:
        """One of our own form, for every event; it calls the endpoint at `/<id>`."""
        return {"id": id, "on": ["*"], "target_path": f"{self.endpoint.url}/{id}", **others}

    def template(self, name: str, text: str) -> str:
        """Writes a template; gives what `template_path` may say."""
        (self.base / name).write_text(text)
        return name

    def loaded(self, *handlers: Config, **sections: Any) -> Loaded:
        """A configuration with a short lease and quick retries; `sections` are laid over it, key by key."""
        return load_mapping(self._configuration(*handlers, **sections), self.base)

    def written(self, *handlers: Config, **sections: Any) -> str:
        """The same as a file, for a command; its name."""
        file = self.base / "streamhooks.json"
        file.write_bytes(msgspec.json.encode(self._configuration(*handlers, **sections)))
        return str(file)

    def _configuration(self, *handlers: Config, **sections: Any) -> Config:
        data: Config = {
            "redis": {"url": self.url, "tls": dict(self.tls)},
            "worker": {"lease": 1, "drain_timeout": 5},
            "defaults": {
                "timeout": 5,
                "allow_cidrs": ["127.0.0.0/8"],
                "retry": {"delays": [0.05, 0.1], "jitter": 0, "permanent_statuses": [410, 422]},
            },
            "admin": {"listen": ""},
            "handlers": list(handlers),
        }
        for section, values in sections.items():
            data[section] = data[section] | values if section in data else values
        return data

    # Workers.

    def working(self, *handlers: Config, **sections: Any) -> AbstractAsyncContextManager[Worker]:
        """The application as `serve` runs it, ready when entered, stopped cleanly when left."""
        return self.running(self.loaded(*handlers, **sections))

    @asynccontextmanager
    async def running(
        self, loaded: Loaded, load_again: LoadAgain | None = None, *, files_every: float = 0.1
    ) -> AsyncIterator[Worker]:
        """The same of what was loaded. With `load_again` it looks at its files every `files_every` seconds."""
        serving = application(loaded, load_again, files_every=files_every)
        async with self._hurried() as stopping, serving as worker:
            self.workers.append(worker)
            try:
                yield worker
            finally:
                self.workers.remove(worker)
                worker.stopping.set()
                stopping.set()

    @asynccontextmanager
    async def _hurried(self) -> AsyncIterator[asyncio.Event]:
        """Once the event is set, no read waits for entries: also none that begins while the worker is being stopped."""
        begun = asyncio.Event()

        async def hurry() -> None:
            await begun.wait()
            while True:
                await self.hurry_readers()
                await asyncio.sleep(PAUSE)

        hurrying = Runners()
        hurrying.spawn(hurry())
        try:
            yield begun
        finally:
            await hurrying.cancel()

    @asynccontextmanager
    async def doomed(self, *handlers: Config, **sections: Any) -> AsyncIterator[Worker]:
        """A worker that dies when the block ends: nothing is finished, handed back or said to Redis."""
        loaded = self.loaded(*handlers, **sections)
        async with Sender() as sender:
            worker = Worker(
                loaded.settings,
                Catalogue(loaded.handlers),
                sender=sender,
                consumer=consumer_name(),
                rng=random.Random(1),
                tell=write_log,
            )
            await worker.__aenter__()
            try:
                yield worker
            finally:
                await worker._loops.cancel()
                await worker._sending.cancel()
                for client in (*worker._readers, worker.client):
                    await client.aclose()

    async def hurry_readers(self) -> None:
        """Ends the reads that wait for entries, as if their time were over: a stop need not wait for it."""
        for server in await servers(self.redis):
            for client in await _blocked(server):
                await ask(server, "CLIENT UNBLOCK", client["id"])

    async def blocked(self) -> list[dict[str, str]]:
        """The connections that wait in a read."""
        return [client for server in await servers(self.redis) for client in await _blocked(server)]

    # Publishing.

    async def add(self, fields: Mapping[str, Word], id: str = "*") -> str:
        """XADD as a gateway does it; the entry's id."""
        words = [word for pair in fields.items() for word in pair]
        answer: bytes = await ask(self.redis, "XADD", STREAM, id, *words)
        return answer.decode()

    async def publish(self, key: str, type: str = "AuthFailure", id: str = "*") -> str:
        """An event in the flat form; `key` tells it from others and comes back in the body."""
        return await self.add({"type": type, "message": "Auth Failure", "path": "/w", "key": key}, id)

    async def publish_many(self, count: int, prefix: str = "k") -> list[str]:
        """Events with the keys `k0`, `k1` and so on."""
        return [await self.publish(f"{prefix}{number}") for number in range(count)]

    # Looking.

    @property
    def arrived(self) -> list[str]:
        """The keys of the events that the endpoint was sent, in order, repetitions included."""
        return [msgspec.json.decode(request.body)["key"] for request in self.endpoint.received]

    async def totals(self) -> dict[str, int]:
        found = await ask(self.redis, "HGETALL", self.keys.totals)
        return {name.decode(): int(value) for name, value in found.items()}

    async def letters(self) -> list[Record]:
        return [Record.read(fields) for _, fields in await ask(self.redis, "XRANGE", self.keys.dead, "-", "+")]

    async def stored(self) -> dict[str, Record]:
        """The records that wait for their time, by owner."""
        unpack = "local r = redis.call('HGET', KEYS[1], ARGV[1]); return r and cmsgpack.unpack(r) or {}"
        records = {}
        for owner in await ask(self.redis, "HKEYS", self.keys.parked_data):
            flat = await ask(self.redis, "EVAL", unpack, 1, self.keys.parked_data, owner)
            if flat:  # else woken since
                records[owner.decode()] = Record.read(dict(zip(flat[::2], flat[1::2], strict=True)))
        return records

    async def rewrite(self, owner: str, record: Record) -> None:
        """Puts another record in the place of a stored one."""
        pack = "return redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack({unpack(ARGV, 2)}))"
        words = [*record.words(), "first", record.first, "last", record.last]
        await ask(self.redis, "EVAL", pack, 1, self.keys.parked_data, owner, *words)

    async def due_now(self) -> None:
        """Makes everything that is stored due."""
        for owner in await ask(self.redis, "ZRANGE", self.keys.parked, 0, -1):
            await ask(self.redis, "ZADD", self.keys.parked, "XX", 0, owner)

    async def pending(self, key: str = STREAM) -> int:
        return int((await ask(self.redis, "XPENDING", key, GROUP))["pending"])

    async def groups(self, key: str = STREAM) -> list[str]:
        try:
            found = await self.redis.xinfo_groups(key)
        except Exception:  # noqa: BLE001  no such stream
            return []
        return [group["name"].decode() for group in found]

    async def cool_downs(self) -> dict[str, str]:
        """Every cool-down, by `<handler>:<fingerprint>`: `state|owner|stamp`."""
        prefix = f"{self.keys.tag}:cool:"
        names = [name.decode() async for name in self.redis.scan_iter(match=f"{prefix}*", count=1000)]
        return {name.removeprefix(prefix): (await ask(self.redis, "GET", name) or b"").decode() for name in names}

    async def now(self) -> int:
        """Milliseconds by the clock of Redis."""
        seconds, micros = await ask(self.redis, "TIME")
        return int(seconds * 1000 + micros // 1000)

    def cool_key(self, loaded: Loaded, key: str, number: int = 0) -> str:
        """The cool-down of the event that `publish(key)` makes, for one handler of a configuration."""
        handler = loaded.handlers[number]
        fields = {b"type": b"AuthFailure", b"message": b"Auth Failure", b"path": b"/w", b"key": key.encode()}
        request = build(wire.decode(Entry("1-1", fields), 262144), handler)
        return self.keys.cool(handler.id, request.fingerprint)

    async def wake(self) -> None:
        """Lets the workers look for what is due now, not at the end of their nap."""
        for worker in self.workers:
            for line in worker.lines:
                await line.wake()

    # The end.

    async def settled(self, within: float = 10.0, **terms: int) -> None:
        """Waits until nothing is left to do; then the account must hold exactly these terms, and balance."""
        wanted = {term: count for term, count in terms.items() if count} | {"accepted": sum(terms.values())}
        await eventually(lambda: self._drained(sum(terms.values())), within, f"all settled as {wanted}")
        found = {term: count for term, count in (await self.totals()).items() if count}
        assert found == wanted, f"the account is {found}, not {wanted}"
        letters, leftover = await self._letters_and_receipts()
        assert letters == terms.get("dead", 0), f"there are {letters} dead letters"
        assert not leftover, f"receipts of entries that are acknowledged: {leftover}"
        assert not self.records.of(*BUGS), self.records.of(*BUGS)

    async def _letters_and_receipts(self) -> tuple[int, list[str]]:
        receipts = self.redis.scan_iter(match=f"{self.keys.tag}:done:*", count=1000)
        return await ask(self.redis, "XLEN", self.keys.dead), [name.decode() async for name in receipts]

    async def _drained(self, accepted: int) -> bool:
        await self.wake()
        if (await self.totals()).get("accepted", 0) < accepted:
            return False
        group = next((g for g in await self.redis.xinfo_groups(STREAM) if g["name"] == GROUP.encode()), None)
        if group is None or await ask(self.redis, "XRANGE", STREAM, "(" + group["last-delivered-id"].decode(), "+"):
            return False
        # In one moment: what is woken between two looks would be seen neither where it was nor where it is.
        async with self.redis.pipeline(transaction=True) as look:
            look.xpending(STREAM, GROUP)
            look.xpending(self.keys.retry, GROUP)
            look.xlen(self.keys.retry)
            look.zcard(self.keys.parked)
            look.hlen(self.keys.parked_data)
            entries, retries, *left = await look.execute()
        return not any((entries["pending"], retries["pending"], *left))


async def _blocked(server: Redis) -> list[dict[str, str]]:
    clients: list[dict[str, str]] = await ask(server, "CLIENT LIST")
    return [client for client in clients if "b" in client["flags"]]
