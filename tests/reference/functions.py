"""docs/reference/functions.md: every function of templates, from the code.

Arguments and their types are those that a call is checked by, what it does is the first sentence beside its code, and
what its example gives is rendered here and now. The examples of all functions but Go's own are those of
docs/templates.md, which has them by subject.
"""

import inspect
import re
from collections.abc import Iterator

from streamhooks.template import Template, TemplateError
from streamhooks.template.functions.builtins import BUILTINS
from streamhooks.template.functions.calling import Function
from streamhooks.template.functions.catalogue import CATALOGUE, SUBJECTS
from tests.pages.links import DOCS

TYK = frozenset({"as_rfc3339", "as_rfc3339_from_string", "jsonMarshal", "xmlMarshal"})
OURS = frozenset({"mask"})
BUILTIN_EXAMPLES = {
    "and": '{{and true ""}}',
    "call": "{{call .Handler}}",
    "eq": '{{eq "a" "b" "a"}}',
    "ge": "{{ge 2 2}}",
    "gt": "{{gt 2 1}}",
    "html": '{{html "<a href=\\"x\\">"}}',
    "index": '{{index (dict "a" (list 7 8)) "a" 1}}',
    "js": '{{js "it\'s"}}',
    "le": "{{le 2 1}}",
    "len": '{{len "Zürich"}}',
    "lt": '{{lt "a" "b"}}',
    "ne": '{{ne "a" "b"}}',
    "not": '{{not ""}}',
    "or": '{{or "" "none"}}',
    "print": '{{print "a" 1 2 "b"}}',
    "printf": '{{printf "%05.2f %q %v" 3.14159 "a" true}}',
    "println": '{{printf "%q" (println "a" 1)}}',
    "slice": '{{slice "hello" 1 3}}',
    "urlquery": '{{urlquery "a b&c"}}',
}
HEAD = """# Template functions

Every function that a template may call, with what it takes and an example of it. How templates work, their escape modes
and their limits: [Templates](../templates.md).

**Go** are the functions of Go's text/template, **Sprig** those of the library that Helm uses, under its names, **Tyk**
those that Tyk's templates have; **own** is ours. All of them are there since the first release. An argument with `...`
may be given any number of times. Where a value is piped in (`.Meta.Key | mask`), it is the last argument. Lengths and
positions count bytes. What is shown is what the example renders with `escape: text`.

This page is made from the code by `scripts/reference`.
"""
_COLUMNS = "| function | of | arguments | what it does | example | gives |\n|---|---|---|---|---|---|\n"
_TYPES = {
    "value": "any",
    "float64": "float",
    "int64": "int",
    "[]interface {}": "list",
    "map[string]interface {}": "map",
    "time.Time": "time",
}


def engine(name: str) -> str:
    """Whose function it is."""
    if name in BUILTINS:
        return "Go"
    return "Tyk" if name in TYK else "own" if name in OURS else "Sprig"


def examples() -> dict[str, str]:
    """A template for each function."""
    page = (DOCS / "templates.md").read_text().split("\n## Functions\n")[1].split("\n## ")[0]
    return BUILTIN_EXAMPLES | dict(re.findall(r"^\| `(\w+)` \| `(.+?)` \| ", page, re.MULTILINE))


def arguments(function: Function) -> str:
    """As Go writes a signature: name and type of each."""
    names = [parameter.name for parameter in inspect.signature(function.call).parameters.values()]
    types = [*function.parameters, *([f"{function.variadic}..."] if function.variadic else [])]
    return ", ".join(f"{_named(name)} {_type(kind)}" for name, kind in zip(names, types, strict=True))


def _named(name: str) -> str:
    return "others" if name == "_" else name


def _type(kind: str) -> str:
    plain = kind.removesuffix("...")
    return _TYPES.get(plain, plain) + kind[len(plain) :]


def meaning(function: Function) -> str:
    """The first paragraph beside the code, on one line."""
    text = re.sub(r"\s+", " ", inspect.cleandoc(function.call.__doc__ or "").split("\n\n")[0])
    assert "|" not in text
    return text.replace("\\", "\\\\")


def given(source: str) -> str:
    """What the example renders, or how it fails."""
    try:
        return code(Template.parse(source).render({}))
    except TemplateError as error:
        return f"fails: {code(error.message.rpartition('>: ')[2].partition(chr(10))[0])}"


def page() -> str:
    """The whole page."""
    parts = [HEAD, *_part("Go's own", list(BUILTINS))]
    for subject, calls in SUBJECTS.items():
        parts += _part(subject.capitalize(), sorted(calls, key=str.lower))
    return "".join(parts)


def _part(title: str, names: list[str]) -> Iterator[str]:
    yield f"\n## {title}\n\n{_COLUMNS}"
    sources = examples()
    for name in names:
        function, source = CATALOGUE[name], sources[name]
        cells = [f"`{name}`", engine(name), code(arguments(function)), meaning(function), code(source), given(source)]
        yield f"| {' | '.join(cells)} |\n"


def code(text: str) -> str:
    """Code in a cell of a table, where GitHub and the site do not agree on how a | is written."""
    assert "|" not in text
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""
