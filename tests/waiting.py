"""Waiting for something to become true, with a deadline, instead of sleeping for as long as it might take."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PAUSE = 0.01
"""Seconds between two looks."""


async def eventually(check: Callable[[], Awaitable[T]], within: float = 5.0, saying: str = "") -> T:
    """The first true answer of `check`, asked again and again. Raises AssertionError after `within` seconds.

    `saying` tells in the error what was waited for.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not (answer := await check()):
        if loop.time() > deadline:
            raise AssertionError(f"not within {within:g} s: {saying or 'the condition'}; the last answer was {answer!r}")
        await asyncio.sleep(PAUSE)
    return answer
