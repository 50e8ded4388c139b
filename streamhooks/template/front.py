"""What users of templates see: Template.parse once, render for each event."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from streamhooks.errors import TemplateError
from streamhooks.template import escape_json
from streamhooks.template.escape import ESCAPERS, REPLACED, escaped
from streamhooks.template.functions.catalogue import CATALOGUE
from streamhooks.template.functions.calling import Function, functions as as_functions
from streamhooks.template.limits import SOURCE_BYTES, Meter, exceeded
from streamhooks.template.nodes import Text, Tree
from streamhooks.template.parser import is_empty, parse
from streamhooks.template.walker import walk

Escape: TypeAlias = Literal["text", "json", "xml", "csv", "form", "html", "url"]


class Template:
    """A parsed template. Made by `parse`, then `render`ed any number of times, from any thread."""

    __slots__ = ("_functions", "_main", "_trees", "constant", "escape", "missingkey", "name", "source")

    def __init__(
        self,
        source: str,
        name: str,
        escape: Escape,
        missingkey: str,
        main: Tree,
        trees: dict[str, Tree],
        calls: Mapping[str, Function],
    ) -> None:
        self.source = source
        self.name = name
        self.escape = escape
        self.missingkey = missingkey
        self._main = main
        self._trees = trees
        self._functions = calls
        body = main.body.nodes
        self.constant: str | None = (
            "".join(node.text for node in body if isinstance(node, Text))
            if all(isinstance(node, Text) for node in body)
            else None
        )

    @classmethod
    def parse(
        cls,
        source: str,
        name: str = "t",
        escape: Escape = "text",
        missingkey: str = "default",
        functions: Mapping[str, Callable[..., object]] | None = None,
        delims: tuple[str, str] = ("{{", "}}"),
        templates: Mapping[str, str] | None = None,
    ) -> "Template":
        if len(source) > SOURCE_BYTES:
            raise exceeded(f"template: {name}: larger than {SOURCE_BYTES} bytes", "Split it.")
        calls = {**CATALOGUE, **REPLACED.get(escape, {}), **as_functions(functions or {})}
        names = frozenset(calls)
        trees: dict[str, Tree] = {}
        for text_name in sorted(templates or {}):
            _merge(trees, parse(text_name, (templates or {})[text_name], names, *delims))
        own = parse(name, source, names, *delims)
        _merge(trees, own)
        made = escaped(own[name], trees, escape)
        return cls(source, name, escape, missingkey, made.main, dict(made.trees), {**calls, **ESCAPERS})

    def render(self, data: object) -> str:
        text = walk(self._main, self._trees, self._functions, self.missingkey, data, Meter())
        if self.escape == "json":
            escape_json.check(self.name, text)
        return text


def _merge(trees: dict[str, Tree], more: dict[str, Tree]) -> None:
    for name, tree in more.items():
        if name not in trees or not is_empty(tree.body):
            trees[name] = tree


__all__ = ["Escape", "Template", "TemplateError"]
