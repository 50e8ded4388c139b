"""The text of a configuration file, YAML, JSON or TOML, as plain values; a key that stands twice is a fault.

YAML is read by the core schema of YAML 1.2, not PyYAML's 1.1: there `on:` is the key True, `off` is False, `1:30` is
90 and a date is an object, and each of these would turn what a person wrote into something else.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from streamhooks.errors import Fault
from streamhooks.settings.reading import Place
from streamhooks.settings.yaml_faults import yaml_fault

MAX_BYTES = 4 * 1024 * 1024
"""Of one file. Ours; a thousand handlers fit in a tenth of it."""


class _Yaml12(yaml.SafeLoader):
    """SafeLoader with the implicit types of YAML 1.2's core schema (YAML 1.2.2, section 10.3.2)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own attribute


_INTEGER = r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), None)
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), None)
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^(?:{_INTEGER})$"), None)
_Yaml12.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    None,
)
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), None)


def _integer(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(node.value)
    if text.startswith(("0o", "0x")):
        return int(text, 0)
    return int(text)  # a leading zero is decimal in 1.2 and octal in 1.1


_Yaml12.add_constructor("tag:yaml.org,2002:int", _integer)


def parse(text: str, file: str, faults: list[Fault]) -> Any:
    """The values of one file, by the ending of its name; None and a fault where it is no such file."""
    ending = file.rpartition(".")[2].lower()
    parsers: dict[str, Callable[[str, str, list[Fault]], Any]] = {"json": _json, "conf": _json, "toml": _toml}
    try:
        return parsers.get(ending, _yaml)(text, file, faults)
    except RecursionError:
        faults.append(Fault(file, "", "is nested too deep to be read; at most some hundred levels"))
    return None


def value(text: str) -> Any:
    """One value of YAML, as the environment gives it. Raises ValueError where it is none."""
    try:
        return yaml.load(text, _Yaml12)  # noqa: S506 -- a SafeLoader, narrowed  # nosec B506
    except (yaml.YAMLError, RecursionError):
        raise ValueError("is not a YAML value; put it in quotes") from None


def _yaml(text: str, file: str, faults: list[Fault]) -> Any:
    try:
        loader = _Yaml12(text)
    except yaml.reader.ReaderError as error:
        faults.append(Fault(file, "", f"is not YAML: the character U+{error.character:04X} is not allowed in it"))
        return None
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        faults.extend(_repeated_nodes(node, Place(file), set()))
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        faults.append(Fault(file, *yaml_fault(error)))
    except ValueError as error:
        # Python's words end with the value, which somebody tagged as a number.
        faults.append(Fault(file, "", f"is not YAML: {str(error).partition(': ')[0]}"))
    finally:
        loader.dispose()
    return None


def _repeated_nodes(node: yaml.Node, place: Place, seen: set[int]) -> Iterator[Fault]:
    if id(node) in seen:  # an alias, perhaps to itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_nodes(item, place.item(index), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, item in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name != "<<" and name in lines:
                yield place.key(name).fault(f"is given twice, in lines {lines[name]} and {line}; keep one of them")
            lines[name] = line
            yield from _repeated_nodes(item, place.key(name), seen)


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys it had twice."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        made.repeated = tuple(name for name in made if names.count(name) > 1)
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _json(text: str, file: str, faults: list[Fault]) -> Any:
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        faults.append(Fault(file, f"line {error.lineno}, column {error.colno}", f"is not JSON: {error.msg}"))
        return None
    except ValueError as error:
        faults.append(Fault(file, "", f"is not JSON: {error}"))
        return None
    faults.extend(_repeated_members(data, Place(file)))
    return data


def _repeated_members(data: Any, place: Place) -> Iterator[Fault]:
    if isinstance(data, _Object):
        for name in data.repeated:
            yield place.key(name).fault("is given twice; keep one of them")
        for name, item in data.items():
            yield from _repeated_members(item, place.key(name))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _repeated_members(item, place.item(index))


def _toml(text: str, file: str, faults: list[Fault]) -> Any:
    try:
        return tomllib.loads(text)  # it refuses a repeated key itself
    except (tomllib.TOMLDecodeError, ValueError) as error:
        faults.append(Fault(file, "", f"is not TOML: {error}"))
        return None
