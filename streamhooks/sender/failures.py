"""From what aiohttp raises to a Failure: one table, first match wins.

Traps it knows: a malformed answer is raised as a ClientResponseError whose status says 400, which no endpoint said.
Errors of certificates are both TLS and connector errors, so the narrower stands first. Text of exceptions holds URLs,
headers and pieces of answers: messages are our own words, from the operating system only its name for an errno.
"""

import errno
import os
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from streamhooks.model import FailureKind
from streamhooks.sender.guard import BlockedDestination

OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Our own want of means: no fault of an endpoint, and never an attempt."""


NO_URL = "the URL is none that may be called"


class Unreadable(Exception):  # noqa: N818  it is the endpoint's fault, and a verdict on what it sent
    """What came is no answer, or too much of one. The message is for people and quotes nothing that came."""


def _says(text: str) -> Callable[[Exception], str]:
    return lambda _error: text


def _os_words(error: Exception) -> str:
    """`Connection refused`, or what there is to say of an error without a number."""
    inner = getattr(error, "os_error", None) or error
    number = errno.ECONNRESET if isinstance(inner, ConnectionResetError) else getattr(inner, "errno", None)
    return os.strerror(number).lower() if isinstance(number, int) and number > 0 else "the connection failed"


def _certificate_words(error: Exception) -> str:
    inner = getattr(error, "certificate_error", None)
    said = getattr(inner, "verify_message", "")
    return f"the certificate is not accepted: {said}" if said else "the certificate is not accepted"


def _cause_words(error: Exception) -> str:
    """Names the parser's class only: its text quotes the answer."""
    return f"the answer is no HTTP that can be read ({type(error.__cause__ or error).__name__})"


_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], FailureKind, Callable[[Exception], str]], ...] = (
    (TimeoutError, "timeout", _says("no whole answer within the timeout")),
    (aiohttp.ClientHttpProxyError, "local", _says("the proxy refused to connect")),
    (aiohttp.ClientProxyConnectionError, "local", _says("the proxy cannot be reached")),
    (aiohttp.ClientConnectorDNSError, "dns", _says("the host name cannot be resolved")),
    (aiohttp.ClientConnectorCertificateError, "tls", _certificate_words),
    ((aiohttp.ClientConnectorSSLError, aiohttp.ClientSSLError), "tls", _says("no TLS connection could be agreed on")),
    (ssl.SSLCertVerificationError, "tls", _certificate_words),
    (ssl.SSLError, "tls", _says("the TLS connection broke")),
    (aiohttp.ServerDisconnectedError, "connect", _says("the connection was closed before an answer")),
    (aiohttp.InvalidURL, "blocked", _says(NO_URL)),
    (aiohttp.NonHttpUrlClientError, "blocked", _says(NO_URL)),
    ((aiohttp.ClientResponseError, HttpProcessingError), "protocol", _cause_words),
    (aiohttp.ClientPayloadError, "protocol", _cause_words),
    (Unreadable, "protocol", str),
    (OSError, "connect", _os_words),
    (aiohttp.ClientConnectionError, "connect", _os_words),
    (aiohttp.ClientError, "protocol", _cause_words),
)

EXPECTED = (aiohttp.ClientError, HttpProcessingError, Unreadable, OSError)
"""What may be raised while sending. Anything else is a bug and is not caught."""


def classify(error: Exception) -> tuple[FailureKind, str]:
    """Kind and message of an expected exception (see EXPECTED); the message is for people and holds no secret."""
    inner = getattr(error, "os_error", None) or error
    if isinstance(inner, BlockedDestination):
        return "blocked", str(inner)
    if isinstance(inner, OSError) and inner.errno in OUT_OF_DESCRIPTORS:
        return "local", _os_words(error)
    if type(error) is aiohttp.ClientOSError and isinstance(error.__cause__, ssl.SSLError):
        error = error.__cause__  # TLS 1.3 tells of a refused certificate only after the handshake
    return next((kind, words(error)) for classes, kind, words in _TABLE if isinstance(error, classes))
