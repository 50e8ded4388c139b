"""The cool-down of a request: claimed before sending, for many requests in one call.

The state machine is in lua/claim.lua and lua/settle.lua; the table of the states is in docs/internals.md.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from streamhooks.store.keys import Keys, tyk_mark
from streamhooks.store.scripts import Script

_claim = Script("claim")
_extend = Script("extend")
_packed = msgspec.msgpack.Encoder().encode

CLAIMS_PER_CALL = 128
"""A script of a hundred keys costs 1 to 2 us a key; a longer one holds the server up for nothing."""


class Claim(Struct, frozen=True, gc=False):
    """What a request asks for before it may be sent."""

    handler: str
    fingerprint: str
    owner: str
    """`<entry id>|<handler>`, of a replay `<entry id>~<run>|<handler>`: it outlives processes and retries."""
    window: float
    """The cool-down in seconds."""
    replay: bool = False


class Send(Struct, frozen=True, gc=False):
    """The claim is ours: send."""

    held: int = 0
    """How many duplicates the cool-down has held back and nobody has told of yet."""


class Done(Struct, frozen=True, gc=False):
    """This very owner was delivered before a crash: finish without sending."""


class Park(Struct, frozen=True, gc=False):
    """Another owner is sending the same request now: wait for its end."""


class Covered(Struct, frozen=True, gc=False):
    """Another owner's request stands for this one: it was delivered, is stored for retry, or is dead-lettered."""

    by: str


Verdict: TypeAlias = Send | Done | Park | Covered
_PLAIN: dict[bytes, Verdict] = {b"send": Send(), b"done": Done(), b"park": Park()}


class Claims:
    """The cool-downs of one stream."""

    def __init__(self, client: Redis, keys: Keys, lease: float, *, share_with_tyk: bool = False) -> None:
        self._client = client
        self._shared = share_with_tyk
        self._keys = keys
        self._lease = int(lease * 1000)

    async def claim(self, claims: Sequence[Claim]) -> list[Verdict]:
        """One verdict for each, in order. Raises StoreError; then nothing is known about any of them."""
        verdicts: list[Verdict] = []
        for at in range(0, len(claims), CLAIMS_PER_CALL):
            part = claims[at : at + CLAIMS_PER_CALL]
            asked = _packed([(claim.owner, int(claim.window * 1000), claim.replay) for claim in part])
            answers = await _claim(self._client, self._keys_of(part), (self._lease, asked))
            verdicts += [_PLAIN.get(word) or _read(word) for word in answers]
        return verdicts

    def _keys_of(self, claims: Sequence[Claim]) -> list[str]:
        names: list[str] = []
        for claim in claims:
            handler, fingerprint = claim.handler, claim.fingerprint
            names += (self._keys.cool(handler, fingerprint), self._keys.held(handler, fingerprint))
            if self._shared:
                names.append(tyk_mark(fingerprint))
        return names

    async def extend(self, claims: Sequence[Claim]) -> None:
        """Keeps claims alive that are still ours."""
        for at in range(0, len(claims), CLAIMS_PER_CALL):
            part = claims[at : at + CLAIMS_PER_CALL]
            keys = [self._keys.cool(claim.handler, claim.fingerprint) for claim in part]
            await _extend(self._client, keys, [self._lease, *(claim.owner for claim in part)])


def _read(word: bytes) -> Verdict:
    """`send 3` or `by <owner>`."""
    return Send(int(word[5:])) if word.startswith(b"send ") else Covered(word[3:].decode())
