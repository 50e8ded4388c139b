"""`render`: the exact request that an event makes of a handler, printed and not sent."""

from argparse import ArgumentParser, Namespace

from streamhooks.cli.opening import add_config, add_json, configuration
from streamhooks.cli.output import complain, document, lines, say
from streamhooks.cli.trial import add_trial, event_of, handler_of, tell_unfired
from streamhooks.operations.trial import Shown, hidden_of, request_of

EXAMPLE = "streamhooks render --handler security-slack --event AuthFailure"


def arguments(parser: ArgumentParser) -> None:
    add_trial(parser)
    parser.add_argument("--reveal", action="store_true", help="show headers that are secrets, and the event's key")
    add_config(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    loaded = configuration(args)
    handler = handler_of(loaded, args.handler)
    event = event_of(args.event, handler, loaded.settings.worker.max_event_bytes)
    tell_unfired(handler, event)
    request = request_of(handler, event, reveal=args.reveal)
    shown = Shown(request, reveal=args.reveal, hidden=() if args.reveal else hidden_of(event))
    if args.json:
        document(shown.told())
    else:
        say(page(shown))
    if handler.secrets:
        complain("signed when it is sent: webhook-timestamp and webhook-signature are added then")
    return 0


def page(shown: Shown) -> str:
    """Request line, headers, an empty line, the body; then the fingerprint."""
    path = shown.url.removeprefix(shown.request.endpoint) or "/"
    head = [f"{shown.request.method} {path} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in shown.headers()]
    return "\n".join([*head, "", lines(shown.body), "", f"fingerprint: {shown.request.fingerprint}"])
