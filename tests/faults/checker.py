"""What must be true when everything has drained: Jepsen's total-queue checker, with our own numbers in the payload.

    lost         acknowledged by XADD, and neither delivered nor in the dead letters
    unexpected   delivered though nobody tried to publish it
    recovered    delivered though the XADD's outcome was unknown
    duplicated   deliveries answered 2xx beyond the first of an event at a handler

What Redis itself lost (no persistence, a failover before replication, foreign trimming) is excused by name and counted
apart. Every broken law is a sentence in `broken`; an experiment is valid when there is none.
"""

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct
from redis.asyncio import Redis

from streamhooks import wire
from streamhooks.store.connection import ask
from streamhooks.store.keys import Keys
from streamhooks.store.record import Record
from tests.faults.load import STREAM, Load
from tests.faults.sink import Key, Sink

GROUP = "streamhooks"
KEYS = Keys.of(STREAM)
PATHS: Mapping[str, tuple[str, ...]] = {"Load": ("/one",), "Pair": ("/one", "/two"), "Hang": ("/hang",)}
"""The handlers that each type of event fires, by the path that they call."""
TERMS = ("delivered", "suppressed", "dead", "stored", "unmatched")


class Verdict(Struct, frozen=True):
    """What an experiment came to."""

    events: int
    """Acknowledged XADDs."""
    lost: int
    unexpected: int
    duplicated: int
    recovered: int
    lost_by_redis: int
    dead: int
    account: Mapping[str, int]
    broken: tuple[str, ...]
    """The laws that do not hold, in words."""
    recovery: float | None = None
    """Seconds until things went on after the fault, where the experiment measures it."""
    notes: str = ""


async def judge(
    client: Redis,
    sink: Sink,
    load: Load,
    *,
    excused: frozenset[int] = frozenset(),
    most_duplicates: int = 0,
    account: bool = True,
    recovery: float | None = None,
    most_recovery: float | None = None,
    notes: str = "",
) -> Verdict:
    """The verdict after a complete drain.

    `excused`: events that Redis may have lost. `most_duplicates`: the deliveries in flight at the crashes.
    `account`: whether T:totals can be whole, which it is not where Redis lost writes. Seconds for the rest.
    """
    letters = await _buried(client, load)
    buried = set(letters)
    missing = outstanding(sink, load) - buried
    by_redis = {key for key in missing if key.seq in excused}
    unexpected = {key for key in sink.arrivals if key.seq not in load.attempted}
    duplicated = sum(sink.delivered.values()) - len(sink.delivered)
    totals = {name.decode(): int(value) for name, value in (await client.hgetall(KEYS.totals)).items()}  # type: ignore[union-attr]  # bytes
    broken = [
        *_said("lost", sorted(f"{key.seq}{key.path}" for key in missing - by_redis)),
        *_said("unexpected", sorted(f"{key.seq}{key.path}" for key in unexpected)),
        *_said("a webhook-id changed", sorted(str(key) for key, ids in sink.webhook_ids.items() if len(ids) > 1)),
        *_said("a signature does not verify", sink.unverified),
        *_said("dead-lettered twice", [f"{key.seq}{key.path}" for key, count in letters.items() if count > 1]),
        *(await _left(client)),
    ]
    if duplicated > most_duplicates:
        broken.append(f"duplicated {duplicated}, at most {most_duplicates} were in flight")
    if account:
        broken += _unbalanced(totals)
    if recovery is not None and most_recovery is not None and recovery > most_recovery:
        broken.append(f"went on after {recovery:.1f} s, at most {most_recovery:g} s are promised")
    unknown = load.attempted - load.acknowledged.keys()
    return Verdict(
        events=len(load.acknowledged),
        lost=len(missing - by_redis),
        unexpected=len(unexpected),
        duplicated=duplicated,
        recovered=len({key.seq for key in sink.delivered if key.seq in unknown}),
        lost_by_redis=len(by_redis),
        dead=len(buried),
        account=totals,
        broken=tuple(broken),
        recovery=recovery,
        notes=notes,
    )


def outstanding(sink: Sink, load: Load) -> set[Key]:
    """What was acknowledged by XADD and not delivered."""
    wanted = {Key(seq, path) for seq in load.acknowledged for path in PATHS[load.types[seq]]}
    return wanted - set(sink.delivered)


async def gone(client: Redis, load: Load) -> frozenset[int]:
    """Acknowledged events whose entries Redis does not have any more: we trim nothing that is a day old or less."""
    kept = {id.decode() for id, _ in await ask(client, "XRANGE", STREAM, "-", "+")}
    return frozenset(seq for seq, id in load.acknowledged.items() if id not in kept)


async def _buried(client: Redis, load: Load) -> Counter[Key]:
    """The events of the dead letters, as their handlers' paths; a whole entry that was given up, as all of its own."""
    found: Counter[Key] = Counter()
    seqs = {id: seq for seq, id in load.acknowledged.items()}
    for _, fields in await ask(client, "XRANGE", KEYS.dead, "-", "+"):
        record = Record.read(fields)
        if record.event:
            event = wire.unpack_event(record.event, attempt=1, only=record.handler, run="")
            found[Key(int(event.meta["seq"]), f"/{record.handler}")] += 1
        elif record.origin in seqs:
            seq = seqs[record.origin]
            found.update(Key(seq, path) for path in PATHS[load.types[seq]])
    return found


async def _left(client: Redis) -> list[str]:
    """What is not done yet."""
    broken: list[str] = []
    for key in (STREAM, KEYS.retry):
        if await client.exists(key) and any(g["name"] == GROUP.encode() for g in await client.xinfo_groups(key)):
            pending = (await client.xpending(key, GROUP))["pending"]
            if pending:
                broken.append(f"{pending} pending in {key}")
    for name, count in (("retry", await client.xlen(KEYS.retry)), ("parked", await client.zcard(KEYS.parked))):
        if count:
            broken.append(f"{count} left in {name}")
    return broken


def _unbalanced(totals: Mapping[str, int]) -> list[str]:
    terms = {term: totals.get(term, 0) for term in TERMS}
    broken = []
    if totals.get("accepted", 0) != sum(terms.values()):
        broken.append(f"the account does not balance: accepted {totals.get('accepted', 0)}, {terms}")
    if terms["stored"]:
        broken.append(f"the account says that {terms['stored']} are stored, and nothing is")
    return broken


def _said(what: str, subjects: list[str]) -> list[str]:
    if not subjects:
        return []
    return [f"{what}: {', '.join(subjects[:5])}{f' and {len(subjects) - 5} more' if len(subjects) > 5 else ''}"]
