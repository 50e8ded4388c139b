"""Publishing over HTTP, as gateways do."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from msgspec import Struct

from streamhooks import wire
from streamhooks.model import Entry, Event
from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Config, Rig
from tests.waiting import eventually

ANY_PORT = {"listen": "127.0.0.1:0"}
TOKEN = "sesame-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/v1/events"
RECORDS = "/v1/access-log"
JSON = "application/json"
LINES = "application/x-ndjson"
FORM = "application/x-www-form-urlencoded"


class Answered(Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, kind and message of what was not done."""
        return self.status, self.json["error"]["kind"], self.json["error"]["message"]

    @property
    def ids(self) -> list[str]:
        assert self.status == 202, self.json
        found: list[str] = self.json["ids"]
        return found


class Door:
    """One ingest address."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address
        """host:port"""

    async def post(
        self, data: bytes | str, type: str = JSON, headers: Mapping[str, str] = {}, path: str = PATH
    ) -> Answered:
        named = {"Content-Type": type} if type else {}
        return await self.ask("POST", path, {**named, **headers}, data)

    async def ask(self, method: str, path: str, headers: Mapping[str, str] = {}, data: Any = None) -> Answered:
        skip = () if "Content-Type" in headers else ("Content-Type",)
        async with self.session.request(
            method, path, headers=headers, data=data, skip_auto_headers=skip, timeout=aiohttp.ClientTimeout(20)
        ) as reply:
            assert reply.content_type == "application/json", await reply.text()
            assert "Server" not in reply.headers
            return Answered(reply.status, dict(reply.headers), await reply.json(content_type=None))

    async def raw(self, sent: bytes, *, until: bytes = b"") -> bytes:
        """What is answered to bytes on a connection of their own, to its end or as far as `until`."""
        async with self.connected() as (reader, writer):
            writer.write(sent)
            return await (reader.readuntil(until) if until else reader.read())

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        host, _, port = self.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


@asynccontextmanager
async def door(rig: Rig, *handlers: Config, ingest: Config | None = None, **sections: Any) -> AsyncIterator[Door]:
    """The door of a worker that runs; its handlers fire for nothing unless some are given."""
    some = handlers or (rig.handler(on=["Nothing"]),)
    async with rig.working(*some, ingest=ANY_PORT | (ingest or {}), **sections), opened(rig) as found:
        yield found


@asynccontextmanager
async def opened(rig: Rig) -> AsyncIterator[Door]:
    """The door that was told of last."""
    told = await eventually(lambda: rig.records.of("ingest_listens"))
    address = told[-1]["address"]
    async with aiohttp.ClientSession(f"http://{address}") as session:
        yield Door(session, address)


async def stored(rig: Rig, stream: str = STREAM) -> list[Event]:
    """The events of the stream, as a worker reads them."""
    entries = await ask(rig.redis, "XRANGE", stream, "-", "+")
    return [wire.decode(Entry(id.decode(), fields), 262_144) for id, fields in entries]


def ids_of(events: list[Event]) -> list[str]:
    return [event.id for event in events]
