"""Waiting in tests: on conditions, with a deadline, never for a while."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
LOOK_EVERY = 0.01


@overload
async def eventually(check: Callable[[], Awaitable[T]], within: float = 5.0, saying: str = "") -> T: ...
@overload
async def eventually(check: Callable[[], T], within: float = 5.0, saying: str = "") -> T: ...
async def eventually(check: Callable[[], T | Awaitable[T]], within: float = 5.0, saying: str = "") -> T:
    """What `check` gives, as soon as that is true. Fails after `within` seconds, `saying` what did not come true."""
    clock = asyncio.get_running_loop().time
    until = clock() + within
    while True:
        answer = check()
        found: T = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if clock() >= until:
            raise AssertionError(f"not within {within} s: {saying or inspect.getsource(check).strip()}")
        await asyncio.sleep(LOOK_EVERY)
