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
from streamhooks.handlers.handler import Handler
from streamhooks.model import Failure, Reply, Request
from streamhooks.operations.trial import answered, request_of, secrets_of
from streamhooks.sender import Sender

EXAMPLE = "streamhooks fire --handler security-slack --event AuthFailure"


def arguments(parser: ArgumentParser) -> None:
    add_trial(parser)
    parser.add_argument("--reveal", action="store_true", help="show the reply as it is, where it repeats secrets too")
    add_config(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = configuration(args)
    handler = handler_of(loaded, args.handler)
    event = event_of(args.event, handler, loaded.settings.worker.max_event_bytes)
    # A new id every time: a receiver that dedupes on the webhook-id would not show the second one.
    event = replace(event, id=f"{time.time_ns() // 1_000_000}-0")
    tell_unfired(handler, event)
    request = request_of(handler, event, reveal=args.reveal)
    answer = asyncio.run(_send(request, handler))
    if isinstance(answer, Failure):
        return _failed(answer, request.endpoint, as_json=args.json)
    return _replied(answer, [] if args.reveal else secrets_of(event, request), as_json=args.json)


async def _send(request: Request, handler: Handler) -> Reply | Failure:
    async with Sender() as sender:
        return await sender.send(request, handler)


def _failed(failure: Failure, endpoint: str, *, as_json: bool) -> int:
    if as_json:
        document(answered(failure, ()))
    way_out = "; if that is meant, allow_cidrs of the handler opens it" if failure.kind == "blocked" else ""
    after = f"no answer from {endpoint} after {failure.elapsed:.3f} s ({failure.kind})"
    complain(f"{after}: {printable(failure.message)}{way_out}")
    return 1


def _replied(reply: Reply, secrets: list[str], *, as_json: bool) -> int:
    told = answered(reply, secrets)
    if as_json:
        document(told)
    else:
        say(f"{reply.status} after {reply.elapsed:.3f} s\n{_headers(told['headers'])}\n\n{lines(told['body'])}")
    well = 200 <= reply.status < 300
    if not well:
        complain(f"status {reply.status} is no 2xx: a worker would not count it as delivered")
    return 0 if well else 1


def _headers(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {printable(value)}" for name, value in headers.items())
