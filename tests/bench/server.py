"""The embedded server's engine on a TCP port, as consumers meet a server: the embedded one has a Unix socket only."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamhooks.embedded import find_engine
from streamhooks.errors import StoreError
from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.store.connection import ask, connect
from tests.ports import free_port
from tests.waiting import eventually


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """`redis://127.0.0.1:<port>`, nothing kept on disk. Raises StoreError where there is no server to start."""
    engine, port = await find_engine(), free_port()
    url = f"redis://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            engine.binary, "--port", str(port), "--bind", "127.0.0.1",
            "--dir", folder, "--save", "", "--appendonly", "no",
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await eventually(lambda: _answers(url), 10.0)
            yield url
        finally:
            process.terminate()
            await process.wait()


async def _answers(url: str) -> bool:
    client = connect(RedisSettings(url=Secret(url)), connections=1)
    try:
        return bool(await ask(client, "PING"))
    except StoreError:
        return False
    finally:
        await client.aclose()
