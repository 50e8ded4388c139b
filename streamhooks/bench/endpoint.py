"""The endpoint of a measurement, as whoever measures sees it: its address, and what has arrived there.

It listens in a process of its own, listener.py, so that its work is not in anybody's figures.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final

import msgspec

from streamhooks.errors import BenchError

PATIENCE: Final = 10.0
"""Seconds in which it must have started, and must have answered a word."""
_LONGEST_LINE: Final = 1 << 28
_counts = msgspec.json.Decoder(dict[str, int]).decode
_times = msgspec.json.Decoder(list[int]).decode


class Endpoint:
    """`async with Endpoint() as endpoint:` listens when entered. Raises BenchError where it does not answer."""

    def __init__(self) -> None:
        self._rooms = AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> "Endpoint":
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streamhooks.bench.listener", stdin=pipe, stdout=pipe, limit=_LONGEST_LINE
        )  # fmt: skip
        self._rooms.push_async_callback(self._end, self._process)
        try:
            self.url = f"http://127.0.0.1:{int(await self._line())}"
        except BaseException:
            await self._rooms.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rooms.aclose()

    async def arrived(self) -> dict[str, int]:
        """Requests so far, by their path."""
        return _counts(await self._asked("arrived"))

    async def travelled(self) -> list[int]:
        """Nanoseconds of each event that said when it was sent, since this was asked before."""
        return _times(await self._asked("travelled"))

    async def forget(self) -> None:
        """Begins to count anew."""
        await self._asked("forget")

    async def _asked(self, word: str) -> bytes:
        if self._process is None or self._process.stdin is None:
            raise BenchError("endpoint", "the endpoint is not entered")
        self._process.stdin.write(word.encode() + b"\n")
        return await self._line()

    async def _line(self) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise BenchError("endpoint", "the endpoint is not entered")
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise BenchError("endpoint", f"the endpoint did not answer within {PATIENCE:g} s")
        return line

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
