"""`/api/v1/events` and `/api/v1/status`: how it stands, told while it happens, to a bounded number of clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from streamhooks.admin.feed import MOST_CLIENTS, MOST_WAITING, Client, message
from streamhooks.store.snapshots import HandlerSnapshot, Snapshot, save
from tests.admin.asking import Door, door
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.waiting import eventually

ALL = {"journal": "all"}


class Stream:
    """What one client has heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def of(self, name: str) -> list[Any]:
        return [data for told, data in self.heard if told == name]

    @property
    def outcomes(self) -> list[Any]:
        return [note for notes in self.of("outcomes") for note in notes]


@asynccontextmanager
async def looking(ours: Door) -> AsyncIterator[Stream]:
    """A client that reads what comes."""
    found = Stream()
    async with ours.session.get("/api/v1/events") as reply:
        assert (reply.status, reply.content_type) == (200, "text/event-stream")

        async def read() -> None:
            while True:
                block = await reply.content.readuntil(b"\n\n")
                name, data = block.decode().strip().split("\n")
                decoded = msgspec.json.decode(data.removeprefix("data: "))
                found.heard.append((name.removeprefix("event: "), decoded))

        task = asyncio.create_task(read())
        try:
            await eventually(lambda: found.of("hello"))
            yield found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_who_looks_is_told_who_answers_and_how_it_stands_every_second(rig: Rig) -> None:
    async with door(rig, worker=ALL) as ours, looking(ours) as stream:
        await eventually(lambda: len(stream.of("sample")) >= 2)
    (hello,) = stream.of("hello")
    assert hello == {
        "worker": ours.worker.consumer, "stream": "gateway:events", "group": "streamhooks", "journal": "all",
        "history": [],
    }  # fmt: skip
    sample = stream.of("sample")[-1]
    assert (sample["redis"], sample["workers"], sample["handlers"][0]["id"]) == ("ok", 1, "h")
    assert sample["backlog"] == {
        "lag": 0, "pending": 0, "parked": 0, "due": 0, "held": 0, "dead": 0, "total": 0, "oldest_pending": 0.0,
    }  # fmt: skip


async def test_outcomes_come_in_the_moment_they_happen_and_the_rates_with_the_next_sample(rig: Rig) -> None:
    rig.endpoint.script(503, 200)
    async with door(rig, worker=ALL) as ours, looking(ours) as stream:
        await eventually(lambda: stream.of("sample"))
        entry = await rig.publish("abc")
        await eventually(lambda: len(stream.outcomes) == 2)
        await eventually(lambda: any(one["per_second"]["delivered"] > 0 for one in stream.of("sample")))
        await eventually(lambda: stream.of("sample")[-1]["handlers"][0]["delivered"] == 1)
    assert [(note["entry"], note["what"], note["attempt"]) for note in stream.outcomes] == [
        (entry, "retry", 1), (entry, "delivered", 2),
    ]  # fmt: skip
    handler = stream.of("sample")[-1]["handlers"][0]
    assert (handler["attempts"], handler["failures"], handler["state"]) == (2, 1, "active")
    assert handler["p99"] > 0


async def test_what_was_before_is_not_told_as_if_it_were_now(rig: Rig) -> None:
    async with door(rig, worker=ALL) as ours:
        await rig.publish("before")
        await rig.settled(delivered=1)
        async with looking(ours) as stream:
            await eventually(lambda: stream.of("sample"))
            entry = await rig.publish("after")
            await eventually(lambda: stream.outcomes)
    assert [note["entry"] for note in stream.outcomes] == [entry]


async def test_a_page_that_is_loaded_again_has_its_curves(rig: Rig) -> None:
    async with door(rig) as ours:
        async with looking(ours) as stream:
            await eventually(lambda: len(stream.of("sample")) >= 2)
        async with looking(ours) as again:
            (hello,) = again.of("hello")
    assert [point[0] for point in hello["history"]][:2] == [sample["at"] for sample in stream.of("sample")][:2]


async def test_outcomes_of_every_partition_are_told(rig: Rig) -> None:
    async with door(rig, stream={"partitions": 2}, worker=ALL) as ours, looking(ours) as stream:
        await eventually(lambda: stream.of("sample"))
        for number in range(2):
            await rig.redis.xadd(f"gateway:events:{number}", {"type": "AuthFailure", "key": f"k{number}"})
        await eventually(lambda: len(stream.outcomes) == 2)


async def test_a_pause_shows_in_the_next_sample(rig: Rig) -> None:
    async with door(rig) as ours, looking(ours) as stream:
        await ours.done("/api/v1/handlers/h/pause", {"why": "maintenance"})
        await eventually(lambda: stream.of("sample") and stream.of("sample")[-1]["handlers"][0]["state"] == "paused")
    assert stream.of("sample")[-1]["handlers"][0]["why"] == "maintenance"


async def test_the_figures_of_other_workers_are_added(rig: Rig) -> None:
    async with door(rig) as ours:
        other = HandlerSnapshot(delivered=41, attempts=50, failures=9, per_second=4.0, p50=0.1, p99=2.5, breaker="open")
        await rig.redis.xgroup_createconsumer(rig.keys.stream, "streamhooks", "other")
        await save(rig.redis, rig.keys, Snapshot("other", "1.0", 60, {"h": other}))
        await rig.publish("abc")
        await rig.settled(delivered=1)
        status = await ours.got("/api/v1/status")
    (handler,) = status["handlers"]
    assert status["workers"] == 2
    assert (handler["delivered"], handler["attempts"], handler["failures"]) == (42, 51, 9)
    assert (handler["p50"], handler["p99"], handler["breaker"]) == (0.1, 2.5, "open")


async def test_there_are_only_so_many_clients_and_one_that_leaves_makes_room(rig: Rig) -> None:
    async with door(rig) as ours, AsyncExitStack() as clients:
        for _ in range(MOST_CLIENTS - 1):
            await clients.enter_async_context(looking(ours))
        async with looking(ours):
            answered = await ours.get("/api/v1/events")
            said = "16 consoles are open at this worker; close one, or ask another worker"
            assert answered.refusal == (503, "too_many_clients", said)

        async def let_in() -> bool:
            async with ours.session.get("/api/v1/events") as reply:
                return reply.status == 200

        await eventually(let_in)


async def test_a_client_that_does_not_keep_up_loses_the_oldest_and_is_told_how_many() -> None:
    client = Client()
    for number in range(MOST_WAITING + 7):
        client.put(message("sample", number))
    told = await client.next()
    assert told is not None
    blocks = told.decode().split("\n\n")[:-1]
    assert blocks[0] == 'event: lost\ndata: {"messages":7}'
    assert blocks[1] == "event: sample\ndata: 7"
    assert blocks[-1] == f"event: sample\ndata: {MOST_WAITING + 6}"


async def test_a_hostile_event_cannot_make_a_message_of_its_own(rig: Rig) -> None:
    rig.endpoint.script(Answer(422, b"event: hello\ndata: {}\n\n"))
    async with door(rig, worker=ALL) as ours, looking(ours) as stream:
        await eventually(lambda: stream.of("sample"))
        await rig.add({"d": msgspec.json.encode({"type": "Evil\u2028 event: hello", "meta": {"Key": "a\n\ndata: {}"}})})
        await eventually(lambda: stream.outcomes)
        await eventually(lambda: len(stream.of("sample")) > 1)
    assert len(stream.of("hello")) == 1
    assert stream.outcomes[0]["answer"] == "event: hello\ndata: {}\n\n"
