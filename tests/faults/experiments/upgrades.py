"""Workers are replaced while events come: by another version, and by others of the same one as Kubernetes does it."""

import asyncio
import io
import subprocess
import tarfile
from pathlib import Path

from tests.faults.checker import Verdict
from tests.faults.crew import DRAIN, ended, terminate
from tests.faults.experiments import CannotRunError, experiment
from tests.faults.lab import IN_FLIGHT, Lab

ROOT = Path(__file__).parents[3]
EVENTS = 1200
PER_SECOND = 200
PODS = 2
ROLLING = 1000
LEASE = 1.0
PROMISED = LEASE + 6.0


@experiment("an old and a new version side by side", needs=("git",))
async def side_by_side(lab: Lab) -> Verdict:
    """Each takes over from the other and reads what the other has written."""
    old = lab.folder / "old"
    version = _unpack_the_old_one(old)
    server, sink = await lab.server(), await lab.sink(0.01)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    olds, news = await crew.start(folder=old), await crew.start()
    await crew.ready(2)
    longest = 0.0
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(range(EVENTS), per_second=PER_SECOND, end="retry", type_="Pair"))
        await sink.goes_on()
        await asyncio.sleep(lab.rng.uniform(0.5, 1.0))
        olds.kill()
        longest = max(longest, await sink.goes_on())
        olds = await crew.start(folder=old)
        await crew.ready(3)
        await asyncio.sleep(lab.rng.uniform(0.5, 1.0))
        news.kill()
        longest = max(longest, await sink.goes_on())
    await load.publish(range(EVENTS, EVENTS + 50), end="dead")
    await load.publish(range(EVENTS + 50, EVENTS + 100), end="retry")
    await lab.delivered(sink, load, crew, olds, but=range(EVENTS, EVENTS + 50))
    await crew.drain()
    return await lab.verdict(
        server, sink, load, most_duplicates=2 * IN_FLIGHT, recovery=longest, most_recovery=PROMISED,
        notes=f"the old one is {version}",
    )  # fmt: skip


@experiment("a rolling restart under load", smoke=True)
async def rolling(lab: Lab) -> Verdict:
    """Two pods are replaced, one after the other: the new one is ready, then the old one gets SIGTERM. Half of the
    events are refused once, so that retries cross from pod to pod."""
    server, sink = await lab.server(), await lab.sink(0.02)
    load, crew = lab.load(server), await lab.crew(server.url, sink)
    pods = [await crew.start(POD_NAME=f"streamhooks-old-{number}") for number in range(PODS)]
    await crew.ready(PODS)
    longest, events = 0.0, range(lab.scaled(ROLLING))
    async with asyncio.TaskGroup() as gateways:
        gateways.create_task(load.stream(events[::2], per_second=PER_SECOND // 2))
        gateways.create_task(load.stream(events[1::2], per_second=PER_SECOND // 2, end="retry", type_="Pair"))
        await sink.goes_on()
        for number, old in enumerate(pods):
            await crew.start(POD_NAME=f"streamhooks-new-{number}")
            await crew.ready(PODS + number + 1)
            terminate(old)
            longest = max(longest, await sink.goes_on())
            assert await ended(old, DRAIN) == 0, crew.log
    names = {record["consumer"].rpartition("-")[0].rpartition("-")[0] for record in crew.records("ready")}
    assert names == {f"streamhooks-{age}-{number}" for age in ("old", "new") for number in range(PODS)}
    await crew.drain()
    return await lab.verdict(server, sink, load, recovery=longest, most_recovery=1.0)


def _unpack_the_old_one(folder: Path) -> str:
    """The newest tag, or where none is the commit before this branch began; puts its files there and gives its name."""
    try:
        base = _git("merge-base", "HEAD", "main").strip() or "HEAD"
    except CannotRunError:
        base = "HEAD"
    try:
        commit = _git("describe", "--tags", "--abbrev=0", f"{base}~1").strip()
    except CannotRunError:
        commit = _git("rev-parse", "--short", f"{base}~1").strip()
    archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return commit


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRunError(f"there is no git history to take an old version from: {done.stderr.strip()}")
    return done.stdout
