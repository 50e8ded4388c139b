"""A bug in what is made of an answer: it is told, and neither the job nor its slot is lost."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from streamhooks.flow.worker import Worker
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Failure, Reply, Request
from streamhooks.sender import Sender
from streamhooks.sender.sender import Told
from tests.flow.rig import Rig
from tests.waiting import eventually


class Unreadable(Mapping[str, str]):
    """Headers whose reading is a bug."""

    def __getitem__(self, name: str) -> str:
        raise RuntimeError("a bug in judging", name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Buggy(Sender):
    """Its first answer cannot be judged."""

    asked = 0

    async def send(self, request: Request, handler: Handler) -> Reply | Failure:
        self.asked += 1
        answer = await super().send(request, handler)
        return Reply(503, Unreadable(), b"", 0.0) if self.asked == 1 else answer


async def test_a_bug_in_judging_stores_the_job_and_frees_its_slot(rig: Rig) -> None:
    loaded = rig.loaded(rig.handler(concurrency=1))
    async with Buggy() as sender:
        worker = Worker(
            loaded.settings, Catalogue(loaded.handlers), sender=sender, consumer="buggy", rng=random.Random(1)
        )
        async with worker:
            rig.workers.append(worker)
            await rig.publish_many(10)
            await eventually(partial(_delivered, rig, 9), saying="the others went on")
            (stored,) = (await eventually(rig.stored)).values()
            await rig.hurry_readers()
    assert stored.why == "internal error, see the log"
    assert len(rig.records.of("sending_failed")) == 1


class BuggyAsking(Sender):
    """On a connection that stands its first request meets a bug."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how
        self.met = 0

    def ask(self, request: Request, handler: Handler, tell: Told) -> bool:
        if self.met:
            return super().ask(request, handler, tell)
        self.met = 1
        if self._how == "raises":
            raise RuntimeError("a bug in sending")
        asyncio.get_running_loop().call_soon(tell, RuntimeError("a bug in sending"))
        return True


@pytest.mark.parametrize("how", ["raises", "tells"])
async def test_a_bug_in_asking_is_our_own_trouble_and_frees_its_slot(rig: Rig, how: str) -> None:
    loaded = rig.loaded(rig.handler(concurrency=1))
    async with BuggyAsking(how) as sender:
        worker = Worker(
            loaded.settings, Catalogue(loaded.handlers), sender=sender, consumer="buggy", rng=random.Random(1)
        )
        async with worker:
            rig.workers.append(worker)
            await rig.publish_many(10)
            await eventually(partial(_delivered, rig, 10), saying="the others went on, and the one followed")
            await rig.hurry_readers()
    assert sorted(rig.arrived) == [f"k{number}" for number in range(10)], "each came once"
    (record,) = rig.records.of("sending_failed")
    assert record["exception"][0]["exc_value"] == "a bug in sending"


async def _delivered(rig: Rig, count: int) -> bool:
    return (await rig.totals()).get("delivered") == count
