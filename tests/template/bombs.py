"""Hostile templates and events: whatever would make an engine busy for long, or its output grow without end.

Events are as large as one may ever be, 512 KiB of MessagePack; template texts stay below their limit. The tests say how
each ends, `scripts/bench templates --bombs` how long it blocks. They are the worst of some 5,600 combinations of
functions, escape modes, texts and lists that were tried, and all that were ever found to take too long.
"""

from collections.abc import Callable

from msgspec import Struct

from streamhooks.template import Template
from streamhooks.template.front import Escape

EVENT = 512 * 1024
"""Bytes of the largest event."""


class Bomb(Struct, frozen=True):
    """One of them. `data` is a key of DATA; `ends` the kind of its error, empty where it renders."""

    name: str
    source: str
    data: str = "small"
    escape: Escape = "text"
    missingkey: str = "default"
    ends: str = "limit"

    def parse(self) -> Template:
        return Template.parse(self.source, escape=self.escape, missingkey=self.missingkey)


def _text(text: str) -> Callable[[], object]:
    return lambda: {"s": text, "t": text[:-1] + "x", "m": {"s": text}, "l": list(range(300))}


def _nested(inside: object, depth: int) -> object:
    for _ in range(depth):
        inside = [inside]
    return inside


DATA: dict[str, Callable[[], object]] = {
    "small": lambda: {"l": list(range(300)), "s": "abc", "m": {"a": 1}, "n": 7, "a": True},
    "ints": lambda: {"l": [1] * EVENT},
    "large ints": lambda: {"l": [2**64 - 1] * (EVENT // 9)},
    "floats": lambda: {"l": [1.2345678e9] * (EVENT // 5)},
    "empty lists": lambda: {"l": [[] for _ in range(EVENT)]},
    "maps": lambda: {"l": [{"a": n % 100} for n in range(EVENT // 5)]},
    "members": lambda: {"m": {f"k{n}": n % 100 for n in range(EVENT // 9)}},
    "map of 2,000": lambda: {"m": {f"key-{n}": f"value {n}" for n in range(2000)}},
    "nested": lambda: {"l": _nested([1] * (EVENT - 120), 60)},
    "times": lambda: {"l": ["2026-11-23T10:00:00+01:00"] * (EVENT // 27)},
    "half a pair": lambda: {"l": [1] * 20_000, "s": "\ud800"},
    "same hash": lambda: {
        "l": [[2.0 ** (n % 17 * 61), 2.0 ** (n // 17 % 17 * 61), n // 289 + 0.0] for n in range(9000)]
    },
    "text": _text("a" * EVENT),
    "quotes": _text('"<' * (EVENT // 2)),
    "controls": _text("\x00" * EVENT),
    "words": _text("aA_" * (EVENT // 3)),
    "lines": _text("a\n" * (EVENT // 2)),
    "commas": _text("," * EVENT),
    "slashes": _text("/a" * (EVENT // 2)),
    "digits": _text("1" * (EVENT - 1) + "x"),
    "sharp": _text("\u00df\u03a3" * (EVENT // 4)),
    "many letters": _text("".join(chr(0x10000 + n) for n in range(EVENT // 4))),
    "wide": _text("\x00" * (EVENT - 4) + "\U0001f600"),
    "marks": _text("http://a" + "\u0300\u0327" * (EVENT // 4 - 2)),
    "brackets": _text("[" * EVENT),
    "json": _text("[" + "[]," * (EVENT // 3 - 1) + "1]"),
    "messages": _text("at <" * (EVENT // 4)),
}


def _often(action: str, turns: int = 30_000) -> str:
    return f"{{{{range {turns}}}}}{{{{if {action}}}}}{{{{end}}}}{{{{end}}}}"


def _in_a_row(action: str, count: int = 60) -> str:
    return f"{{{{if {action}}}}}{{{{end}}}}" * count


_LOOPS = (
    Bomb("a loop in a loop", "{{range 99999}}{{range 99999}}{{end}}{{end}}"),
    Bomb("a loop over many items", "{{range .l}}{{.}}{{end}}", "ints"),
    Bomb("a loop over many members", "{{range $k, $v := .m}}{{$k}}{{$v}}{{end}}", "members"),
    Bomb("a loop that is left at once", "{{range 1000}}{{range $.m}}{{break}}{{end}}{{end}}", "members"),
    Bomb("a loop, then given up", _often("$.s", 40_000) + "{{.s.x}}"),
    Bomb("a loop in the walker", _often("eq 1 1", 6000) + "{{slice .s 0 .n}}"),
    Bomb("output, then given up", "{{range .l}}{{.}},{{end}}{{.s}}", "half a pair", ends="limit"),
    Bomb("a large text in a loop", "{{range 99999}}" + "x" * 60_000 + "{{end}}"),
    Bomb("a condition with 20,000 operands in a loop", _often("or " + ".z " * 20_000)),
    Bomb("a chain of 20,000 fields in a loop", _often("$.z" + ".b" * 20_000)),
    Bomb("parentheses in a loop", _often("(" * 250 + "$.z" + ")" * 250, 90_000)),
    Bomb("190 else-ifs in a loop", "{{range 90000}}{{if $.z}}" + "{{else if $.z}}" * 190 + "{{end}}{{end}}"),
    Bomb(
        "3,000 variables in the walker",
        "".join(f"{{{{$a{n} := 1}}}}" for n in range(3000)) + "{{range 90000}}{{$a0}}{{end}}{{slice .s 0 .n}}",
    ),
)
_CALLS = (
    Bomb("a template that calls itself", '{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}'),
    Bomb("a template that calls itself twice", '{{define "x"}}{{template "x"}}{{template "x"}}{{end}}{{template "x"}}'),
    Bomb(
        "templates that double",
        "".join(
            f'{{{{define "{n}"}}}}{{{{template "{n + 1}"}}}}{{{{template "{n + 1}"}}}}{{{{end}}}}' for n in range(60)
        )
        + '{{define "60"}}x{{end}}{{template "0"}}',
    ),
    Bomb(
        "output handed up 300 templates",
        "{{$x := dict `s` .s}}{{range 300}}{{$x = dict `n` $x}}{{end}}"
        '{{define "x"}}{{if .n}}{{template "x" .n}}{{else}}{{.s}}{{end}}{{end}}{{range 20}}{{template "x" $x}}{{end}}',
        "text",
    ),
)
_WAYS_TO_PRINT: tuple[tuple[str, str, Escape], ...] = (
    ("print", "{{.}}" * 100, "text"),
    ("a JSON value", "[" + "{{.}}," * 100 + "1]", "json"),
    ("%d", _in_a_row('printf "%d" .'), "text"),
    ("toPrettyJson", _in_a_row("toPrettyJson ."), "text"),
)
_PRINTED = tuple(
    Bomb(f"{name} of {data}", source, data, escape)
    for data in ("ints", "large ints", "floats", "empty lists", "maps", "members", "nested")
    for name, source, escape in _WAYS_TO_PRINT
)
_CONTAINERS = (
    Bomb("a map of 2,000 in a loop", "{{range 1000}}{{$.m}}{{end}}", "map of 2,000"),
    Bomb("a map of 2,000 in a row", "{{.m}}" * 100, "map of 2,000"),
    Bomb("a map of 2,000, nothing written", _in_a_row("print .m", 400), "map of 2,000"),
    Bomb("a list given up", "{{range .l}}{{end}}{{slice `abc` 0 .n}}", "empty lists"),
    Bomb("sortAlpha in a row", _in_a_row("sortAlpha .l", 400), "floats"),
    Bomb("uniq of lists of one hash", _in_a_row("uniq .l"), "same hash"),
    Bomb("keys in a loop", _often("keys $.m"), "members"),
    Bomb("omit 6,000 keys", "{{if omit .m " + " ".join(f"`a{n}`" for n in range(6000)) + "}}{{end}}", "members"),
    Bomb("lists compared", _in_a_row("eq .l .l"), "floats"),
    Bomb("xmlMarshal", _in_a_row("xmlMarshal ."), "maps"),
    Bomb("a list of itself twice, printed", "{{$x := list 1 2}}{{range 40}}{{$x = list $x $x}}{{end}}{{$x}}"),
    Bomb(
        "a list of itself twice, as JSON", "{{$x := list 1}}{{range 40}}{{$x = list $x $x}}{{end}}{{$x}}", escape="json"
    ),
    Bomb("a list of itself twice, compared", "{{$x := list 1}}{{range 40}}{{$x = list $x $x}}{{end}}{{eq $x $x}}"),
    Bomb("a map as a key of itself", "{{$x := dict}}{{range 40}}{{$x = dict $x $x}}{{end}}"),
    Bomb("lists 20,000 deep", "{{$x := list 1}}{{range 20000}}{{$x = list $x}}{{end}}{{uniq $x}}"),
    Bomb("a list doubled", "{{$x := list 1 2}}{{range 40}}{{$x = concat $x $x}}{{end}}", ends="exec"),
    Bomb("until in a row", _in_a_row("until 100000")),
)
_BUILT = (
    Bomb("a text doubled", "{{$x := .s}}{{range 40}}{{$x = print $x $x}}{{end}}", "text"),
    Bomb("a text doubled by printf", "{{$x := .s}}{{range 40}}{{$x = printf `%s%s%s%s` $x $x $x $x}}{{end}}", "wide"),
    Bomb("repeat in a loop", _often("repeat 1048576 `x`")),
    Bomb("printf with 9,000 arguments", '{{if printf "' + "%v" * 9000 + '" ' + ".l " * 9000 + "}}{{end}}", "ints"),
    Bomb("printf with one argument 12,000 times", '{{if printf "' + "%[1]s" * 12_000 + '" .s}}{{end}}', "text"),
    Bomb("printf with 6,000 widths", '{{if printf "' + "%4096[1]d" * 6000 + '" 1}}{{end}}'),
    Bomb("printf with stars", _often('printf "%*d" 4096 1')),
    Bomb("printf with 4,000 decimals", _often('printf "%.4000f" 1e300')),
    Bomb("a format from the event", "{{printf .s 1}}", "text", ends=""),
    Bomb("print with 20,000 arguments", "{{if print " + ".s " * 20_000 + "}}{{end}}", "text"),
)
_TEXTS = (
    *(
        Bomb(f"{action} of {data}", _in_a_row(f"{action} .s"), data)
        for action, data in (
            *(
                ("quote", "quotes"),
                ("js", "controls"),
                ("upper", "sharp"),
                ("lower", "many letters"),
                ("title", "words"),
            ),
            *(("snakecase", "words"), ("urlquery", "many letters"), ("toJson", "many letters"), ("html", "quotes")),
            *(("toPrettyJson", "quotes"), ("fromJson", "json"), ("fromJson", "brackets"), ("float64", "digits")),
            *(("sha256sum", "many letters"), ("clean", "slashes"), ("base", "slashes"), ("split `,`", "commas")),
            *(
                ("indent 1", "lines"),
                ("replace `,` `;`", "commas"),
                ('printf "%x"', "text"),
                ('printf "%q"', "quotes"),
            ),
        )
    ),
    Bomb("dateModify of digits", _in_a_row("dateModify .s 0"), "digits"),
    Bomb("int64 of digits", _in_a_row("int64 .s"), "digits"),
    Bomb("urlParse of marks", _in_a_row("urlParse .s"), "marks"),
    Bomb("trimAll of many letters", _in_a_row("trimAll .s .t"), "many letters"),
    Bomb("texts compared", _often("eq $.s $.t"), "text"),
    Bomb("a text compared with a constant", _often("eq $.s `" + "a" * 60_000 + "`"), "text"),
    Bomb("a byte of a text", _often("index $.s 9"), "many letters"),
    Bomb("the length of a text", _often("len $.s"), "many letters"),
    Bomb("a needle that almost fits", _often("contains `" + "a" * 49 + "b" + "a" * 49 + "` $.s"), "text"),
    Bomb("layouts", _often("date `" + "1" * 120 + "` 0")),
    Bomb("times", "{{range .l}}{{if date `2006-01-02` .}}{{end}}{{end}}", "times"),
    Bomb("a layout as long as the event", "{{date .s 0}}", "text", ends="exec"),
    Bomb("a message as long as the event", "{{range .s}}{{end}}", "messages", ends="exec"),
    Bomb("a key that 58,000 others are near", "{{.m.k99x}}", "members", missingkey="error", ends="exec"),
)
_PIECES: tuple[tuple[Escape, str], ...] = (
    *(("text", "{{%s}}"), ("json", '"{{%s}}",'), ("json", "{{%s}},"), ("json", '{{printf "%%q" %s}},')),
    *(
        ("xml", "<a>{{%s}}</a>"),
        ("xml", '<a b="{{%s}}"/>'),
        ("csv", "{{%s}},"),
        ("form", "{{%s}}&"),
        ("url", "{{%s}}/"),
    ),
    *(("html", "{{%s}}"), ("html", "<a b={{%s}}>")),
)
_WRITTEN = tuple(
    Bomb(f"{escape} {how}: {piece} of {data}", f"[{source}1]" if escape == "json" else source, data, escape)
    for escape, piece in _PIECES
    for data in ("controls", "wide", "quotes")
    for how, source in (
        ("in a row", piece % ".s" * 100),
        ("in blocks", "".join(f"{{{{with .m.s}}}}{piece % '.'}{{{{end}}}}" for _ in range(100))),
    )
)
BOMBS = (*_LOOPS, *_CALLS, *_PRINTED, *_CONTAINERS, *_BUILT, *_TEXTS, *_WRITTEN)


def _filled(piece: str, tail: str = "") -> str:
    return piece * ((64 * 1024 - len(tail)) // len(piece)) + tail


SOURCES = {
    "9,000 fields": _filled("{{.a}}"),
    "a chain of 32,000 fields": "{{.a" + ".b" * 32_000 + "}}",
    "5,000 variables": "".join(f"{{{{$a{n}:=1}}}}" for n in range(5000)),
    "190 else-ifs after each other": _filled("{{if upper .a}}" + "{{else if upper .b}}" * 190 + "{{end}}"),
    "19 loops in each other": _filled("{{range .a}}" * 19 + "{{end}}" * 19),
    "250 parentheses in each other": _filled("{{" + "(" * 250 + ".a" + ")" * 250 + "}}"),
    "a call with 21,000 arguments": "{{print " + ".a " * 21_000 + "}}",
    "a pipe of 10,000 stages": "{{.a" + "|upper" * 10_000 + "}}",
    "2,000 definitions": "".join(f'{{{{define "{n}"}}}}{{{{.a}}}}{{{{end}}}}' for n in range(2000)),
    "900 templates that call two": "".join(
        f'{{{{define "{n}"}}}}{{{{template "{n + 1}" .a}}}}{{{{template "{n + 1}" .b}}}}{{{{end}}}}' for n in range(900)
    )
    + '{{template "0" .}}',
    "a template that calls itself three times": '{{define "t"}}'
    '{{template "t" .a}}{{template "t" .b}}{{template "t" .c}}{{end}}{{template "t" .}}',
    "a number of 65,000 digits": "{{" + "9" * 65_000 + "}}",
    "65,000 blanks": "{{" + " " * 65_000 + ".a}}",
}
"""Template texts near the largest size: what they cost when they are read at the start."""
