"""The gateways of an experiment: events with our own numbers, and what is known of each XADD."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

STREAM = "gateway:events"
PART = 50


class Load:
    """Adds events, each once. An XADD whose reply is lost is attempted and not acknowledged: nobody knows."""

    def __init__(self, url: str) -> None:
        self.url = url
        """May change: the gateways follow a failover."""
        self.attempted: set[int] = set()
        self.acknowledged: dict[int, str] = {}
        """The entry's id by the event's number."""
        self.types: dict[int, str] = {}

    async def publish(self, seqs: Iterable[int], *, type_: str = "Load", end: str = "ok", **meta: object) -> None:
        """Adds these events, fifty a round trip; goes on where the server does not answer."""
        numbers = list(seqs)
        async with Redis.from_url(self.url, protocol=2, socket_timeout=2, socket_connect_timeout=2) as client:
            for at in range(0, len(numbers), PART):
                part = numbers[at : at + PART]
                pipe = client.pipeline(transaction=False)
                self.add_to(pipe, part, type_=type_, end=end, **meta)
                with suppress(exceptions.RedisError, OSError):
                    self.note(part, await pipe.execute(raise_on_error=False))

    def add_to(
        self, pipe: Pipeline, seqs: Iterable[int], *, type_: str = "Load", end: str = "ok", **meta: object
    ) -> None:
        """Puts the XADDs of these events into a pipeline or a transaction."""
        for seq in seqs:
            pipe.xadd(STREAM, {"d": json.dumps({"type": type_, "meta": {"seq": seq, "end": end} | meta})})
            self.attempted.add(seq)
            self.types[seq] = type_

    def note(self, seqs: Iterable[int], answers: Iterable[object]) -> None:
        """Notes what was answered to the XADDs of these events."""
        for seq, id in zip(seqs, answers, strict=False):
            if isinstance(id, bytes):
                self.acknowledged[seq] = id.decode()

    async def stream(self, seqs: Iterable[int], *, per_second: float, type_: str = "Load", end: str = "ok") -> None:
        """The same, spread over time."""
        clock = asyncio.get_running_loop().time
        numbers = list(seqs)
        part = max(1, int(per_second / 20))
        started = clock()
        for at in range(0, len(numbers), part):
            await self.publish(numbers[at : at + part], type_=type_, end=end)
            await asyncio.sleep(max(0.0, started + (at + part) / per_second - clock()))
