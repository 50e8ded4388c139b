"""Entries that are no events, among good ones: each becomes one dead letter, and its neighbours do not notice."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from streamhooks.store.connection import ask
from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Latencies, Memory
from tests.faults.lab import Lab
from tests.faults.load import STREAM
from tests.faults.stand import Stand, stand

PER_SECOND = 150
GOOD = 300
EACH = 4
DEEP = 100_000
LARGE_ONES = 30
LARGE = b"x" * 10_000_000
KINDS: Mapping[str, Mapping[bytes, bytes]] = {
    "no type": {b"d": b'{"meta": {"seq": 1}}'},
    "one empty field": {b"": b""},
    "10 MB": {b"d": b'{"type": "Load", "meta": {"text": "' + LARGE + b'"}}'},
    "bad MessagePack": {b"d": b"\x83\xa4type\xc1"},
    "bad JSON": {b"d": b'{"type": "Load", "meta": {"seq": 1}'},
    "invalid UTF-8": {b"type": b"Load", b"message": b"\xff\xfe"},
    "100,000 deep in JSON": {b"d": b'{"type": "Load", "meta": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}"},
    "100,000 deep in MessagePack": {b"d": b"\x82\xa4type\xa4Load\xa4meta\x81\xa1a" + b"\x91" * DEEP + b"\xc0"},
    "NaN": {b"type": b"Load", b"meta": msgspec.msgpack.encode({"seq": float("nan")})},
    "a number as a key": {b"d": msgspec.msgpack.encode({"type": "Load", "meta": {1: "one"}})},
    "meta is a list": {b"d": b'{"type": "Load", "meta": [1]}'},
    "type is a number": {b"d": b'{"type": 7, "meta": {}}'},
}


@experiment("poison of every kind among good events", smoke=True)
async def _poison(lab: Lab) -> Verdict:
    at = await stand(lab, in_flight=64)
    good = lab.scaled(GOOD)
    latencies = Latencies(at.sink, at.load)
    worker = await at.worker()
    memory = Memory(worker.pid)
    await at.load.stream(range(good), per_second=PER_SECOND)
    poison = await _mixed_in(at, range(good, 2 * good))
    await at.have_ended(2 * good + len(poison))
    took = memory.law()
    await at.stop(worker)
    buried = Counter(letter.origin for letter in await at.letters())
    assert set(buried) == set(poison), "other entries than the poison are dead"
    assert set(buried.values()) == {1}, "a dead letter was written twice"
    assert {letter.reason for letter in await at.letters()} == {"undecodable"}
    alone, beside = latencies.p99(range(good)), latencies.p99(range(good, 2 * good))
    return await at.verdict(
        notes=f"{len(buried)} dead of {len(KINDS)} kinds, p99 of the good ones {1000 * beside:.0f} ms "
        f"(without poison {1000 * alone:.0f} ms); {took}"
    )


async def _mixed_in(at: Stand, seqs: range) -> list[str]:
    """Adds good events at the same pace as before, poison between them; the ids of the poison."""
    kinds = [fields for fields in KINDS.values() for _ in range(at.lab.scaled(EACH))]
    at.lab.rng.shuffle(kinds)
    step = len(seqs) // len(kinds)
    ids = []
    for number, fields in enumerate(kinds):
        first = seqs.start + number * step
        await at.load.stream(range(first, first + step), per_second=PER_SECOND)
        ids.append(await _add(at, fields))
    await at.load.stream(range(seqs.start + len(kinds) * step, seqs.stop), per_second=PER_SECOND)
    return ids


async def _add(at: Stand, fields: Mapping[bytes, bytes]) -> str:
    id: bytes = await ask(at.client, "XADD", STREAM, "*", *(word for pair in fields.items() for word in pair))
    return id.decode()


@experiment("a backlog of entries of 10 MB")
async def _large(lab: Lab) -> Verdict:
    """They come with one read, as many as a batch holds."""
    at = await stand(lab, in_flight=64)
    for number in range(LARGE_ONES):
        await at.load.publish([number])
        await _add(at, KINDS["10 MB"])
    worker = await at.worker()
    memory = Memory(worker.pid)
    await at.have_ended(2 * LARGE_ONES)
    took = memory.law()
    await at.stop(worker)
    return await at.verdict(notes=took)
