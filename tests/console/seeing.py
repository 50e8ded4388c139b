"""What may be asked of any view of the console, whatever it shows: axe-core's rules, and what axe does not look at."""

from importlib.resources import files

from tests.console.browser import Page

VIEWS = {
    "#overview": "Overview",
    "#dead": "Dead letters",
    "#event": "Find an event",
    "#playground": "Playground",
}

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""Its rules: WCAG 2.0 to 2.2 at the levels A and AA, and what is good practice besides."""

_LOOK = """async (tags) => {
  const told = await axe.run({ runOnly: tags, resultTypes: ["violations", "incomplete"], elementRef: true });
  const said = (rule, node) => `${rule.id} (${rule.impact}): ${node.target.join(" ")}: ${node.failureSummary}`;
  const each = (rules) => rules.flatMap((rule) => rule.nodes.map((node) => [rule, node]));
  const unsure = each(told.incomplete);
  const overlaid = unsure.filter(([rule]) => rule.id === "color-contrast").map(([, node]) => node.element);

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
  const ratio = (element) => {
    const { fill, color } = getComputedStyle(element);
    const [front, back] = [element instanceof SVGElement ? fill : color, ground(element)].map(
      (value) => light(Array.isArray(value) ? value : colour(value)));
    return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  };
  const drawn = [...document.querySelectorAll("svg text")].filter((one) => one.checkVisibility());
  const there = overlaid.filter((one) => one.isConnected && !(one instanceof SVGElement));
  return [
    ...each(told.violations).map(([rule, node]) => said(rule, node)),
    ...unsure.filter(([rule]) => rule.id !== "color-contrast").map(([rule, node]) => said(rule, node)),
    ...[...there, ...drawn].filter((one) => ratio(one) < 4.5).map((one) => `${one.textContent}: ${ratio(one)} to 1`),
  ];
}"""
"""Axe's violations; and contrasts that it leaves unjudged, of texts drawn in a chart (it reads `color`, they have a
`fill`) and of what lies over something else: 4.5 to 1 (WCAG 2.2, 1.4.3)."""


async def faults(page: Page) -> list[str]:
    """What is wrong with the page as it is shown now, whatever the impact."""
    # Evaluated by the browser's own hand: the page's policy, which lets no script in, does not stop it.
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE)
    found: list[str] = await page.itself.evaluate(_LOOK, TAGS)
    return found


async def wider(page: Page) -> int:
    """Pixels by which the page is wider than its window (WCAG 2.2, 1.4.10)."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found
