"""Tasks with an owner: none is left behind, and the failure of one is its own."""

import asyncio
import inspect

from streamhooks.flow.runners import Runners
from tests.flow.rig import Records
from tests.waiting import eventually


async def test_a_task_that_loses_one_cancellation_is_cancelled_again() -> None:
    started = asyncio.Event()

    async def deaf_once() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    runners = Runners()
    runners.spawn(deaf_once())
    await started.wait()
    async with asyncio.timeout(5):
        await runners.cancel()
    assert len(runners) == 0


async def test_a_task_that_fails_is_logged_and_the_others_go_on(records: Records) -> None:
    going_on = asyncio.Event()

    async def fail() -> None:
        raise ValueError("a bug")

    async def wait() -> None:
        await going_on.wait()

    runners = Runners()
    runners.spawn(fail())
    runners.spawn(wait())
    (record,) = await eventually(lambda: records.of("internal_error"))
    assert record["exception"][0]["exc_type"] == "ValueError"
    assert len(runners) == 1
    going_on.set()
    await eventually(lambda: len(runners) == 0)


async def test_work_that_is_given_in_the_moment_of_the_end_is_not_begun_and_not_forgotten() -> None:
    begun: list[str] = []

    async def work(name: str) -> None:
        begun.append(name)

    runners = Runners()
    runners.spawn(work("first"))
    await eventually(lambda: begun == ["first"] and len(runners) == 0)
    late = work("late")
    runners.spawn(late)
    await runners.cancel()
    assert begun == ["first"]
    assert inspect.getcoroutinestate(late) == inspect.CORO_CLOSED, "else it would be warned of as never awaited"


async def test_work_that_is_given_after_the_end_is_not_begun_and_not_forgotten() -> None:
    runners = Runners()
    await runners.cancel()

    async def work() -> None:
        raise AssertionError("begun")

    late = work()
    runners.spawn(late)
    assert len(runners) == 0
    assert inspect.getcoroutinestate(late) == inspect.CORO_CLOSED
