"""Debian's Chromium, driven by Playwright.

Things are found as people find them, by role and accessible name, and are clicked and typed into by real input events.
What a page complains of is collected, refusals of its content security policy among it, and so is every request to a
host that is not its own.
"""

import shutil
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright import async_api as playwright

from tests.waiting import eventually

PROGRAM = shutil.which("chromium")
Scheme = Literal["light", "dark"]


class Browser:
    """One Chromium with a profile of its own, ready when entered."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._chromium: playwright.Browser | None = None
        self.pages: list[Page] = []

    async def __aenter__(self) -> "Browser":
        driver = await self._stack.enter_async_context(playwright.async_playwright())
        # As root, where containers test, Chromium has no sandbox to offer; what it is shown here is our own.
        chromium = await driver.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        self._stack.push_async_callback(chromium.close)
        self._chromium = chromium
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def open(
        self, url: str, width: int = 1280, height: int = 900, scheme: Scheme = "light", scale: float = 1
    ) -> "Page":
        """A page in a context of its own, which shares nothing with others."""
        assert self._chromium
        context = await self._chromium.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            is_mobile=width < 500,
            has_touch=width < 500,
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        page = Page(await context.new_page(), urlsplit(url).netloc)
        self.pages.append(page)
        await page.itself.goto(url)
        return page


class Page:
    """One page."""

    def __init__(self, itself: playwright.Page, host: str) -> None:
        self.itself = itself
        self._host = host
        self.errors: list[str] = []
        """What the page has complained of: exceptions, refused content, failed loads."""
        self.strangers: list[str] = []
        """What it wanted of hosts that are not its own, whether or not its policy let it."""
        itself.on("pageerror", lambda error: self.errors.append(str(error)))
        itself.on("console", self._said)
        itself.on("request", self._asked)

    def _said(self, message: playwright.ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location['url']}")

    def _asked(self, request: playwright.Request) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.strangers.append(request.url)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, promises waited for."""
        return await self.itself.evaluate(script)

    async def until(self, script: str, within: float = 10.0) -> Any:
        """The value of an expression as soon as it is true."""
        return await eventually(lambda: self.evaluate(script), within, script)

    async def shows(self, text: str, within: float = 10.0) -> None:
        """Waits until the page shows a text."""
        showing = "(text) => document.body?.innerText.includes(text)"
        await eventually(lambda: self.itself.evaluate(showing, text), within, f"the page shows {text!r}")

    async def find(self, role: Any, name: str = "") -> playwright.Locator:
        """The visible element of this role and accessible name; of several the first."""
        found = self.itself.get_by_role(role, name=name or None, exact=True).first
        await found.wait_for(timeout=10_000)
        return found

    async def click(self, role: str, name: str = "") -> None:
        await (await self.find(role, name)).click(timeout=10_000)

    async def write(self, role: str, name: str, text: str) -> None:
        """Puts a text in the place of what is in a field."""
        await (await self.find(role, name)).fill(text)

    async def choose(self, name: str, value: str) -> None:
        """Chooses from a list."""
        await (await self.find("combobox", name)).select_option(value)

    async def press(self, key: str) -> None:
        await self.itself.keyboard.press(key)

    async def reload(self) -> None:
        await self.itself.reload()

    async def picture(self, *, whole: bool = False) -> bytes:
        """What the window shows, or the whole page, as PNG."""
        return await self.itself.screenshot(full_page=whole)
