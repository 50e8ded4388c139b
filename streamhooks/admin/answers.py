"""What the admin API says: JSON, and for everything that is wrong one form, `{"error": {"kind": ..., "message": ...}}`.

`kind` is a stable word that programs may compare; the message is for people and names the way out. Nothing of an
exception that nobody expected is told: the log has it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import structlog
from aiohttp import web

from streamhooks.errors import RequestError, StoreError, StreamhooksError, TemplateError, WireError

log = structlog.get_logger("streamhooks")
T = TypeVar("T")
BODY_BYTES = 64 * 1024
"""The largest body that is read."""
BODY_SECONDS = 10.0
"""How long it may take to come."""


class AdminError(StreamhooksError):
    """A request that is not done; `status` is what HTTP calls that."""

    def __init__(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind, message)
        self.status = status
        self.headers = headers or {}


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(data), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def refusal(error: Exception) -> web.Response:
    """The answer to what was raised. Logs what nobody expected."""
    found = _of(error)
    if found.status == 500:
        log.error("admin_failed", exc_info=error)
    told = {"error": {"kind": found.kind, "message": found.message}}
    return answer(told, found.status, found.headers)


async def body_of(request: web.Request, type: type[T]) -> T:
    """The body as these fields and no others. Raises AdminError (`bad_request`), which names the field."""
    data = await _read(request)
    try:
        return msgspec.json.decode(data or b"{}", type=type)
    except msgspec.MsgspecError as error:
        raise AdminError(400, "bad_request", f"the body cannot be used: {error}") from None
    except (UnicodeDecodeError, RecursionError):
        raise AdminError(400, "bad_request", "the body is no JSON") from None


async def _read(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_BYTES:  # before any of it has come
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise AdminError(408, "too_slow", f"the body has not come within {BODY_SECONDS:g} s") from None


def _too_large() -> AdminError:
    return AdminError(413, "too_large", f"the body is larger than {BODY_BYTES:,} bytes")


def _of(error: Exception) -> AdminError:
    match error:
        case AdminError():
            return error
        case StoreError(kind="away"):
            return AdminError(503, "redis_away", "Redis does not answer; try again when it is back")
        case StoreError(kind="refusing"):
            said = "Redis takes no writes: give it memory, disk or its primary back, then try again"
            return AdminError(503, "redis_refuses", said)
        case TemplateError() | RequestError():
            return AdminError(422, error.kind, str(error))
        case WireError():
            return AdminError(422, error.kind, f"the event: {error}")
        case web.HTTPException():
            return _of_http(error)
        case _:
            return AdminError(500, "internal", "something went wrong here; the log of the worker says what")


def _of_http(error: web.HTTPException) -> AdminError:
    """What aiohttp raises by itself."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return AdminError(405, "wrong_method", f"{error.method} is not possible here; {allowed} is", {"Allow": allowed})
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _too_large()
    if error.status == 404:
        return AdminError(404, "no_such_path", "there is nothing at this path")
    return AdminError(error.status, "http", error.reason)
