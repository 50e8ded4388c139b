"""An endpoint that takes its time: it is cut off at the handler's timeout, and the other handler does not notice."""

import asyncio

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Latencies
from tests.faults.hostile import Act, dripping, hanging
from tests.faults.lab import Lab
from tests.faults.sink import Key
from tests.faults.stand import Stand, stand
from tests.waiting import eventually

PER_SECOND = 500
SECONDS = 2.0
"""How much the other handler has to do in each of its two measurements. A worker that has all it can take would show
the machine's other work more than the slow endpoint's."""
SLOW = 40
BURST = 72
"""More than its slots and its queue hold: the reader waits a second for a sign of life, then the rest is deferred."""
CUT = {"timeout": 0.5, "retry": {"delays": [0.3]}}


def _slow(what: str, act: Act, *, smoke: bool = False) -> None:
    @experiment(f"an endpoint that {what}", smoke=smoke)
    async def run(lab: Lab) -> Verdict:
        return await _measured(await stand(lab, {"slow": act}, hang=CUT, in_flight=128))


_slow("never answers", hanging, smoke=True)
_slow("drips its headers", dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "))
_slow("drips its body", dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))


@experiment("a burst to an endpoint that never answers")
async def _burst(lab: Lab) -> Verdict:
    return await _measured(await stand(lab, {"slow": hanging}, hang=CUT, in_flight=128), slow=BURST)


@experiment("an endpoint that accepts and never reads")
async def _never_reads(lab: Lab) -> Verdict:
    at = await stand(lab, hang=CUT, in_flight=128)
    at.endpoint.greet = _leave_unread
    # More than the kernel takes for the endpoint, so that the request itself cannot be finished.
    return await _measured(at, end="x" * 100_000)


async def _leave_unread(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a transport that reads, too
    await asyncio.sleep(3600)
    return False


async def _measured(at: Stand, end: str = "slow", slow: int = SLOW) -> Verdict:
    """The other handler by itself, and then beside the slow one."""
    events = at.lab.scaled(int(PER_SECOND * SECONDS))
    latencies = Latencies(at.sink, at.load)
    worker = await at.worker()
    alone = await _share(at, range(events))
    await at.load.publish(range(2 * events, 2 * events + slow), type_="Hang", end=end)
    await eventually(lambda: at.endpoint.connections > 0, 10, "the slow endpoint is called")
    beside = await _share(at, range(events, 2 * events))
    await at.have_ended(len(at.load.acknowledged))
    await at.stop(worker)
    p99s = latencies.p99(range(events)), latencies.p99(range(events, 2 * events))
    return await at.verdict(
        notes=f"the other handler at {100 * beside / alone:.0f} % of its pace, "
        f"p99 {p99s[1] * 1000:.0f} ms (alone {p99s[0] * 1000:.0f} ms)"
    )


async def _share(at: Stand, seqs: range) -> float:
    """Which part of the other handler's events is delivered when the last of them has just been added."""
    await at.load.stream(seqs, per_second=PER_SECOND)
    return sum(Key(seq, "/one") in at.sink.delivered for seq in seqs) / len(seqs)
