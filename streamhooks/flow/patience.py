"""Waiting for something, but not for ever."""

import asyncio
from collections.abc import Awaitable


async def within(what: Awaitable[object], seconds: float) -> bool:
    """Waits for it at most so long; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await what
    except TimeoutError:
        return False
    return True
