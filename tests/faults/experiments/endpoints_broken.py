"""An endpoint whose connections break: an event is tried again unless the headers of a 2xx were received."""

import asyncio

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.hostile import OK, answering, at_first, closing, reset, resetting
from tests.faults.lab import Lab
from tests.faults.stand import stand

EACH = 20
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"
ANSWERED = {
    "whole-then-reset": answering(OK, resetting),
    "reset-in-body": answering(LONG, resetting),
    "short-body": answering(LONG, closing),
}
UNANSWERED = {
    "reset": resetting,
    "reset-in-head": answering(b"HTTP/1.1 200 OK\r\nContent-Le", resetting),
    "half-a-head": answering(b"HTTP/1.1 200 OK\r\nContent-Le", closing),
    "closed": closing,
}


@experiment("connections that break before, in and after the answer", smoke=True)
async def _breaks(lab: Lab) -> Verdict:
    at = await stand(lab, ANSWERED | {end: at_first(act) for end, act in UNANSWERED.items()}, hang={"timeout": 5})
    each = lab.scaled(EACH)
    for number, end in enumerate([*ANSWERED, *UNANSWERED]):
        await at.load.publish(range(number * each, (number + 1) * each), type_="Hang", end=end)
    await at.drain()
    seen = [at.sink.arrivals[key] for key in sorted(at.sink.arrivals, key=lambda key: key.seq)]
    once, again = seen[: len(ANSWERED) * each], seen[len(ANSWERED) * each :]
    assert set(once) == {1}, f"answered 2xx and sent again: {once}"
    assert set(again) == {2}, f"a broken connection must cost one attempt: {again}"
    return await at.verdict(notes=f"{len(again)} sent again, {len(once)} not")


@experiment("connections reset before the request is read")
async def _unread(lab: Lab) -> Verdict:
    at = await stand(lab, hang={"timeout": 5})

    async def every_other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if at.endpoint.connections % 2:
            reset(writer)
            return False
        return True

    at.endpoint.greet = every_other
    await at.load.publish(range(lab.scaled(100)), type_="Hang")
    await at.drain()
    return await at.verdict()
