"""The gate before reading: closed while a suspect runs alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamhooks.flow.table import Room


class Gate:
    """Whoever would start something new passes here first."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._turn = asyncio.Lock()

    async def passed(self) -> None:
        """Returns when the gate is open."""
        await self._open.wait()

    @asynccontextmanager
    async def alone(self, room: Room, patience: float) -> AsyncIterator[None]:
        """Lets nothing else start before the body and while what it admitted runs; at most `patience` seconds each."""
        async with self._turn:
            self._open.clear()
            try:
                await _quiet(room, patience)
                yield
                await _quiet(room, patience)
            finally:
                self._open.set()


async def _quiet(room: Room, patience: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while room.active > 0 and (left := until - loop.time()) > 0:
        await room.changed(left)
