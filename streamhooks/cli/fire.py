"""`fire`: one request of a handler, sent now, outside of stream and cool-down.

Endpoints like to repeat what they were sent: credentials of the event and of the headers are masked in the answer.
"""

import asyncio
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from msgspec.structs import replace

from streamhooks.cli.opening import add_config, add_json, configuration
from streamhooks.cli.output import complain, document, lines, printable, say
from streamhooks.cli.trial import add_trial, event_of, handler_of, tell_unfired
from streamhooks.delivery.request import RequestMaker
from streamhooks.handlers.handler import Handler
from streamhooks.masking import HIDDEN, credentials
from streamhooks.model import Event, Failure, Reply, Request
from streamhooks.secret import Secret
from streamhooks.sender import Sender

EXAMPLE = "streamhooks fire --handler security-slack --event AuthFailure"
SHORTEST = 4
"""Characters of a credential that is looked for in an answer: a shorter one is found in any text."""


def arguments(parser: ArgumentParser) -> None:
    add_trial(parser)
    parser.add_argument("--reveal", action="store_true", help="show credentials that the answer repeats")
    add_config(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = configuration(args)
    handler = handler_of(loaded, args.handler)
    event = event_of(args.event, handler, loaded.settings.worker.max_event_bytes)
    # A new id every time: a receiver that dedupes on the webhook-id would not show the second one.
    event = replace(event, id=f"{time.time_ns() // 1_000_000}-0")
    tell_unfired(handler, event)
    request = RequestMaker(handler).make(event)
    answer = asyncio.run(_send(request, handler))
    if isinstance(answer, Failure):
        return _failed(answer, as_json=args.json)
    return _replied(answer, [] if args.reveal else _secrets(event, request), as_json=args.json)


async def _send(request: Request, handler: Handler) -> Reply | Failure:
    async with Sender() as sender:
        return await sender.send(request, handler)


def _secrets(event: Event, request: Request) -> list[str]:
    """The longest first, so that no part of one is left where another was masked."""
    sent = [value.reveal() for _, value in request.headers if isinstance(value, Secret)]
    # `Bearer abc`: an endpoint may repeat the token by itself.
    words = {*credentials(event.meta), *sent, *(value.rpartition(" ")[2] for value in sent)}
    return sorted((word for word in words if len(word) >= SHORTEST), key=len, reverse=True)


def _failed(failure: Failure, *, as_json: bool) -> int:
    if as_json:
        document({"failure": failure.kind, "message": failure.message, "seconds": round(failure.elapsed, 3)})
    way_out = "; if that is meant, allow_cidrs of the handler opens it" if failure.kind == "blocked" else ""
    complain(f"no answer after {failure.elapsed:.3f} s ({failure.kind}): {printable(failure.message)}{way_out}")
    return 1


def _replied(reply: Reply, secrets: list[str], *, as_json: bool) -> int:
    body = _without(reply.head.decode("utf-8", "backslashreplace"), secrets)
    headers = {name: _without(value, secrets) for name, value in reply.headers.items()}
    if as_json:
        document({"status": reply.status, "headers": headers, "body": body, "seconds": round(reply.elapsed, 3)})
    else:
        say(f"{reply.status} after {reply.elapsed:.3f} s\n{_headers(headers)}\n\n{lines(body)}")
    well = 200 <= reply.status < 300
    if not well:
        complain(f"status {reply.status} is no 2xx: a worker would not count it as delivered")
    return 0 if well else 1


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _headers(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {printable(value)}" for name, value in headers.items())
