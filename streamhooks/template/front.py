"""What users of templates see: Template.parse once, render for each event."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeAlias

from streamhooks.errors import TemplateError
from streamhooks.template import escape_json
from streamhooks.template.compiler import compile_trees
from streamhooks.template.escape import ESCAPERS, MODES, escaped
from streamhooks.template.functions.builtins import BUILTINS
from streamhooks.template.functions.calling import functions as as_functions
from streamhooks.template.functions.catalogue import CATALOGUE
from streamhooks.template.hints import with_hint
from streamhooks.template.limits import SOURCE_BYTES, Meter, exceeded
from streamhooks.template.literals import quote, to_bytes
from streamhooks.template.nodes import Text, Tree
from streamhooks.template.parser import is_empty, parse
from streamhooks.template.reads import Path, paths_read
from streamhooks.template.runtime import GiveUpError
from streamhooks.template.values import whole_text
from streamhooks.template.walker import walk

Escape: TypeAlias = Literal["text", "json", "xml", "csv", "form", "html", "url"]
"""What a value turns into; see the escape files. "url" is for paths and queries: every value percent-encoded."""


_MISSING_KEYS = ("default", "invalid", "zero", "error")


class Template:
    """A parsed template. Made by `parse`, then `render`ed any number of times, from any thread."""

    __slots__ = (
        *("_compiled", "_escaped", "_functions", "_main", "_trees"),
        *("constant", "escape", "generated", "missingkey", "name", "source"),
    )

    constant: str | None
    """The text that it always renders, where it has no actions."""
    generated: str | None
    """The Python text that it was compiled to; None where only the walker can run it."""

    def __init__(  # made by parse, which says what these are
        self,
        source: str,
        name: str,
        escape: str,
        missingkey: str,
        functions: Mapping[str, Callable[..., object]],
        delims: tuple[str, str],
        templates: Mapping[str, str],
        catalogue: bool,
    ) -> None:
        self.source, self.name, self.escape, self.missingkey = source, name, escape, missingkey
        own = as_functions(functions, {})
        calls = {**(CATALOGUE if catalogue else BUILTINS), **own}
        known = frozenset(calls)
        self._trees: dict[str, Tree] = {}
        for other in sorted(templates):
            self._add(parse(other, whole_text(templates[other]), known, *delims))
        trees = parse(name, whole_text(source), known, *delims)
        self._main = trees[name]
        self._add(trees)
        self._escaped = escaped(self._main, self._trees, escape)
        self._functions = {**calls, **ESCAPERS}
        self._compile()
        nodes = self._escaped.main.body.nodes
        texts = [node.text for node in nodes if isinstance(node, Text)]
        self.constant = "".join(texts) if len(texts) == len(nodes) else None

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
        catalogue: bool = True,
    ) -> "Template":
        """The template that `source` (at most 64 KiB of UTF-8) says.

        `name` starts every message. `functions` come on top of the catalogue; their annotations say which types
        they take. `templates` are further texts by name that this one may call. Without `catalogue` there are only
        Go's builtins.

        Raises TemplateError, its first line Go's own text: kind "parse"; "escape" where the mode cannot make an
        action safe; "limit".
        """
        known = functions or {}
        _check(source, name, escape, missingkey, known)
        try:
            return cls(source, name, escape, missingkey, known, delims, templates or {}, catalogue)
        except TemplateError as error:
            names = frozenset(known) | frozenset(CATALOGUE if catalogue else BUILTINS)
            raise with_hint(error, {}, sorted(names), (), source) from None
        except RecursionError:
            raise _too_deep(name) from None

    def render(self, data: object) -> str:
        """The text for `data`: str, int, float, bool, None, list and dict. What is no UTF-8 becomes U+FFFD.

        Raises TemplateError, its first line Go's own text: kind "exec"; "limit"; "json" where the body of json mode
        is no JSON.
        """
        try:
            text = self._compiled(data)
            if not text.isascii():
                text.encode()
        except TemplateError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever stopped the fast way, the walker says it exactly
            text = self.walk(data, _left(error)).decode("utf-8", "replace")
        if self.escape == "json":
            escape_json.check(self.name, text)
        return text

    def render_bytes(self, data: object) -> bytes:
        """The bytes for `data`, as Go would send them: also those that are no UTF-8. Raises as `render` does."""
        try:
            body = self._compiled(data).encode()
        except TemplateError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever stopped the fast way, the walker says it exactly
            body = self.walk(data, _left(error))
        if self.escape == "json":
            escape_json.check(self.name, body)
        return body

    def walk(self, data: object, meter: Meter | None = None) -> bytes:
        """What the exact walker makes, and no check of the body: the reference that tests compare with.

        `meter` is what the compiled form left of its steps.
        """
        try:
            tree, trees = self._escaped.main, self._escaped.trees
            text = walk(tree, trees, self._functions, self.missingkey, data, meter or Meter())
        except TemplateError as error:
            raise with_hint(error, data, sorted(self._functions), sorted(self._trees)) from None
        except RecursionError:
            raise _too_deep(self.name) from None
        return to_bytes(text)

    def fields(self) -> frozenset[Path]:
        """The chains of fields that it reads, such as ("Meta", "Path"); () where it uses the whole."""
        return paths_read(self._main, self._trees)

    def lookup(self, name: str) -> "Template":
        """The template of that name from the same texts. Raises KeyError."""
        other = object.__new__(Template)
        for slot in ("escape", "missingkey", "source", "_trees", "_functions"):
            setattr(other, slot, getattr(self, slot))
        other.name, other.constant = name, None
        other._main = self._trees[name]
        other._escaped = escaped(other._main, self._trees, self.escape)
        other._compile()
        return other

    def __str__(self) -> str:
        """The template as it is run, escapers included."""
        return str(self._escaped.main.body)

    def __repr__(self) -> str:
        return f"<Template {self.name} escape={self.escape}>"

    def _compile(self) -> None:
        compiled = compile_trees(self._escaped.main, self._escaped.trees, self._functions, self.missingkey)
        self._compiled: Callable[[object], str] = compiled.call if compiled else _not_compiled
        self.generated = compiled.source if compiled else None

    def _add(self, trees: Mapping[str, Tree]) -> None:
        """Later texts replace templates of earlier ones, but never a full one by an empty."""
        for name, tree in trees.items():
            if name not in self._trees or not is_empty(tree.body):
                self._trees[name] = tree


def _check(source: str, name: str, escape: str, missingkey: str, functions: Iterable[str]) -> None:
    """Raises TemplateError for what cannot be tried at all."""
    if escape not in MODES or missingkey not in _MISSING_KEYS:
        raise TemplateError(
            "escape",
            f"template: {name}: no escape {escape!r} with missingkey {missingkey!r}\n"
            f"escape is one of {', '.join(MODES)}; missingkey one of {', '.join(_MISSING_KEYS)}.",
        )
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > SOURCE_BYTES:
        raise exceeded(f"template: {name}: {size} bytes; at most {SOURCE_BYTES} are allowed", "Take parts of it out.")
    for own in functions:
        if own.startswith("_"):
            raise TemplateError(
                "parse", f"template: {name}: function {quote(own)} may not be registered\nIts name begins with _."
            )


def _not_compiled(data: object) -> str:
    """In the place of a compiled form that Python could not hold."""
    del data
    raise GiveUpError


def _left(error: Exception) -> Meter | None:
    return error.meter if isinstance(error, GiveUpError) else None


def _too_deep(name: str) -> TemplateError:
    """For what Python's own stack cannot hold: parentheses in blocks in calls, or data nested as deep as that."""
    return exceeded(f"template: {name}: nested too deeply", "Take parts of it out into templates of their own.")


__all__ = ["Escape", "Template", "TemplateError"]
