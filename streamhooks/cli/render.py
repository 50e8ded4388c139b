"""`render`: the exact request that an event makes of a handler, printed and not sent."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from streamhooks.cli.opening import add_config, add_json, configuration
from streamhooks.cli.output import complain, document, lines, say
from streamhooks.cli.trial import add_trial, event_of, handler_of, hidden_of, request_of, tell_unfired
from streamhooks.delivery.masking import without
from streamhooks.model import Request
from streamhooks.secret import revealed

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
        say(shown.page())
    if handler.secrets:
        complain("signed when it is sent: webhook-timestamp and webhook-signature are added then")
    return 0


class Shown:
    """A request as it is shown: Content-Length and fingerprint are those of what would be sent."""

    def __init__(self, request: Request, *, reveal: bool, hidden: Sequence[str]) -> None:
        self._request = request
        self._reveal = reveal
        self._hidden = hidden

    @property
    def _url(self) -> str:
        return without(self._request.url, self._hidden)

    @property
    def _body(self) -> str:
        return without(self._request.body.decode("utf-8", "backslashreplace"), self._hidden)

    def _headers(self) -> list[tuple[str, str]]:
        """Every line of the head but the first, with those that the connection adds."""
        request = self._request
        lines = [("Host", urlsplit(request.url).netloc), ("Accept-Encoding", "identity")]
        for name, value in request.headers:
            lines.append((name, without(revealed(value) if self._reveal else str(value), self._hidden)))
        if request.body or request.method != "GET":  # as aiohttp frames it; a test compares it with what arrives
            lines.append(("Content-Length", str(len(request.body))))
        return lines

    def page(self) -> str:
        """Request line, headers, an empty line, the body; then the fingerprint."""
        path = self._url.removeprefix(self._request.endpoint) or "/"
        head = [f"{self._request.method} {path} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in self._headers()]
        return "\n".join([*head, "", lines(self._body), "", f"fingerprint: {self._request.fingerprint}"])

    def told(self) -> dict[str, Any]:
        return {
            "handler": self._request.handler_id,
            "method": self._request.method,
            "url": self._url,
            "headers": [list(line) for line in self._headers()],
            "body": self._body,
            "fingerprint": self._request.fingerprint,
        }
