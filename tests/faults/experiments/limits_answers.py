"""Answers that are too large, endless or no HTTP, 64 at once: the worker stays small, and each event has its end."""

import gzip
from collections import Counter

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Memory
from tests.faults.hostile import Act, answering, closing, pouring
from tests.faults.lab import Lab
from tests.faults.stand import stand

EACH = 32
IN_FLIGHT = 64
OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"\0" * 20_000_000)


def _no_http(answer: bytes) -> Act:
    return answering(answer, closing, is_http=False)


DELIVERED: dict[str, Act] = {
    "2 GiB body": pouring(OK + b"Content-Length: 2147483648\r\n\r\n", b"x" * 65536),
    "endless chunks": pouring(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "bad chunk": answering(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n", closing),
    "gzip bomb": answering(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
}
"""A 2xx, whatever becomes of its body."""
DEAD: dict[str, Act] = {
    "5,000 headers": _no_http(OK + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n"),
    "header of 10 MB": _no_http(OK + b"X: " + b"a" * 10_000_000 + b"\r\n\r\n"),
    "endless header": pouring(OK + b"X: ", b"a" * 65536),
    "endless 100s": pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "two framings": _no_http(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "SSH banner": _no_http(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    "status 999": _no_http(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
    "status 101": _no_http(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
}


@experiment("answers that are endless, too large or no HTTP, 64 at once")
async def _swallowed(lab: Lab) -> Verdict:
    hang = {"concurrency": IN_FLIGHT, "timeout": 1, "retry": {"delays": [0.1]}}
    at = await stand(lab, DELIVERED | DEAD, hang=hang, in_flight=2 * IN_FLIGHT)
    kinds = [*DELIVERED, *DEAD]
    lab.rng.shuffle(kinds)
    each = lab.scaled(EACH)
    worker = await at.worker()
    memory = Memory(worker.pid)
    for number, end in enumerate(kinds):
        await at.load.publish(range(number * each, (number + 1) * each), type_="Hang", end=end)
    await at.have_ended(len(kinds) * each)
    took = memory.law()
    await at.stop(worker)
    assert await at.total("delivered") == len(DELIVERED) * each
    letters = await at.letters()
    said = Counter(letter.why.partition(":")[0] for letter in letters)
    assert said.keys() <= {"protocol", "timeout"}, {letter.why for letter in letters}
    return await at.verdict(notes=f"{took}; {said['protocol']} dead by protocol, {said['timeout']} by timeout")
