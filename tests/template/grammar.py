"""Random templates and data for differential tests: grown from a grammar, by any random.Random.

Few keys, so that look-ups often hit; all kinds of nodes; mistakes of every kind that Go finds only when it runs.
The same grammar serves Hypothesis (whose Random shrinks) and long runs against the real Go (seeded).
"""

import random

KEYS = ("a", "b", "m", "l", "s", "n", "i", "f")
SCALARS: tuple[object, ...] = (
    *(None, True, False, 0, 1, 2, -3, 7, 123456789012, 1.5, 0.0, 2.0, 1e6, 1e-7),
    *("", "abc", "x<y&'\"", "é世", "a b", "5", "\\", "\n"),
)
LITERALS = ("1", "0", "-2", "3.0", '"x"', '"abc"', "`r`", "true", "false", "'c'", "nil", '""', "0x1F", "1e3")
FORMATS = ("%v", "%s", "%d", "%q", "%5v|", "%-4d|", "%x", "%+v", "%05d", "%.2f", "%t", "%v-%v", "%s%%", "%T", "%c", "x")
FUNCTIONS = (
    *("print", "println", "html", "js", "urlquery", "and", "or", "not", "print", "and", "or"),
    *("printf", "len", "index", "slice", "eq", "ne", "lt", "le", "gt", "ge", "eq", "printf", "index"),
)
ARITY = {"len": 1, "not": 1, "ne": 2, "lt": 2, "le": 2, "gt": 2, "ge": 2}
TEXTS = ("x", " ", 'a"b', "\\n", '{"k":1}', "é", "\n", "%s", "{ ", "}}")


def printf_format(source: random.Random) -> str:
    """A format of one or two verbs with every kind of flag, width, precision and index."""
    verbs = []
    for _ in range(source.randint(1, 2)):
        flags = "".join(source.choice("#0+- ") for _ in range(source.choice((0, 0, 1, 1, 2))))
        width = source.choice(("", "", "", "5", "8", "12", "*", "0"))
        precision = source.choice(("", "", "", ".0", ".1", ".3", ".", ".*", ".8"))
        index = source.choice(("", "", "", "", "[1]", "[2]", "[3]"))
        verbs.append(f"%{flags}{width}{precision}{index}{source.choice('vvsdxXqtbcoOUeEfFgGT%z')}")
    return source.choice(("", "|", " ")).join(verbs)


class Grammar:
    """Grows one template; knows the variables in scope."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.variables = ["$"]

    def template(self) -> str:
        """A template with two definitions, T and U, that it may call."""
        main = self.block(0)
        return f'{main}{{{{define "T"}}}}{self.inner()}{{{{end}}}}{{{{define "U"}}}}{self.inner()}{{{{end}}}}'

    def inner(self) -> str:
        self.variables = ["$"]
        return self.block(2)

    def data(self, depth: int = 0) -> object:
        choice = self.random.random()
        if not depth:
            return {key: self.data(1) for key in KEYS if self.random.random() < 0.7}
        if depth > 3 or choice < 0.55:
            return self.random.choice(SCALARS)
        if choice < 0.75:
            return [self.data(depth + 1) for _ in range(self.random.randint(0, 3))]
        return {self.random.choice(KEYS): self.data(depth + 1) for _ in range(self.random.randint(0, 4))}

    def fields(self) -> str:
        return "".join(f".{self.random.choice(KEYS)}" for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))))

    def operand(self, depth: int) -> str:
        choice = self.random.random()
        if choice < 0.45:
            return self.fields()
        if choice < 0.55:
            return "."
        if choice < 0.67:
            return self.random.choice(self.variables) + (self.fields() if self.random.random() < 0.5 else "")
        if choice < 0.85 or depth > 2:
            return self.random.choice(LITERALS)
        return f"({self.pipeline(depth + 1)})" + (self.fields() if self.random.random() < 0.25 else "")

    def command(self, depth: int, first: bool) -> str:
        if first and self.random.random() < 0.5:
            return self.operand(depth)
        name = self.random.choice(FUNCTIONS)
        count = max(0, ARITY.get(name, self.random.randint(1, 3)) - (not first and self.random.random() < 0.8))
        args = [self.operand(depth + 1) for _ in range(count)]
        if name == "printf":
            args = [f'"{self.random.choice(FORMATS)}"', *args[:2]]
        return " ".join((name, *args))

    def pipeline(self, depth: int = 0) -> str:
        return " | ".join(self.command(depth, not n) for n in range(self.random.choice((1, 1, 1, 2, 3))))

    def block(self, depth: int) -> str:
        known = len(self.variables)
        text = "".join(self.statement(depth) for _ in range(self.random.randint(1, 3)))
        del self.variables[known:]
        return text

    def statement(self, depth: int) -> str:
        choice = self.random.random()
        if choice < 0.2:
            return self.random.choice(TEXTS)
        if choice < 0.45 or depth > 3:
            left, right = self.random.choice(("{{", "{{", "{{- ")), self.random.choice(("}}", "}}", " -}}"))
            return f"{left}{self.pipeline()}{right}"
        if choice < 0.55:
            return self.variable()
        if choice < 0.7:
            return self.condition(depth)
        if choice < 0.8:
            return self.scoped("with", self.random.choice(("", "", "$w")), depth)
        if choice < 0.93:
            return self.loop(depth)
        return self.random.choice((f'{{{{template "T" {self.operand(1)}}}}}', '{{template "T"}}', '{{template "U" .}}'))

    def variable(self) -> str:
        name = self.random.choice(("$x", "$y"))
        if name in self.variables and self.random.random() < 0.5:
            return f"{{{{{name} = {self.pipeline()}}}}}"
        value = self.pipeline()
        self.variables.append(name)
        return f"{{{{{name} := {value}}}}}"

    def condition(self, depth: int) -> str:
        text = f"{{{{if {self.pipeline()}}}}}{self.block(depth + 1)}"
        if self.random.random() < 0.4:
            text += f"{{{{else if {self.pipeline()}}}}}{self.block(depth + 1)}"
        if self.random.random() < 0.5:
            text += f"{{{{else}}}}{self.block(depth + 1)}"
        return text + "{{end}}"

    def scoped(self, word: str, names: str, depth: int, over: str = "", tail: str = "") -> str:
        known = len(self.variables)
        value = over or self.pipeline()
        self.variables += names.split(", ") if names else []
        declared = f"{names} := " if names else ""
        text = f"{{{{{word} {declared}{value}}}}}{self.block(depth + 1)}{tail}"
        if self.random.random() < 0.4:
            text += f"{{{{else}}}}{self.block(depth + 1)}"
        del self.variables[known:]
        return text + "{{end}}"

    def loop(self, depth: int) -> str:
        over = self.random.choice((".l", ".m", ".a", ".", "$.l", "3", "$.m", ""))
        if over == "" and self.random.random() < 0.8:
            over = ".l"
        tail = self.random.choice(("", "", "", "{{break}}", "{{continue}}", "{{if .}}{{break}}{{end}}q"))
        names = self.random.choice(("", "", "$e", "$i, $e"))
        return self.scoped("range", names, depth, over, tail)
