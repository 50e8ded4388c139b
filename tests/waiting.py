"""Waiting in tests: on conditions, with a deadline, never for a while."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
PAUSE = 0.01
"""Seconds between two looks."""


@overload
async def eventually(check: Callable[[], Awaitable[T]], within: float = 5.0, saying: str = "") -> T: ...
@overload
async def eventually(check: Callable[[], T], within: float = 5.0, saying: str = "") -> T: ...
async def eventually(check: Callable[[], T | Awaitable[T]], within: float = 5.0, saying: str = "") -> T:
    """What `check` gives, as soon as that is true. Raises AssertionError after `within` seconds.

    `saying` tells in the error what was waited for.
    """
    clock = asyncio.get_running_loop().time
    until = clock() + within
    while True:
        answer = check()
        found: T = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if clock() >= until:
            said = saying or inspect.getsource(check).strip()
            raise AssertionError(f"not within {within:g} s: {said}; the last answer was {found!r}")
        await asyncio.sleep(PAUSE)
