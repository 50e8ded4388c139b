"""The second line of an error: what to look at, after Go's own words.

Go says what went wrong; this says which known name was probably meant, what would be right there, or why a value is
not what it seems. Where there is nothing better to say of a text that cannot be parsed, its action is shown.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches

from streamhooks.errors import TemplateError

_LONGEST = 1000
"""Characters of a message that is looked at: a longer one quotes some large part of an event."""
_NAMES = 150
_NAME_CHARS = 32
"""Most names, and the longest, that are compared with a name that is not known: each takes up to 60 microseconds."""
_ACTION = re.compile(r"\{\{.{1,120}?\}\}")

_MISSING = re.compile(r'at <.*>: (?:map has no entry|nil data; no entry) for key "(.*)"$')
_FUNCTION = re.compile(r'function "(.*)" not defined$')
_TEMPLATE = re.compile(r'template "([^"]*)" not defined$|no such template "([^"]*)"$')
_FIELD = re.compile(r"at <(.*)>: can't evaluate field (\S+) in type (.*)$")
_MEANT: tuple[tuple[str, str], ...] = (
    (
        r"nil pointer evaluating interface \{\}\.(?P<name>\S+)$",
        "What .{name} is read from is null here; guard it with {{{{with}}}} or {{{{if}}}}.",
    ),
    (
        r"incompatible types for comparison: (?:float64 and int(?:64)?|int(?:64)? and float64)$",
        "Go compares no float with an integer: write the constant with a point (10.0), or convert with float64.",
    ),
    (
        r"incompatible types for comparison: (?P<left>\S+) and (?P<right>\S+)$",
        "Go compares values of one type only; here {left} with {right}.",
    ),
    (
        r"error calling slice: cannot index slice/array with type interface \{\}$",
        "Bind the index to a variable first: {{{{$n := .n}}}}{{{{slice .s 0 $n}}}}.",
    ),
    (
        r"cannot index slice/array with (?:nil|type \S+)$",
        "An index is a whole number, as in {{{{index .list 0}}}}; a map is indexed by text.",
    ),
    (
        r"index out of range(?:: -?[0-9]+)?$",
        "Indexes begin at 0 and end before the length; guard it with {{{{if gt (len .list) 2}}}}.",
    ),
    (
        r"error calling slice: (?:can't slice item of type \S+.*|cannot 3-index slice a string|slice of untyped nil)$",
        "slice takes a part of a text or list: {{{{slice .text 0 4}}}}.",
    ),
    (
        r"invalid slice index: .*$|too many slice indexes: [0-9]+$",
        "slice takes the first position and that after the last: {{{{slice .text 0 4}}}}.",
    ),
    (r"can't index item of type (?P<of>\S+)$", "Lists, maps and text are indexed; this is {of}."),
    (
        r"index of (?:untyped nil|nil pointer)$",
        "What is indexed is not there; guard it with {{{{with}}}} or {{{{if}}}}.",
    ),
    (
        r"value (?:has type \S+|is nil); should be (?:of type )?string$",
        'The keys of a map are text, as in {{{{index .map "key"}}}}.',
    ),
    (
        r"error calling len: (?:len of nil pointer|reflect: call of \S+ on zero Value)$",
        "What is measured is not there; guard it with {{{{with}}}} or {{{{if}}}}.",
    ),
    (r"error calling len: len of type (?P<of>\S+)$", "Text, lists and maps have a length; this is {of}."),
    (
        r"non-comparable types? .*$",
        "Lists and maps are compared with nothing but nil; compare their parts, or toJson of both.",
    ),
    (
        r"invalid type for comparison$",
        "lt, le, gt and ge take numbers and text; guard what may be missing with {{{{if}}}}.",
    ),
    (r"can't use .* to iterate over more than one variable$", "A range over a number has one variable."),
    (r"missing argument for comparison$", "eq compares the first value with each of the others: {{{{eq .a 1 2}}}}."),
    (r"overflows int$", "Whole numbers end at 9223372036854775807; write it as a float (1e20), or as text."),
    (r"json: unsupported value: .*$", "JSON has neither NaN nor infinities."),
    (r"range can't iterate over .*$", "range goes over lists, maps and whole numbers."),
    (
        r"wrong type for value; expected (?P<wanted>.+); got (?P<got>.+)$",
        "The function takes {wanted} here, the value is {got}; convert it first.",
    ),
    (
        r"invalid value; expected (?P<wanted>\S+)$",
        "The function takes {wanted}, and there is no value; default gives one.",
    ),
    (r"at <.*>: expected (?P<wanted>\S+); found .*$", "The function takes {wanted} here."),
    (r"cannot assign nil to (?P<wanted>\S+)$", "The function takes {wanted} here, not nil."),
    (
        r": (?P<what>[^ :]+) is not a method but has arguments$",
        "A value takes no arguments; a function stands first: {{{{print .{what} 1}}}}.",
    ),
    (
        r"can't give argument to non-function .*$",
        "A value takes no arguments, and nothing is piped into it; a function stands first: {{{{print .a .b}}}}.",
    ),
    (r"nil is not a command$", "nil is only an argument, as in {{{{if eq .a nil}}}}."),
    (
        r"wrong number of args for (?P<name>\S+): want (?P<wanted>.+) got (?P<got>[0-9]+)$",
        "{name} takes {wanted}; {got} are given here. What is piped in is the last of them.",
    ),
    (r"call of nil$|non-function .* of type \S+$", "Data hold no functions that call could call."),
    # From here on the parser's.
    (r"missing value for (?P<word>if|with|range)$", "A value stands after it: {{{{{word} .field}}}}."),
    (
        r"missing value for (?:command|parenthesized pipeline|block clause)$",
        "A value or a function stands there: {{{{.field}}}}.",
    ),
    (r": unexpected EOF$", "A block is not closed: each if, with, range, block and define has its {{{{end}}}}."),
    (r": unexpected \{\{end\}\}$", "There is one {{{{end}}}} more than blocks before it."),
    (
        r"unexpected \{\{else\}\}(?: in .*)?$|expected end; found \{\{else\}\}$",
        "Each if, with or range has one {{{{else}}}}, as its last.",
    ),
    (r"unclosed action.*$", "An action ends with }}}}."),
    (
        r"unexpected .* in (?P<word>template|define|block) clause$",
        'The name of a template is a text in quotes: {{{{{word} "name"}}}}; a value may come after it.',
    ),
    (
        r"unexpected <(?P<word>if|with)> in input$",
        "else {word} goes on with {word} only; elsewhere write {{{{else}}}}{{{{{word} .a}}}}...{{{{end}}}}.",
    ),
    (
        r"unexpected .* in (?P<word>else|end|\{\{break\}\}|\{\{continue\}\})$",
        "Nothing stands in the action of an else, an end, a break or a continue.",
    ),
    (r"unexpected <[a-z]+> in operand$", "Keywords are no values; a key of this name is reached by index."),
    (r"unexpected <\.> in operand$", "Between two dots stands a name."),
    (r"unclosed left paren$|unexpected right paren$", "Each ( has its ) in the same action."),
    (r"unterminated quoted string$", 'Text ends with a " in its line; between backquotes it may have several lines.'),
    (r"unterminated (?:raw quoted string|character constant)$", "The quote that opens it is not closed."),
    (r"unclosed comment$|comment ends before closing delimiter$", "A comment is all of an action: {{{{/* ... */}}}}."),
    (
        r"bad character U\+.*$",
        'Names are letters, digits and _; other keys are reached by index: {{{{index . "a-b"}}}}.',
    ),
    (r"unrecognized character in action: U\+00A0.*$", "This is a non-breaking space; write an ordinary one."),
    (r"undefined variable:? .*$", "A variable is there from {{{{$x := ...}}}} to the end of its block."),
    (
        r'unexpected "=" in operand$|unexpected "(?:=|!|<|>|&).*" in .*$',
        "Comparisons are functions: eq ne lt le gt ge, and or not.",
    ),
    (r'unexpected "/" in command$', "A comment is all of an action: {{{{/* ... */}}}}; division is a function: div."),
    (r'unexpected "[+*/%-]" in .*$', "Arithmetic is functions: add, sub, mul, div, mod."),
    (
        r"non executable command in pipeline stage [0-9]+$",
        "What stands after | is a function, which gets the value before it.",
    ),
    (r"unexpected \. after term .*$", "Only fields, variables and parentheses have fields."),
    (
        r"range can only initialize variables$|too many declarations in .*$",
        "{{{{range $index, $element := .list}}}}; elsewhere one variable.",
    ),
    (r"multiple definition of template .*$", "Give one of them another name."),
    (r"\{\{(?:break|continue)\}\} outside \{\{range\}\}$", "It stands inside a range of the same template."),
    (r"unexpected <define> in command$", "define stands at the top, outside all blocks."),
    (r"integer overflow: .*$", "Write it as a float (1e20), or as text."),
    (r"invalid syntax$", r"Known escapes are \n \t \r \\ \" \xHH \uHHHH; between backquotes none are needed."),
)
_PATTERNS = tuple((re.compile(pattern), hint) for pattern, hint in _MEANT)


def with_hint(
    error: TemplateError, data: object, functions: Collection[str], templates: Collection[str] = (), source: str = ""
) -> TemplateError:
    """The error with a line that helps, if it has none yet and there is something to say."""
    if "\n" in error.message or len(error.message) > _LONGEST:
        return error
    line = _hint(error.message, data, {"functions": functions, "templates": templates})
    if not line and error.kind == "parse":
        line = _the_action(error.message, source)
    return TemplateError(error.kind, f"{error.message}\n{line}", error.place) if line else error


def _hint(message: str, data: object, names: dict[str, Collection[str]]) -> str:
    if found := _FUNCTION.search(message):
        near = _near(found.group(1), names["functions"], "functions")
        return near or f"No function is like it; a field has a dot before it: {{{{.{found.group(1)}}}}}."
    if found := _TEMPLATE.search(message):
        name = found.group(1) or found.group(2)
        return _near(name, names["templates"], "templates") or f'Define it: {{{{define "{name}"}}}}...{{{{end}}}}.'
    if found := _MISSING.search(message):
        near = _near(found.group(1), _keys(data, found.group(1)), "keys of the event")
        return near or f'Where it may be missing, index gives nothing: {{{{index .map "{found.group(1)}"}}}}.'
    if found := _FIELD.search(message):
        return f"{found.group(1)} goes through a value that has no fields: .{found.group(2)} needs a map before it."
    for pattern, hint in _PATTERNS:
        if found := pattern.search(message):
            return hint.format(**found.groupdict())
    return ""


def _near(name: str, known: Collection[str], what: str) -> str:
    if len(name) > _NAME_CHARS:
        return ""
    words = [word for word in known if word[:1] != "_" and len(word) <= _NAME_CHARS and abs(len(word) - len(name)) < 9]
    near = get_close_matches(name, words[:_NAMES], n=3, cutoff=0.6)
    if not near:
        return ""
    return f"Near it are the {what} {', '.join(near)}." if len(near) > 1 else f"Did you mean {near[0]}?"


def _keys(data: object, wanted: str, depth: int = 4) -> list[str]:
    """The keys of the data, a few levels down; not of lists, whose items are alike."""
    if not isinstance(data, dict) or not depth:
        return []
    keys = dict.fromkeys(key for key in [*data][: 2 * _NAMES] if isinstance(key, str) and key != wanted)
    for inner in [*data.values()][:_NAMES]:
        if len(keys) > 2 * _NAMES:
            break
        keys.update(dict.fromkeys(_keys(inner, wanted, depth - 1)))
    return [*keys]


def _the_action(message: str, source: str) -> str:
    """The action of the line that a message of the parser names, where there is one only.

    Never the text around it: that of a header may be a secret.
    """
    found = re.search(r":([0-9]+): ", message)
    lines = source.split("\n")
    number = int(found.group(1)) if found else 0
    actions = _ACTION.findall(lines[number - 1]) if 0 < number <= len(lines) else []
    return f"It is in {actions[0]}." if len(actions) == 1 else ""
