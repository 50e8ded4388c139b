"""Which kind each exception of sending becomes."""

import errno
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from streamhooks.sender.failures import Unreadable, classify
from streamhooks.sender.guard import BlockedDestination

KEY = ConnectionKey("hooks.example.com", 443, True, True, None, None, None)
HEADERS = CIMultiDictProxy(CIMultiDict({"Authorization": "secret"}))
INFO = aiohttp.RequestInfo(URL("http://u:secret@h/p?token=secret"), "POST", HEADERS, URL("http://h"))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (TimeoutError(), "timeout", "no whole answer within the timeout"),
        (aiohttp.SocketTimeoutError(), "timeout", "no whole answer within the timeout"),
        (aiohttp.ConnectionTimeoutError(), "timeout", "no whole answer within the timeout"),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.ECONNREFUSED, "x")),
            "connect",
            "connection refused",
        ),
        (aiohttp.ClientOSError(errno.ECONNRESET, "x"), "connect", "connection reset by peer"),
        (aiohttp.ClientConnectorError(KEY, ConnectionResetError()), "connect", "connection reset by peer"),
        (aiohttp.ClientConnectorError(KEY, OSError("odd")), "connect", "the connection failed"),
        (caused(aiohttp.ClientOSError(1, "x"), ssl.SSLError(1, "alert")), "tls", "the TLS connection broke"),
        (aiohttp.ServerDisconnectedError(), "connect", "the connection was closed before an answer"),
        (
            aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_NONAME, "x")),
            "dns",
            "the host name cannot be resolved",
        ),
        (aiohttp.ClientConnectorError(KEY, BlockedDestination("why")), "blocked", "why"),
        (aiohttp.ClientConnectorError(KEY, OSError(errno.EMFILE, "x")), "local", "too many open files"),
        (OSError(errno.ENFILE, "x"), "local", "too many open files in system"),
        (
            aiohttp.ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, "x")),
            "local",
            "the proxy cannot be reached",
        ),
        (aiohttp.ClientHttpProxyError(INFO, (), status=407), "local", "the proxy refused to connect"),
        (
            aiohttp.ClientResponseError(INFO, (), status=400, message="b'secret'"),
            "protocol",
            "the answer is no HTTP that can be read (ClientResponseError)",
        ),
        (
            aiohttp.ClientPayloadError("secret"),
            "protocol",
            "the answer is no HTTP that can be read (ClientPayloadError)",
        ),
        (Unreadable("the answer is too long"), "protocol", "the answer is too long"),
        (aiohttp.InvalidURL("http://2130706433/?secret"), "blocked", "the URL is none that may be called"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_becomes_a_kind_and_words_without_secrets(error: Any, kind: str, message: str) -> None:
    assert classify(error) == (kind, message)
