"""What one would write by hand in Python for one endpoint, with redis-py and aiohttp's ClientSession.

It does the steps of a delivery (read a batch, render, claim the cool-down, POST, confirm, acknowledge) and nothing that
makes them safe: no retries, no dead letters, nothing taken over from a consumer that died, no metrics.

    python plain_consumer.py REDIS_URL STREAM GROUP URL COUNT
"""

import asyncio
import hashlib
import json
import sys
from typing import Any

import aiohttp
from redis.asyncio import Redis

AT_ONCE = 128
PER_READ = 128
LEASE, COOL_DOWN = 30_000, 60_000
"""Milliseconds."""


class Consumer:
    """One stream to one endpoint."""

    def __init__(self, redis: Redis, session: aiohttp.ClientSession, stream: str, group: str, url: str) -> None:
        self._redis = redis
        self._session = session
        self._stream = stream
        self._group = group
        self._url = url
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, count: int) -> None:
        left = count
        async with asyncio.TaskGroup() as deliveries:
            while left > 0:
                streams: dict[Any, Any] = {self._stream: ">"}
                answer: Any = await self._redis.xreadgroup(self._group, "consumer", streams, PER_READ, 5000)
                for _, entries in answer:
                    for id, fields in entries:
                        await self._turns.acquire()
                        deliveries.create_task(self._deliver(id, fields))
                        left -= 1

    async def _deliver(self, id: bytes, fields: dict[bytes, bytes]) -> None:
        try:
            body = _rendered(json.loads(fields[b"d"]))
            fingerprint = hashlib.md5(self._url.encode() + body, usedforsecurity=False).hexdigest()
            claim = f"{{{self._stream}}}:cool:{fingerprint}"
            if await self._redis.set(claim, b"c", nx=True, px=LEASE):
                headers = {"Content-Type": "application/json", "webhook-id": id.decode()}
                async with self._session.post(self._url, data=body, headers=headers) as answer:
                    await answer.read()
                    answer.raise_for_status()
                await self._redis.set(claim, b"d", px=COOL_DOWN)
            await self._redis.xack(self._stream, self._group, id)
        finally:
            self._turns.release()


def _rendered(event: dict[str, dict[str, str]]) -> bytes:
    meta = event["meta"]
    body = {
        "event": event["type"],
        "message": meta["Message"],
        "path": meta["Path"],
        "origin": meta["Origin"],
        "key": meta["Key"],
        "api_id": event["api_id"],
    }
    return json.dumps(body, indent=2).encode()


async def main(redis_url: str, stream: str, group: str, url: str, count: str) -> None:
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    redis = Redis.from_url(redis_url, protocol=2, max_connections=AT_ONCE + 1)
    async with redis, aiohttp.ClientSession(connector=connector) as session:
        await Consumer(redis, session, stream, group, url).run(int(count))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
