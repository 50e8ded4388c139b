"""Where the handlers' targets lead from here, and what the guard on destinations will say to it.

A hint, never a verdict: what guards is the check of the address that is connected to, when it is connected to, and the
machine of a worker may know other names than this one.
"""

import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from streamhooks.delivery.targets import OPEN_BY_DEFAULTS, OPEN_BY_HANDLER, Policy
from streamhooks.errors import Fault
from streamhooks.handlers.handler import Handler

SECONDS = 3.0
"""For all names together: a machine without a resolver must not make `check` slow."""


def unreachable(handlers: Sequence[Handler], of_tyk: Collection[str] = ()) -> Iterator[Fault]:
    """One for each handler whose target cannot be looked up, or is an address that `allow_cidrs` does not open.

    `of_tyk` are the ids of those from Tyk's own files, which cannot say `allow_cidrs` themselves.
    """
    # A proxy looks the name up itself, and guards.
    hosts = {handler.id: urlsplit(handler.origin).hostname or "" for handler in handlers if not handler.route.proxy}
    known = looked_up(sorted(set(hosts.values())))
    for handler in handlers:
        host = hosts.get(handler.id)
        if host is None:
            continue
        addresses = known.get(host)
        if not addresses:
            yield _at_target(handler, f"{host} could not be looked up from here")
            continue
        policy = Policy(handler.route.allow_cidrs)
        closed = {address: said for address in addresses if (said := policy.verdict(address))}
        if closed:
            cidrs = ", ".join(f'"{address}/{128 if ":" in address else 32}"' for address in closed)
            way_out = (OPEN_BY_DEFAULTS if handler.id in of_tyk else OPEN_BY_HANDLER).format(cidrs)
            yield _at_target(handler, f"{'; '.join(closed.values())}; if that is meant, {way_out}")


def looked_up(hosts: Sequence[str]) -> dict[str, list[str]]:
    """The addresses of each host that could be looked up in time."""
    known: dict[str, list[str]] = {}

    def look_up(host: str) -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        known[host] = sorted({str(address[0]) for *_, address in found})

    # Not the executor of asyncio: leaving that one waits for a resolver that does not answer.
    threads = [threading.Thread(target=look_up, args=(host,), daemon=True) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS / len(threads))
    return dict(known)


def _at_target(handler: Handler, message: str) -> Fault:
    return Fault(handler.place or handler.id, "", f"target: {message}")
