"""The console for everybody: by keyboard, by screen reader, in light and dark, on a phone's width."""

from itertools import pairwise

import pytest

from tests.admin.asking import door
from tests.console.browser import Browser
from tests.console.seeing import VIEWS, faint, nameless, outline, twice, wider
from tests.console.test_console import ALL, shown
from tests.flow.rig import Rig
from tests.servers import Answer


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
async def test_every_view_is_legible_named_and_as_wide_as_its_window(
    rig: Rig, browser: Browser, width: int, scheme: str
) -> None:
    rig.endpoint.script(Answer(422, b"x" * 300), Answer(503, b"later"), 200)
    async with door(rig, rig.handler("a-handler-with-a-rather-long-name"), worker=ALL) as ours:
        entry = await rig.publish("a-very-long-key-without-any-space-in-it-" * 5)
        await rig.settled(dead=1)
        await rig.publish("abc")
        await rig.settled(dead=1, delivered=1)
        await ours.done("/api/v1/handlers/a-handler-with-a-rather-long-name/pause", {"why": "maintenance " * 10})
        page = await browser.open(f"{ours.address}/", width, 800, scheme)
        await page.shows("maintenance")
        for view, title in (VIEWS | {f"#event/{entry}": "Find an event"}).items():
            await page.evaluate(f"location.hash = '{view}'")
            await page.until(f"document.activeElement.innerText === '{title}'")
            if view == "#dead":
                await page.until("!!document.querySelector('.letter')")
                await page.evaluate("document.querySelector('.letter button').click()")
                await page.until("!!document.querySelector('.letter pre')")
            if "/" in view:
                await page.until("!!document.querySelector('.story pre')")
            if view == "#playground":
                await page.until("!document.getElementById('trial-render').disabled")
                await page.click("button", "Render")
                await page.until("!!document.querySelector('#rendered pre')")
            assert (view, await faint(page)) == (view, [])
            assert (view, await nameless(page)) == (view, [])
            assert (view, await twice(page)) == (view, [])
            assert (view, await wider(page)) == (view, 0)
            levels = await outline(page)
            assert levels[0] == 1
            assert all(after - before <= 1 for before, after in pairwise(levels)), levels
        assert page.errors == []


async def test_everything_can_be_done_by_keyboard_alone(rig: Rig, browser: Browser) -> None:
    async with door(rig) as ours:
        page = await shown(browser, ours)
        await page.evaluate("document.activeElement.blur()")
        await page.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert await page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
        await page.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        seen: list[str] = []
        for _ in range(30):
            await page.press("Tab")
            name = await page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText || ''")
            ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            seen.append(name)
            if name == "Pause h":
                assert ring == "solid", "one can see where one is"
                break
        assert seen[-1] == "Pause h", seen
        await page.press("Enter")
        await page.shows("Pause h?")
        assert await page.evaluate("document.getElementById('dialog').contains(document.activeElement)")
        await page.press("Escape")
        await page.until("!document.getElementById('dialog').open")
        assert await page.evaluate("document.activeElement.ariaLabel") == "Pause h", "focus comes back"
        await page.press(" ")
        await page.shows("Pause h?")
        await page.press("Tab")
        await page.press("Enter")
        await page.shows("h is paused.")


async def test_a_screen_reader_finds_landmarks_and_hears_what_changes(rig: Rig, browser: Browser) -> None:
    async with door(rig) as ours:
        page = await shown(browser, ours)
        for role, name in (
            ("banner", ""),
            ("navigation", "Views"),
            ("main", ""),
            ("heading", "Overview"),
            ("table", "Handlers"),
            ("rowheader", ""),
            ("columnheader", "In flight"),
            ("list", "Backlog"),
            ("list", "Outcomes, the newest first"),
            ("image", "Deliveries, the last five minutes"),
        ):
            await page.find(role, name)
        assert await page.evaluate("document.querySelector('nav [aria-current=page]').innerText") == "Overview"
        regions = "[...document.querySelectorAll('[role=status],[role=alert],[aria-live]')]"
        live = f"{regions}.map((one) => one.id || one.className)"
        assert {"connection", "redis", "toast", "gate-error", "dialog-error", "dead-summary"} <= set(
            await page.evaluate(live)
        )
        assert "outcomes" not in await page.evaluate(live), "a list that moves every second is no live region"
        assert await page.evaluate("document.documentElement.lang") == "en"
