"""A small real proxy on a loopback address: tunnels by CONNECT, and plain requests."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.sender.hostile import Act, Hostile, hostile


class Proxy:
    """Where it is, and what it was asked for."""

    def __init__(self, server: Hostile, scheme: str, credentials: str) -> None:
        self._server = server
        self.url = f"{scheme}://{credentials}127.0.0.1:{server.port}"

    @property
    def heads(self) -> list[bytes]:
        """Of each request: its line and headers."""
        return [request.partition(b"\r\n\r\n")[0] for request in self._server.requests]

    @property
    def lines(self) -> list[str]:
        return [head.partition(b"\r\n")[0].decode() for head in self.heads]


@asynccontextmanager
async def proxy(
    port: int, *, tls: ssl.SSLContext | None = None, demands: bytes = b"", credentials: str = ""
) -> AsyncIterator[Proxy]:
    """Leads every host name to `port` of this machine; `demands` is a header line without which it answers 407."""

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while request := await server.read_request(reader):
                if demands not in request:
                    writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
                    continue
                try:
                    onward, back = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    writer.write(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
                    continue
                if request.startswith(b"CONNECT "):
                    writer.write(b"HTTP/1.1 200 Go\r\n\r\n")
                else:
                    back.write(relative(request))
                await asyncio.gather(carry(reader, back), carry(onward, writer))
                return

        return act

    async with hostile(behaviour, tls) as server:
        yield Proxy(server, "https" if tls else "http", credentials)


def relative(request: bytes) -> bytes:
    """The request as an origin server gets it (RFC 9112, section 3.2.1), without what was for the proxy alone."""
    method, url, rest = request.split(b" ", 2)
    parts = urlsplit(url.decode())
    lines = rest.split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"proxy-authorization:")]
    return b" ".join([method, parts._replace(scheme="", netloc="").geturl().encode(), b"\r\n".join(kept)])


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
    except ConnectionError:
        pass
    finally:
        writer.close()
