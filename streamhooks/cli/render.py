"""`render`: the exact request that an event makes of a handler, printed and not sent."""

from argparse import ArgumentParser, Namespace

from streamhooks.cli.opening import add_config, add_json, configuration
from streamhooks.cli.output import complain, document, lines, say
from streamhooks.cli.trial import add_trial, event_of, handler_of, tell_unfired
from streamhooks.delivery.request import RequestMaker
from streamhooks.model import Request
from streamhooks.operations.trial import shown_headers, told

EXAMPLE = "streamhooks render --handler security-slack --event AuthFailure"


def arguments(parser: ArgumentParser) -> None:
    add_trial(parser)
    parser.add_argument("--reveal", action="store_true", help="show the values of headers that are secrets")
    add_config(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = configuration(args)
    handler = handler_of(loaded, args.handler)
    event = event_of(args.event, handler, loaded.settings.worker.max_event_bytes)
    tell_unfired(handler, event)
    request = RequestMaker(handler).make(event)
    if args.json:
        document(told(request, reveal=args.reveal))
    else:
        say(page(request, reveal=args.reveal))
    if handler.secrets:
        complain("signed when it is sent: webhook-timestamp and webhook-signature are added then")
    return 0


def page(request: Request, *, reveal: bool) -> str:
    """Request line, headers, an empty line, the body; then the fingerprint."""
    head = [f"{request.method} {_path(request)} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in shown_headers(request, reveal=reveal)]
    body = lines(request.body.decode("utf-8", "backslashreplace"))
    return "\n".join([*head, "", body, "", f"fingerprint: {request.fingerprint}"])


def _path(request: Request) -> str:
    return request.url.removeprefix(request.endpoint) or "/"
