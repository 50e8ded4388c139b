"""The floor of a Python sender: HTTP exchanges on aiohttp's connection pool, and nothing else.

No Redis, no events, no headers of a webhook but what HTTP needs: one request in bytes is written again and again on 128
kept connections, and its answer read by aiohttp's parser in C.

    python bare_exchange.py URL COUNT
"""

import asyncio
import sys
from collections.abc import Iterator

import aiohttp
import uvloop
from aiohttp.client_reqrep import ClientRequest
from yarl import URL

AT_ONCE = 128
BODY = b"x" * 160
"""As long as the webhook of the others."""


async def exchange(connector: aiohttp.TCPConnector, question: ClientRequest, request: bytes) -> None:
    connection = await connector.connect(question, [], aiohttp.ClientTimeout())
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise RuntimeError("the endpoint has closed the connection")
    protocol.set_response_params(read_until_eof=True)
    protocol.transport.write(request)
    message, payload = await protocol.read()
    await payload.read()
    connection.release()
    if message.code != 204:
        raise RuntimeError(f"answered {message.code}")


async def main(url: str, count: str) -> None:
    target = URL(url)
    lines = f"POST {target.raw_path_qs} HTTP/1.1", f"Host: {target.host}:{target.port}", f"Content-Length: {len(BODY)}"
    request = "\r\n".join((*lines, "", "")).encode() + BODY
    numbers = iter(range(int(count)))

    async def turns(numbers: Iterator[int]) -> None:
        for _ in numbers:
            await exchange(connector, question, request)

    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with connector, asyncio.TaskGroup() as group:
        question = ClientRequest("POST", target.origin())
        for _ in range(AT_ONCE):
            group.create_task(turns(numbers))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
