"""Asking the admin API, as a program does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from msgspec import Struct

from streamhooks.flow.worker import Worker
from tests.flow.rig import Config, Rig
from tests.waiting import eventually

ANY_PORT = {"listen": "127.0.0.1:0"}
TOKEN = "sesame-0123456789"
FORM = {"Content-Type": "application/json", "X-Streamhooks": "console"}


class Answered(Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, kind and message of what was not done."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"kind", "message"}
        return self.status, self.json["error"]["kind"], self.json["error"]["message"]


class Door:
    """One admin address."""

    def __init__(self, session: aiohttp.ClientSession, worker: Worker | None = None) -> None:
        self.session = session
        self._worker = worker

    @property
    def worker(self) -> Worker:
        assert self._worker
        return self._worker

    @property
    def address(self) -> str:
        return str(self.session._base_url).rstrip("/")

    async def get(self, path: str, headers: Mapping[str, str] = {}) -> Answered:
        return await self.ask("GET", path, headers)

    async def post(self, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Answered:
        return await self.ask("POST", path, {"X-Streamhooks": "console", **headers}, json=body or {})

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], *, json: Any = None, data: bytes | None = None
    ) -> Answered:
        async with self.session.request(method, path, headers=headers, json=json, data=data) as reply:
            assert reply.content_type == "application/json", await reply.text()
            return Answered(reply.status, dict(reply.headers), await reply.json())

    async def done(self, path: str, body: Any = None) -> Any:
        """What a POST that must succeed gives."""
        answered = await self.post(path, body)
        assert answered.status == 200, answered.json
        return answered.json

    async def got(self, path: str) -> Any:
        """What a GET that must succeed gives."""
        answered = await self.get(path)
        assert answered.status == 200, answered.json
        return answered.json


@asynccontextmanager
async def door(rig: Rig, *handlers: Config, admin: Config | None = None, **sections: Any) -> AsyncIterator[Door]:
    """The admin address of a worker that runs."""
    some = handlers or (rig.handler(),)
    async with rig.working(*some, admin=admin or ANY_PORT, **sections) as worker, opened(rig, worker) as found:
        yield found


@asynccontextmanager
async def opened(rig: Rig, worker: Worker | None = None) -> AsyncIterator[Door]:
    """The admin address that was told of last."""
    records = await eventually(lambda: rig.records.of("admin_listens"))
    port = records[-1]["address"].rpartition(":")[2]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield Door(session, worker)
