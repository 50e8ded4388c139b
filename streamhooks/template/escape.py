"""Which machine escapes for which mode, and the functions that their escapers are."""

from collections.abc import Callable, Mapping

from streamhooks.template import escape_html, escape_json, escape_markup, escape_plain
from streamhooks.template.contextual import Escaped, Machine, escape
from streamhooks.template.functions.calling import Function, functions
from streamhooks.template.functions.prices import PRICES
from streamhooks.template.nodes import Tree

_MACHINES: dict[str, type[Machine]] = {
    "json": escape_json.JsonMachine,
    "xml": escape_markup.XmlMachine,
    "csv": escape_plain.CsvMachine,
    "form": escape_plain.FormMachine,
    "url": escape_plain.UrlMachine,
    "html": escape_html.HtmlMachine,
}
MODES = ("text", *_MACHINES)
_CALLS: dict[str, Callable[..., str]] = {
    **escape_json.ESCAPERS,
    **escape_markup.ESCAPERS,
    **escape_plain.ESCAPERS,
    **escape_html.ESCAPERS,
}
ESCAPERS: dict[str, Function] = functions(_CALLS, PRICES)
"""By the names that escaped trees call them; no template can, since a name with a leading _ is never registered."""


def escaped(main: Tree, trees: Mapping[str, Tree], mode: str) -> Escaped:
    """The trees with their escapers; text mode has none. Raises TemplateError with kind "escape"."""
    if mode == "text":
        return Escaped(main, trees)
    return escape(main, trees, _MACHINES[mode]())
