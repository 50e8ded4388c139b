"""The console for everybody: by keyboard, by screen reader, in light and dark, on a phone's width."""

import pytest

from tests.admin.asking import ANY_PORT, TOKEN, door
from tests.console.browser import Browser, Page, Scheme
from tests.console.seeing import VIEWS, faults, wider
from tests.console.test_console import ALL, shown
from tests.flow.rig import Rig
from tests.servers import Answer

HANDLER = "a-handler-with-a-rather-long-name"
LONG = "a-very-long-key-without-any-space-in-it-" * 5


async def fit(page: Page, view: str) -> None:
    """What is shown is fit for everybody."""
    assert (view, await faults(page)) == (view, [])
    assert (view, await wider(page)) == (view, 0)


async def turned(page: Page, view: str) -> None:
    await page.evaluate(f"location.hash = '{view}'")
    await page.until(f"document.activeElement.innerText === '{VIEWS[view.partition('/')[0]]}'")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
async def test_every_view_is_fit_for_everybody(rig: Rig, browser: Browser, width: int, scheme: Scheme) -> None:
    rig.endpoint.script(Answer(422, b"x" * 300), Answer(503, b"later"), 200)
    async with door(rig, rig.handler(HANDLER), worker=ALL, admin=ANY_PORT | {"token": TOKEN}) as ours:
        ours.session.headers["Authorization"] = f"Bearer {TOKEN}"
        entry = await rig.publish(LONG)
        await rig.settled(dead=1)
        await rig.publish("abc")
        await rig.settled(dead=1, delivered=1)
        page = await browser.open(f"{ours.address}/", width, 800, scheme)
        await page.shows("This worker asks for its admin token.")
        await fit(page, "token gate")
        await page.write("textbox", "Admin token", "a guess")
        await page.press("Enter")
        await page.shows("This is not the token.")
        await fit(page, "token gate, wrong")
        await page.write("textbox", "Admin token", TOKEN)
        await page.press("Enter")
        await page.shows("Live")
        await rig.publish("def")
        await page.shows("200 in")
        await fit(page, "overview")
        await page.click("button", f"Pause {HANDLER}")
        await page.shows(f"Pause {HANDLER}?")
        await fit(page, "dialog")
        await page.write("textbox", "Why Shown to whoever asks", "maintenance " * 10)
        await page.click("button", "Pause")
        await page.until("!document.getElementById('dialog').open")
        await page.shows("maintenance")
        await page.shows(f"{HANDLER} is paused.")
        await fit(page, "paused")
        await turned(page, "#dead")
        await page.until("!!document.querySelector('.letter')")
        await page.evaluate("document.querySelector('.letter button').click()")
        await page.until("!!document.querySelector('.letter pre')")
        await fit(page, "dead letters")
        await page.choose("Reason", "gone")
        await page.click("button", "Show")
        await page.shows("None of 1 dead letter is like this.")
        await fit(page, "no dead letters")
        await turned(page, "#event")
        await fit(page, "no event")
        await turned(page, f"#event/{entry}")
        await page.until("!!document.querySelector('.story pre')")
        await fit(page, "story")
        await turned(page, "#event/1-0")
        await page.shows("nothing is known of this id")
        await fit(page, "unknown id")
        await turned(page, "#playground")
        await page.until("!document.getElementById('trial-render').disabled")
        await page.click("button", "Render")
        await page.until("!!document.querySelector('#rendered pre')")
        await page.evaluate("document.querySelector('#trial-template-box').open = true")
        await fit(page, "playground")
    await page.shows("Connection lost. Trying again")
    await fit(page, "connection lost")
    assert [error for error in page.errors if "401" not in error and "404" not in error and "ERR_" not in error] == []


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
    async with door(rig, worker=ALL) as ours:
        page = await shown(browser, ours)
        await rig.publish("abc")
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
            ("img", "Deliveries, the last five minutes"),
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
