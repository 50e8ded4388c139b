"""Whose fault it is when a request through a proxy fails: the proxy's, which is our own trouble, or the endpoint's.

Up to the moment at which the connection stands (for https: CONNECT was answered by 200 and TLS agreed on) aiohttp
raises much the same for both. What is certain is the proxy's: its name, its address, its certificate, its answer to
CONNECT. A time-out or a broken connection may be either's, so the proxy is asked whether it is there at all.

A proxy that answers 502 for an endpoint that is down is told as the proxy's trouble for https, and cannot be told from
the endpoint's own 502 for http.
"""

import asyncio

import aiohttp
from yarl import URL

from streamhooks.model import FailureKind
from streamhooks.sender.failures import classify

ASK_TIMEOUT = 2.0
"""Seconds in which a proxy that is there accepts a connection."""
AUTHENTICATION_REQUIRED = 407
"""RFC 9110, section 15.5.8: said by a proxy only."""


async def blamed(error: Exception, proxy: URL, *, stands: bool) -> tuple[FailureKind, str]:
    """Kind and message of an expected exception of a request through `proxy`; `local` where that is to blame. `stands`:
    its connection, through the proxy as far as the endpoint.
    """
    kind, message = classify(error)
    if kind in ("local", "blocked"):
        return kind, message
    if isinstance(error, aiohttp.ClientConnectorError) and (error.host, error.port) == (proxy.raw_host, proxy.port):
        return "local", f"at the proxy: {message}"
    # An exception of the endpoint's, raised while its connection is made, is a ClientConnectorError or a time-out.
    if not stands and not isinstance(error, aiohttp.ClientConnectorError | TimeoutError):
        return "local", f"at the proxy: {message}"
    if kind in ("timeout", "connect") and not await _is_there(proxy):
        return "local", "the proxy cannot be reached"
    return kind, message


async def _is_there(proxy: URL) -> bool:
    try:
        async with asyncio.timeout(ASK_TIMEOUT):
            _, writer = await asyncio.open_connection(proxy.raw_host, proxy.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
