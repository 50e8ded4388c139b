"""`/api/v1/replay`: past events fired again from the stream's history, as new webhooks."""

import secrets

from aiohttp import web
from msgspec import Struct

from streamhooks.admin.answers import answer, body_of
from streamhooks.admin.asked import Chosen
from streamhooks.admin.desk import Desk
from streamhooks.operations.past import Firing, LeftOut, Walk
from streamhooks.store.history import History, records
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record


class Fired(Struct):
    """What became of a replay of history."""

    run: str
    """Names it; the webhook-ids of what it fires end in it."""
    matching: int = 0
    """Webhooks that were found; more than `limit` are not looked for unless it is a dry run."""
    replayed: int = 0
    events: int = 0
    up_to: str = ""
    """The id up to which everything that is meant is on its way."""
    more: bool = False
    """There is more above `up_to`."""
    left_out: dict[str, int] = {}
    missing: list[str] = []


class HistoryApi:
    """Replays history."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/v1/replay", self._replay)]

    async def _replay(self, request: web.Request) -> web.Response:
        body = await body_of(request, Chosen)
        choice = body.choice()
        if choice.handler:
            self._desk.handler(choice.handler)
        walk = Walk(self._desk.client, self._desk.loaded, choice)
        done = Fired(run="" if body.dry_run else secrets.token_hex(4))
        batch: list[Firing] = []
        async for firing in walk.firings():
            # What lies at one id goes together, so that up_to says how far it has come.
            full = done.matching + len(firing.handlers) > body.limit and done.matching > 0
            if full and not body.dry_run and firing.event.id != done.up_to:
                done.more = True
                break
            done.matching += len(firing.handlers)
            done.events += 1
            done.up_to = firing.event.id
            if not body.dry_run:
                batch.append(firing)
        done.left_out = _told(walk.left_out)
        done.missing = [] if done.more else list(walk.missing)
        if not body.dry_run:
            await self._fire(request, body, batch, done)
        return answer(done)

    async def _fire(self, request: web.Request, body: Chosen, batch: list[Firing], done: Fired) -> None:
        by_stream: dict[Keys, list[Record]] = {}
        for firing in batch:
            own = records(firing.event, firing.handlers, done.run, force=body.force)
            by_stream.setdefault(firing.keys, []).extend(own)
        try:
            for keys, some in by_stream.items():
                done.replayed += await History(self._desk.client, keys, self._desk.settings.stream.group).replay(some)
        finally:
            self._desk.audit(
                request, "replay_history", run=done.run, ids=body.ids[:10], handler=body.handler, type=body.type,
                since=body.since, until=body.until, force=body.force, replayed=done.replayed, of=done.matching,
            )  # fmt: skip


def _told(left: LeftOut) -> dict[str, int]:
    return {
        "not_acknowledged": left.not_acknowledged,
        "undecodable": left.undecodable,
        "unmatched": left.unmatched,
    }
