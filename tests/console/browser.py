"""Debian's Chromium, driven by the Chrome DevTools Protocol over one WebSocket: no driver of anybody's is needed.

Things are found as people find them, by role and accessible name, in the tree that a screen reader has; and are
clicked and typed into by real input events.
"""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from tests.waiting import eventually

PROGRAM = shutil.which("chromium")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), " ": (32, " ")}
Json = dict[str, Any]


class Browser:
    """One Chromium with a profile of its own, ready when entered."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chromium-"))
        self._process: asyncio.subprocess.Process | None = None
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._pages: dict[str, Page] = {}
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Browser":
        assert PROGRAM
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM, f"--user-data-dir={self._folder}", *OPTIONS,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        port, path = await eventually(lambda: _told(self._folder / "DevToolsActivePort"), 30.0, "Chromium listens")
        address = f"ws://127.0.0.1:{port}{path}"
        self._socket = await self._http.ws_connect(address, max_msg_size=0)
        self._listening = asyncio.create_task(self._listen(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._http.close()
        if self._process:
            self._process.kill()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            said = json.loads(message.data)
            if "id" in said:
                waiting = self._waiting.pop(said["id"], None)
                if waiting and not waiting.done():
                    waiting.set_result(said)
            elif (page := self._pages.get(said.get("sessionId", ""))) is not None:
                page.heard(said["method"], said["params"])

    async def do(self, method: str, session: str = "", **params: Any) -> Any:
        """One command of the protocol and its result."""
        assert self._socket
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        await self._socket.send_json(message)
        async with asyncio.timeout(20):
            said = await answer
        assert "error" not in said, f"{method}: {said['error']}"
        return said["result"]

    async def open(self, url: str, width: int = 1280, height: int = 900, scheme: str = "light") -> "Page":
        """A page in a context of its own, which shares nothing with others."""
        context = (await self.do("Target.createBrowserContext"))["browserContextId"]
        target = await self.do("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        self._pages[attached["sessionId"]] = page
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility"):
            await page.do(f"{domain}.enable")
        await page.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await page.do("Emulation.setEmulatedMedia", features=features)
        await page.do("Page.navigate", url=url)
        await page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page


def _told(file: Path) -> list[str]:
    """The port and the path that Chromium listens at; none while it does not."""
    return file.read_text().split("\n") if file.exists() else []


class Page:
    """One page."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.errors: list[str] = []
        """What the page has complained of: exceptions, refused content, failed loads."""

    async def do(self, method: str, **params: Any) -> Any:
        return await self._browser.do(method, self._session, **params)

    def heard(self, method: str, params: Json) -> None:
        if method == "Runtime.exceptionThrown":
            detail = params["exceptionDetails"]
            self.errors.append(detail.get("exception", {}).get("description", detail["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, promises waited for."""
        answer = await self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str, within: float = 10.0) -> Any:
        """The value of an expression as soon as it is true."""
        return await eventually(lambda: self.evaluate(script), within, script)

    async def shows(self, text: str, within: float = 10.0) -> None:
        """Waits until the page shows a text."""
        await self.until(f"document.body?.innerText.includes({json.dumps(text)})", within)

    async def find(self, role: str, name: str = "", within: float = 10.0) -> int:
        """The visible element of this role and accessible name; of several the first."""

        async def look() -> int | None:
            root = (await self.do("DOM.getDocument", depth=0))["root"]["backendNodeId"]
            words = {"role": role} | ({"accessibleName": name} if name else {})
            nodes = (await self.do("Accessibility.queryAXTree", backendNodeId=root, **words))["nodes"]
            return next((node["backendDOMNodeId"] for node in nodes if not node["ignored"]), None)

        return await eventually(look, within, f"there is a {role} {name!r}") or 0

    async def click(self, role: str, name: str = "") -> None:
        node = await self.find(role, name)
        await self.do("DOM.scrollIntoViewIfNeeded", backendNodeId=node)
        quad = (await self.do("DOM.getContentQuads", backendNodeId=node))["quads"][0]
        x, y = sum(quad[::2]) / 4, sum(quad[1::2]) / 4
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def write(self, role: str, name: str, text: str) -> None:
        """Puts a text in the place of what is in a field."""
        await self.do("DOM.focus", backendNodeId=await self.find(role, name))
        await self.evaluate("document.activeElement.select()")
        await self.do("Input.insertText", text=text)

    async def choose(self, name: str, value: str) -> None:
        """Chooses from a list."""
        node = await self.do("DOM.resolveNode", backendNodeId=await self.find("combobox", name))
        await self.do(
            "Runtime.callFunctionOn",
            objectId=node["object"]["objectId"],
            functionDeclaration="function (value) { this.value = value; this.dispatchEvent(new Event('change')); }",
            arguments=[{"value": value}],
        )

    async def press(self, key: str) -> None:
        code, text = KEYS[key]
        common = {"key": key, "windowsVirtualKeyCode": code}
        await self.do("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **common)

    async def picture(self, path: Path, *, whole: bool = False) -> None:
        answer = await self.do("Page.captureScreenshot", captureBeyondViewport=whole, **(await self._clip(whole)))
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def _clip(self, whole: bool) -> Json:
        if not whole:
            return {}
        size = (await self.do("Page.getLayoutMetrics"))["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
