"""The vectors: templates with the answers of the real Go, read as vectors/oracle.go describes them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from streamhooks.template import Template
from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.gotime import RFC3339, parse_time
from streamhooks.template.values import GoInt, Uint64, type_name

VECTORS = Path(__file__).parent / "vectors"


class Case(Struct, frozen=True):
    """One vector: a template, its data, and what Go made of it."""

    name: str
    template: str
    data: Any = None
    mode: str = "text"
    missingkey: str = "default"
    output: str | None = None
    output_b64: str | None = None
    error: str | None = None
    stage: str = ""
    partial: str = ""
    tags: tuple[str, ...] = ()
    funcs: str = ""
    tname: str = "t"
    delims: tuple[str, str] = ("{{", "}}")
    templates: dict[str, str] = {}
    exec: str = ""
    floats: bool = False

    @property
    def expected(self) -> bytes:
        """The output as bytes, of a case that has one."""
        if self.output_b64 is not None:
            return base64.b64decode(self.output_b64)
        assert self.output is not None
        return self.output.encode()

    def values(self) -> object:
        return decoded(self.data, self.floats)

    def parse(self, **options: Any) -> Template:
        template = Template.parse(
            self.template,
            self.tname,
            escape="html" if self.mode == "html" else "text",
            missingkey=self.missingkey,
            functions=GOTEST if self.funcs == "gotest" else {},
            delims=self.delims,
            templates=self.templates,
            catalogue=self.funcs in ("tyk", "sprig"),
            **options,
        )
        return template.lookup(self.exec) if self.exec else template


def read(file: str) -> list[Case]:
    """The cases of one file. Lines end at newlines only: a string may hold other line separators.

    fuzz.jsonl is there only once scripts/fuzz-templates has found a difference.
    """
    path = VECTORS / file
    lines = path.read_text("utf-8").split("\n") if path.exists() or file != "fuzz.jsonl" else []
    return [_case(json.loads(line)) for line in lines if line]


def _case(fields: dict[str, Any]) -> Case:
    known = {name: fields[name] for name in Case.__struct_fields__ if name in fields}
    for name in ("tags", "delims"):
        if name in known:
            known[name] = tuple(known[name])
    return Case(**known)


def decoded(value: Any, floats: bool = False) -> Any:
    """Data as they are in a vector, to the values that they mean."""
    if isinstance(value, list):
        return [decoded(item, floats) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key in _MARKS:
                return _MARKS[key](inner)
        return {key: decoded(inner, floats) for key, inner in value.items()}
    return float(value) if floats and type(value) is int else value


_MARKS: dict[str, Callable[[Any], object]] = {
    "$bytes": base64.b64decode,
    "$time": lambda text: parse_time(RFC3339, text),
    "$float": float,
    "$uint": Uint64,
}


def first_line(message: str) -> str:
    """Go's own part of a message, as the oracle writes it."""
    return message.split("\n", maxsplit=1)[0]


# The functions that Go's own tests register, as vectors/oracle.go has them.


def _add(*numbers: int) -> int:
    return GoInt(sum(numbers))


def _ddd_arg(number: int, *words: str) -> str:
    return f"{number} [{' '.join(words)}]\n"


def _die() -> bool:
    raise RuntimeError("die")


def _do_panic() -> str:
    raise RuntimeError("custom panic string")


def _fail(message: str) -> str:
    raise FunctionError(message)


def _echo(value: object) -> object:
    return value


def _makemap(*words: str) -> dict[str, str]:
    return dict(zip(words[::2], words[1::2], strict=True))


def _map_of_three() -> dict[str, int]:
    return {"three": GoInt(3)}


def _one_arg(text: str) -> str:
    return f"oneArg={text}"


def _return_int() -> int:
    return GoInt(7)


def _two_args(first: str, second: str) -> str:
    return f"twoArgs={first}{second}"


def _type_of(value: object) -> str:
    return type_name(value)


def _value_string(text: str) -> str:
    del text
    return "value is ignored"


def _zero_args() -> str:
    return "zeroArgs"


GOTEST: dict[str, Callable[..., object]] = {
    "add": _add,
    "dddArg": _ddd_arg,
    "die": _die,
    "doPanic": _do_panic,
    "echo": _echo,
    "fail": _fail,
    "makemap": _makemap,
    "mapOfThree": _map_of_three,
    "oneArg": _one_arg,
    "returnInt": _return_int,
    "twoArgs": _two_args,
    "typeOf": _type_of,
    "valueString": _value_string,
    "zeroArgs": _zero_args,
}
