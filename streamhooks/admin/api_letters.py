"""`/api/v1/dead`: dead letters, a page of them, one of them whole, and their replay."""

from collections.abc import Sequence

from aiohttp import web
from msgspec import Struct

from streamhooks.admin.answers import AdminError, answer, body_of
from streamhooks.admin.asked import ChosenLetters, chosen, filters
from streamhooks.admin.desk import Desk
from streamhooks.operations.choice import Choice, is_name
from streamhooks.operations.letters import Found, Search, newest
from streamhooks.operations.shown import row, whole
from streamhooks.store.dead import DeadLetters, Letter
from streamhooks.store.keys import Keys

PAGE = 50
LARGEST_PAGE = 200


class Replayed(Struct):
    """What became of a replay."""

    matching: int = 0
    """Letters that were found and can be replayed; more than `limit` are not looked at unless it is a dry run."""
    replayed: list[str] = []
    gone: list[str] = []
    """Somebody else took these meanwhile."""
    not_replayable: int = 0
    """Letters that never were an event that can be read."""
    missing: list[str] = []
    """Ids that no letter was found for."""
    until: str = ""
    """The newest letter that was found: who goes on with this as `until` meets no letter that died again."""
    more: bool = False


class LettersApi:
    """Lists, shows, replays."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/dead", self._list),
            web.get("/api/v1/dead/{id}", self._show),
            web.post("/api/v1/dead/replay", self._replay),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        asked = filters(request, "handler", "type", "reason", "since", "until", "limit", "before")
        size, before = _size(asked.pop("limit")), asked.pop("before")
        try:
            page = await newest(self._desk.client, self._desk.settings, chosen(asked), size, before)
        except ValueError:
            raise AdminError(400, "bad_request", "before is none that a page has given as next") from None
        return answer({"letters": [row(found) for found in page.found], "next": page.following, "total": page.total})

    async def _show(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._found(id)
        if not found:
            raise AdminError(404, "no_such_letter", "there is no dead letter of this id; it may have been replayed")
        return answer({"letters": [whole(one, reveal=False) for one in found]})

    async def _found(self, id: str) -> list[Found]:
        if not is_name(id):
            return []
        search = Search(self._desk.client, self._desk.settings, Choice(ids=(id,)))
        return [found async for found in search.found()]

    async def _replay(self, request: web.Request) -> web.Response:
        body = await body_of(request, ChosenLetters)
        search = Search(self._desk.client, self._desk.settings, body.choice())
        done = Replayed()
        by_stream: dict[Keys, list[Letter]] = {}
        async for found in search.found():
            if not found.letter.record.event:
                done.not_replayable += 1
                continue
            if done.matching >= body.limit and not body.dry_run:
                done.more = True
                break
            done.matching += 1
            done.until = max(done.until, found.letter.id, key=_order)
            if not body.dry_run:
                by_stream.setdefault(found.keys, []).append(found.letter)
        done.missing = list(search.missing) if not done.more else []
        try:
            for keys, letters in by_stream.items():
                await self._put_back(keys, letters, done, force=body.force)
        finally:
            if not body.dry_run:  # also what was done before Redis went away
                self._tell(request, body, done)
        return answer(done)

    async def _put_back(self, keys: Keys, letters: Sequence[Letter], done: Replayed, *, force: bool) -> None:
        ids = await DeadLetters(self._desk.client, keys).replay(letters, force=force)
        done.replayed += ids
        done.gone += [letter.id for letter in letters if letter.id not in set(ids)]

    def _tell(self, request: web.Request, body: ChosenLetters, done: Replayed) -> None:
        self._desk.audit(
            request, "replay_letters", ids=body.ids[:10], handler=body.handler, type=body.type, reason=body.reason,
            since=body.since, until=body.until, force=body.force, replayed=len(done.replayed), gone=len(done.gone),
        )  # fmt: skip


def _size(text: str) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise AdminError(400, "bad_request", f"limit must be from 1 to {LARGEST_PAGE}")
    return int(text)


def _order(id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in id.split("-")) if id else ()
