"""streamhooks' own events on their way into the stream, where they are entries like any other."""

from collections.abc import Mapping

from redis.asyncio import Redis

from streamhooks.store.connection import Word
from streamhooks.store.keys import Keys
from streamhooks.store.scripts import Script

_tell = Script("tell")


async def tell(
    client: Redis, keys: Keys, kind: str, handler: str, fields: Mapping[str, bytes], again_after: float
) -> bool:
    """Adds the entry; False where one of this kind and handler was added less than `again_after` seconds ago.

    Raises StoreError.
    """
    words: list[Word] = [int(again_after * 1000)]
    for name, value in fields.items():
        words += [name, value]
    return bool(await _tell(client, [keys.told(kind, handler), keys.stream], words))
