"""Makes the screenshots of docs/console.md: `scripts/screenshots [--seconds N] [--into FOLDER]`.

A real page looks at a real worker, which delivers the events of scene.py to real endpoints. The curves show five
minutes, so that it takes as long.
"""

import argparse
import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from tests.admin.asking import Door, door
from tests.console import scene
from tests.console.browser import PROGRAM, Browser, Page, Scheme
from tests.console.png import smaller
from tests.flow.rig import Records, Rig
from tests.servers import Endpoint
from tests.waiting import eventually

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDE, PHONE = (1280, 800), (390, 844)


class Pictures:
    """Opens pages and writes what they show."""

    def __init__(self, browser: Browser, ours: Door, into: Path) -> None:
        self._browser = browser
        self._ours = ours
        self._into = into

    async def opened(self, view: str, size: tuple[int, int] = WIDE, scheme: Scheme = "light") -> Page:
        page = await self._browser.open(f"{self._ours.address}/{view}", *size, scheme)
        await page.shows("Live")
        await page.until("!!document.querySelector('.handlers tbody tr')")
        return page

    async def take(self, page: Page, name: str, *, whole: bool = True) -> None:
        data = await asyncio.to_thread(smaller, await page.picture(whole=whole))
        (self._into / f"{name}.png").write_bytes(data)
        print(f"{name}.png: {len(data) / 1024:.0f} KB")


async def shoot(ours: Door, browser: Browser, into: Path) -> None:
    """Every picture, of a scene that has gone on for a while."""
    pictures = Pictures(browser, ours, into)
    scheme: Scheme
    for scheme in ("light", "dark"):
        overview = await pictures.opened("", scheme=scheme)
        await overview.until("document.querySelectorAll('.outcome').length >= 7")
        await pictures.take(overview, f"console-overview-{scheme}")
    await pictures.take(await pictures.opened("", PHONE), "console-phone", whole=False)

    dead = await pictures.opened("#dead")
    await dead.until("!!document.querySelector('.letter')")
    await dead.evaluate("document.querySelector('.letter button').click()")
    await dead.until("!!document.querySelector('.letter pre')")
    await pictures.take(dead, "console-dead-letters", whole=False)

    (letter, *_) = (await ours.got("/api/v1/dead"))["letters"]
    story = await pictures.opened(f"#event/{letter['event']}")
    await story.shows("What happened")
    await pictures.take(story, "console-story")

    playground = await pictures.opened("#playground")
    await playground.until("!document.getElementById('trial-render').disabled")
    await playground.click("button", "Render")
    await playground.shows("Fingerprint")
    await pictures.take(playground, "console-playground", whole=False)


async def stage(rig: Rig, seconds: float, into: Path) -> None:
    """The scene, and then its pictures."""
    options = {"lease": 30, "journal": "all"}
    defaults = {"retry": {"delays": [2, 5], "jitter": 0, "permanent_statuses": [422]}}
    async with (
        scene.endpoints(),
        door(rig, *scene.handlers(), worker=options, defaults=defaults) as ours,
        Browser() as browser,
        ours.session.get("/api/v1/events", timeout=None),  # somebody looks: the curves have a past
    ):
        await ours.done("/api/v1/handlers/on-call/pause", {"why": "rota changes", "for": "1h"})
        chance = random.Random(3)
        traffic = asyncio.create_task(scene.traffic(rig, seconds + 60))
        for _ in range(3):
            await asyncio.sleep(seconds / 3)
            await scene.publish(rig, "KeyExpired", chance, key=scene.REFUSED)
        await eventually(rig.letters)
        await shoot(ours, browser, into)
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)


async def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description="Makes the pictures of docs/console.md.")
    parser.add_argument("--seconds", type=float, default=300, help="how long events flow before it looks")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder that they are written to")
    args = parser.parse_args()
    if PROGRAM is None:
        parser.error("chromium is not installed; on Debian: apt-get install chromium")
    args.into.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(EmbeddedServer(base / "redis", persist=False))
        redis = await stack.enter_async_context(Redis.from_url(server.url, protocol=2))
        await stage(Rig(redis, server.url, base, Endpoint(), Records()), args.seconds, args.into)


if __name__ == "__main__":
    asyncio.run(main())
