"""Finds the event that an id speaks of, and gathers what its story needs from Redis."""

from collections.abc import Mapping

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.delivery.request import WebhookId, read_webhook_id
from streamhooks.files import Loaded
from streamhooks.flow.story.judging import Judged, judged
from streamhooks.flow.story.lines import owner_of
from streamhooks.flow.story.telling import Known, absence, ending, story
from streamhooks.flow.story.words import Story, Told
from streamhooks.store.dead import DeadLetters
from streamhooks.store.ids import is_id
from streamhooks.store.keys import Keys, partitions
from streamhooks.store.life import Mark, extent, life, mark


class Asked(Struct, frozen=True):
    """What an id may stand for."""

    text: str
    entry: str
    webhook: WebhookId | None
    """None: it is the id of an entry or of a dead letter."""


def asked(text: str) -> Asked | None:
    """None: it is no id."""
    webhook = read_webhook_id(text)
    entry = webhook.entry if webhook else text
    return Asked(text, entry, webhook) if is_id(entry) else None


async def explain(client: Redis, loaded: Loaded, meant: Asked, *, with_event: bool = False) -> Told:
    """Every event that the id speaks of, or why there is none. `with_event`: with its Meta. Raises StoreError."""
    stream = loaded.settings.stream
    every = partitions(stream.key, stream.partitions)
    webhook = meant.webhook
    if webhook is not None and webhook.partition >= len(every):
        said = f"the id is of partition {webhook.partition}, and stream.partitions is {len(every)}"
        return Told(id=meant.text, stories=(), unknown={stream.key: said})
    stories: list[Story] = []
    unknown: dict[str, str] = {}
    for number, keys in enumerate(every):
        if webhook is not None and webhook.partition != number:
            continue
        place = _At(client, loaded, number, keys)
        for id in await place.entries(meant):
            found = await place.story(id, webhook, with_event=with_event)
            stories += [] if found is None else [found]
        unknown[keys.stream] = absence(await extent(client, keys.stream), meant.entry, keys.stream)
    return Told(id=meant.text, stories=tuple(stories), unknown={} if stories else unknown)


class _At:
    """One partition, and what its events are judged by."""

    def __init__(self, client: Redis, loaded: Loaded, number: int, keys: Keys) -> None:
        self._client = client
        self._loaded = loaded
        self._number = number
        self._keys = keys

    async def entries(self, meant: Asked) -> list[str]:
        """The entry of this id, and that of the dead letter of this id."""
        if meant.webhook is not None:
            return [meant.entry]
        letters = [one async for one in DeadLetters(self._client, self._keys).letters(meant.entry, meant.entry)]
        return list(dict.fromkeys((meant.entry, *(one.record.origin for one in letters if is_id(one.record.origin)))))

    async def story(self, id: str, webhook: WebhookId | None, *, with_event: bool) -> Story | None:
        """None: nothing is known of such an event."""
        of = await self._judged(id)
        if not of.life.traced:
            return None
        marks = {
            handler: found
            for handler, fingerprint in of.fingerprints.items()
            if (found := await mark(self._client, self._keys, handler, fingerprint)) is not None
        }
        endings = {owner: await self._ending(owner, marks) for owner in of.duplicate_of}
        return story(of, Known(marks, endings), self._loaded.settings, webhook, with_event=with_event)

    async def _ending(self, owner: str, marks: Mapping[str, Mark]) -> str:
        of = await self._judged(owner_of(owner).entry)
        return ending(of, Known(marks), self._loaded.settings, owner)

    async def _judged(self, id: str) -> Judged:
        settings = self._loaded.settings
        found = await life(self._client, self._keys, settings.stream.group, id)
        return judged(found, self._number, self._loaded.handlers, settings.worker.max_event_bytes)
