"""What may be asked of any view of the console, whatever it shows."""

from typing import Any

from tests.console.browser import Page

VIEWS = {
    "#overview": "Overview",
    "#dead": "Dead letters",
    "#event": "Find an event",
    "#playground": "Playground",
}

_FAINT = """(() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found[3] === undefined || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ opacityProperty: true }) || element.closest("button:disabled")) continue;
    const style = getComputedStyle(element);
    const front = light(colour(element.namespaceURI.endsWith("svg") ? style.fill : style.color));
    const back = light(ground(element));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
})()"""
"""Texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3)."""

_CONTROLS = {"button", "link", "textbox", "combobox", "checkbox", "searchbox"}


async def faint(page: Page) -> list[str]:
    """Texts that are hard to read."""
    found: list[str] = await page.evaluate(_FAINT)
    return found


async def nameless(page: Page) -> list[str]:
    """Controls and pictures that a screen reader has no name for."""
    nodes: list[dict[str, Any]] = (await page.do("Accessibility.getFullAXTree"))["nodes"]
    wanted = _CONTROLS | {"image", "dialog", "table", "region"}
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in wanted and not node.get("name", {}).get("value", "").strip()
    ]


async def outline(page: Page) -> list[int]:
    """The levels of the headings that are shown, in their order."""
    found: list[int] = await page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].filter((one) => one.checkVisibility())"
        ".map((one) => Number(one.tagName[1]))"
    )
    return found


async def twice(page: Page) -> list[str]:
    """Ids that several elements have."""
    found: list[str] = await page.evaluate(
        "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at)"
    )
    return found


async def wider(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found
