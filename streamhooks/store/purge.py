"""Throwing dead letters away, for good.

The letter and the mark that it left on its cool-down go in one step: the mark alone would suppress the next event of
its kind on the strength of a letter that nobody can replay any more.
"""

from redis.asyncio import Redis

from streamhooks.store.dead import Letter
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_purge = Script("purge_letter")


async def purge(client: Redis, keys: Keys, letter: Letter) -> bool:
    """Removes the letter; False when it is gone already. Raises StoreError."""
    record = letter.record
    names = [keys.dead, keys.totals, keys.cool(record.handler, record.fingerprint)]
    return bool(await _purge(client, names, [letter.id, record.owner]))
