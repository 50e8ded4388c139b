"""A lane that asks on a standing connection: no bug in it loses a job or a slot, and nothing is left by a stop."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest

from streamhooks.app import consumer_name
from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Failure, Reply, Request
from streamhooks.sender import Sender
from streamhooks.sender.asked import Asked, Heard
from streamhooks.store.connection import ask
from tests.flow.rig import Config, Rig
from tests.servers import Answer
from tests.waiting import eventually


class Unreadable(Mapping[str, str]):
    """Headers whose reading is a bug."""

    def __getitem__(self, name: str) -> str:
        raise RuntimeError("a bug in judging")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Wrong(Asked, kw_only=True):
    """What was asked, with a bug where its answer is looked at."""

    bug: str

    def answer(self, now: float) -> Reply | Failure | None:
        Asked.answer(self, now)
        match self.bug:
            case "answer":
                raise RuntimeError("a bug in answer")
            case "judging":
                return Reply(503, Unreadable(), b"", 0.0)
            case _:
                return None

    async def rest(self, clock: Callable[[], float]) -> Reply | Failure:
        raise RuntimeError("a bug in rest", clock)


class Buggy(Sender):
    """Has one bug, once, when it is told to."""

    bug = ""
    asked = 0
    """Requests that needed no task."""

    def ask(self, request: Request, handler: Handler, heard: Heard) -> bool:
        bug, self.bug = self.bug, ""
        if bug == "ask":
            raise RuntimeError("a bug in ask")

        def hear(asked: Asked) -> None:
            heard(Wrong(asked.link, asked.deadlines, asked.started, bug=bug) if bug else asked)

        done = super().ask(request, handler, hear)
        self.asked += done
        return done


@asynccontextmanager
async def sent_by(sender: Sender, rig: Rig, *handlers: Config, **sections: Config) -> AsyncIterator[Worker]:
    loaded = rig.loaded(*handlers, **sections)
    async with sender:
        worker = Worker(
            loaded.settings,
            Catalogue(loaded.handlers),
            sender=sender,
            consumer=consumer_name(),
            rng=random.Random(1),
        )
        async with rig._hurried() as stopping, worker:
            rig.workers.append(worker)
            try:
                yield worker
            finally:
                rig.workers.remove(worker)
                worker.stopping.set()
                stopping.set()


@pytest.mark.parametrize("bug", ["ask", "answer", "judging", "rest"])
async def test_a_bug_loses_neither_the_job_nor_the_slot_nor_the_connection(rig: Rig, bug: str) -> None:
    sender = Buggy()
    async with sent_by(sender, rig, rig.handler(concurrency=1)) as worker:
        await rig.publish("first")
        await rig.settled(delivered=1)
        sender.bug = bug
        await rig.publish_many(10)
        await eventually(lambda: rig.records.of("sending_failed"), saying="the bug was told")

        async def all_but_one() -> bool:
            return (await rig.totals()).get("delivered") == 10

        await eventually(all_but_one, saying="the others went on")
        (stored,) = (await eventually(rig.stored)).values()
        assert (stored.attempt, "internal error, see the log" in stored.why) == (1, True), stored.why
        await rig.due_now()
        await eventually(lambda: _delivered(rig, 11))
        lane = worker.lanes["h"]
        assert lane.in_flight == 0
        assert sender.asked >= 9, "they were asked"
    assert len(rig.records.of("sending_failed")) == 1
    assert not rig.records.of("internal_error")


async def _delivered(rig: Rig, count: int) -> bool:
    await rig.wake()
    return (await rig.totals()).get("delivered") == count


async def test_a_thousand_queued_jobs_behind_a_breaker_that_opens_are_stored_in_one_go(rig: Rig) -> None:
    """One after the other, not one within the other: that would be too deep."""
    rig.endpoint.script(200, Answer(500, then="hang"))
    handler = rig.handler(concurrency=1, breaker={"consecutive": 1, "open": 60, "open_cap": 60}, retry={"delays": [60]})
    sender = Buggy()
    async with sent_by(sender, rig, handler, worker={"in_flight": 8000}) as worker:
        await rig.publish("first")
        await rig.settled(delivered=1)
        await rig.publish_many(1200)
        await eventually(lambda: worker.room.active == 1200)
        assert sender.asked == 1, "the answer comes without a task"
        rig.endpoint.release()

        async def all_stored() -> bool:
            return int(await ask(rig.redis, "HLEN", rig.keys.parked_data)) == 1200

        await eventually(all_stored, within=15)
        assert worker.lanes["h"].in_flight == 0
        whys = [record.why for record in (await rig.stored()).values()]
        assert whys.count("breaker open") == 1199
    assert not rig.records.of("internal_error", "sending_failed")


async def test_what_was_asked_and_is_answered_ends_before_a_stop(rig: Rig) -> None:
    rig.endpoint.script(200, Answer(then="hang"))
    sender = Buggy()
    async with sent_by(sender, rig, rig.handler(concurrency=1), worker={"lease": 600}) as worker:
        await rig.publish("first")
        await rig.settled(delivered=1)
        await rig.publish_many(5)
        await eventually(lambda: sender.asked == 1 and worker.room.active == 5)

        async def let_it_end() -> None:
            await eventually(lambda: worker.stopping.is_set() and worker.room.active == 1)
            rig.endpoint.release()

        letting = asyncio.create_task(let_it_end())
    await letting
    assert await rig.totals() == {"accepted": 2, "delivered": 2}
    async with rig.working(rig.handler(), worker={"lease": 600}):
        await rig.settled(delivered=6, within=3.0)
    assert sorted(rig.arrived) == ["first", "k0", "k1", "k2", "k3", "k4"], "each exactly once"


async def test_what_was_asked_and_is_not_answered_before_the_deadline_stays_pending(rig: Rig) -> None:
    rig.endpoint.script(200, Answer(then="hang"), 200)
    sender = Buggy()
    async with sent_by(sender, rig, rig.handler(), worker={"drain_timeout": 0.2}):
        await rig.publish("first")
        await rig.settled(delivered=1)
        await rig.publish("abc")
        await eventually(lambda: sender.asked == 1)
        await rig.endpoint.wait_for(2)
    assert await rig.pending() == 1
    assert len(rig.records.of("drain_timeout")) == 1
    async with rig.working(rig.handler()):
        await rig.settled(delivered=2)
