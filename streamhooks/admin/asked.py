"""Which letters or events a request means: ids and filters, from a query or a body, read like the command line's."""

import time
from collections.abc import Mapping, Sequence
from typing import get_args

from aiohttp import web
from msgspec import Struct

from streamhooks.admin.answers import AdminError
from streamhooks.model import DeadReason
from streamhooks.operations.choice import Choice, is_name
from streamhooks.operations.moments import moment
from streamhooks.settings.rules import RefusedError
from streamhooks.store.ids import order

FILTERS = ("handler", "type", "reason", "since", "until")
MOST_IDS = 200
AT_ONCE = 1000
"""Webhooks that one request puts on their way at most."""


class Chosen(Struct, forbid_unknown_fields=True):
    """The part of a body that says which."""

    ids: list[str] = []
    handler: str = ""
    type: str = ""
    since: str = ""
    until: str = ""
    all: bool = False
    """Said on purpose where neither an id nor a filter is given."""
    force: bool = False
    dry_run: bool = False
    limit: int = AT_ONCE

    def choice(self) -> Choice:
        """Raises AdminError (`bad_request`)."""
        if not 1 <= self.limit <= AT_ONCE:
            raise _bad(f"limit is {self.limit}; must be from 1 to {AT_ONCE}")
        made = chosen({name: getattr(self, name, "") for name in FILTERS}, self.ids)
        if made.is_all and not self.all:
            raise _bad('give ids, a filter, or "all": true for everything there is')
        return made


class ChosenLetters(Chosen, forbid_unknown_fields=True):
    """Letters have a reason, too."""

    reason: str = ""


def filters(request: web.Request, *names: str) -> dict[str, str]:
    """The query, which may hold these and nothing else. Raises AdminError (`bad_request`)."""
    strange = sorted(set(request.query) - set(names))
    if strange:
        raise _bad(f"the query has what is not known here; it may have {', '.join(names)}")
    return {name: request.query.get(name, "") for name in names}


def chosen(given: Mapping[str, str], ids: Sequence[str] = ()) -> Choice:
    """What these FILTERS and ids mean. Raises AdminError (`bad_request`) for what cannot be meant."""
    now = time.time()
    if len(ids) > MOST_IDS:
        raise _bad(f"{len(ids)} ids are too many; at most {MOST_IDS} in one request")
    if not all(is_name(id) for id in ids):
        raise _bad("an id is none: it looks like 1795428000000-0, or is a webhook-id")
    if (reason := given["reason"]) and reason not in get_args(DeadReason):
        raise _bad(f"there is no such reason; the reasons are {', '.join(get_args(DeadReason))}")
    begin, end = _moment("since", given, now) or "-", _moment("until", given, now) or "+"
    if order(begin) > order(end, last=True):
        raise _bad("since is later than until")
    return Choice(tuple(dict.fromkeys(ids)), given["handler"], given["type"], reason, begin, end)


def _moment(name: str, given: Mapping[str, str], now: float) -> str:
    try:
        return moment(given[name], now) if given[name] else ""
    except RefusedError as refusal:
        raise _bad(f"{name} {refusal}") from None


def _bad(message: str) -> AdminError:
    return AdminError(400, "bad_request", message)
