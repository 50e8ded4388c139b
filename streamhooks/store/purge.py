"""Throwing dead letters away, for good.

The letter and the mark that it left on its cool-down go in one step: the mark alone would suppress the next event of
its kind on the strength of a letter that nobody can replay any more.
"""

from collections.abc import Sequence

from redis.asyncio import Redis

from streamhooks.store.connection import Word
from streamhooks.store.dead import Letter
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script, calls

_purge = Script("purge_letters")


async def purge(client: Redis, keys: Keys, letters: Sequence[Letter]) -> list[str]:
    """Removes letters; the ids of those that were still there. Raises StoreError."""
    purged: list[str] = []
    for part in calls(letters, lambda _: 0):
        names = [keys.dead, keys.totals]
        words: list[Word] = []
        for letter in part:
            names.append(keys.cool(letter.record.handler, letter.record.fingerprint))
            words += (letter.id, letter.record.owner)
        purged += [id.decode() for id in await _purge(client, names, words)]
    return purged
