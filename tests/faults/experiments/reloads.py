"""The configuration changes while events are being delivered: a bad one is refused, a good one costs no event."""

import asyncio
import signal
from asyncio.subprocess import Process
from functools import partial
from typing import Any

from tests.faults.checker import Verdict
from tests.faults.crew import Crew, configuration
from tests.faults.experiments import experiment
from tests.faults.lab import Lab
from tests.faults.sink import SECRET
from tests.waiting import eventually

EVENTS = 600
PER_SECOND = 200
NEW_SECRET = "whsec_YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcyE="


@experiment("reloaded while delivering", smoke=True)
async def reloaded(lab: Lab) -> Verdict:
    """In turn: a bad configuration; both secrets, the old one alone being known; the new one alone; another bad one."""
    server, sink = await lab.server(), await lab.sink(0.02)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    good = configuration(server.url, sink, crew.folder) | {"reload": True}
    crew.rewrite(good)
    worker = await crew.start()
    await crew.ready()
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(EVENTS), per_second=PER_SECOND, end="retry"))
        for number in range(1, lab.scaled(1) + 1):
            await sink.goes_on()
            await _reload(crew, worker, good | {"handlers": [{"id": "one", "on": 7}]}, "reload_refused", 2 * number - 1)
            await _reload(crew, worker, _signed(good, NEW_SECRET, SECRET), "reloaded", 3 * number - 2)
            sink.secrets = [SECRET, NEW_SECRET]
            await _reload(crew, worker, _signed(good, NEW_SECRET), "reloaded", 3 * number - 1)
            await _reload(crew, worker, good | {"handlers": "none"}, "reload_refused", 2 * number)
            recovery = await sink.goes_on()
            await _reload(crew, worker, _signed(good, SECRET), "reloaded", 3 * number)
    await lab.delivered(sink, load, crew, worker)
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=recovery, most_recovery=1.0)


@experiment("a handler removed and a secret rotated in its file while delivering")
async def rotated(lab: Lab) -> Verdict:
    """Nobody says anything to the worker: it looks at its files. What the removed handler had under way ends as it
    would have; what comes for it afterwards matches nothing."""
    server, sink = await lab.server(), await lab.sink(0.02)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    secret = crew.folder / "secret"
    secret.write_text(SECRET)
    good = _signed(configuration(server.url, sink, crew.folder) | {"reload": True}, f"file://{secret}")
    crew.rewrite(good)
    worker = await crew.start()
    await crew.ready()
    sink.secrets = [SECRET, NEW_SECRET]
    sink.slow_path = "/hang"
    await load.publish(range(8), type_="Hang")
    await eventually(lambda: len(sink.arrivals) == 8, 10, "the handler has requests under way")
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(8, EVENTS), per_second=PER_SECOND))
        await sink.goes_on()
        secret.write_text(NEW_SECRET)
        await eventually(partial(_has_said, crew, "secrets_renewed", 1), 10, "the secret is read again")
        crew.rewrite(good | {"handlers": good["handlers"][:2]})
        await eventually(partial(_has_said, crew, "reloaded", 1), 10, "the configuration is read again")
        sink.released.set()
    sink.secrets = [NEW_SECRET]
    await load.publish(range(EVENTS, EVENTS + 50))
    await lab.delivered(sink, load, crew, worker)
    await crew.drain()
    return await lab.verdict(server, sink, load)


def _signed(config: dict[str, Any], *secrets: str) -> dict[str, Any]:
    return config | {"handlers": [handler | {"sign": {"secrets": list(secrets)}} for handler in config["handlers"]]}


async def _reload(crew: Crew, worker: Process, config: dict[str, Any], says: str, count: int) -> None:
    crew.rewrite(config)
    worker.send_signal(signal.SIGHUP)
    await eventually(partial(_has_said, crew, says, count), 10, f"the worker says {says} {count} times: {crew.log}")


def _has_said(crew: Crew, event: str, count: int) -> bool:
    return len(crew.records(event)) >= count
