"""Makes a template and its data smaller while they keep what makes them interesting.

Pieces are taken out, largest first, until no single piece can go: runs of characters of the template, members and
items of the data. Most of what is left over is no template any more, and then it is no longer interesting.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Interesting: TypeAlias = Callable[[str, Any], bool]
TRIALS = 400
"""Most candidates that are tried; each may cost a call of Go."""


def smaller(template: str, data: Any, interesting: Interesting) -> tuple[str, Any]:
    """The smallest that was found. What comes in must be interesting."""
    trials = 0
    found = True
    while found:
        found = False
        for text, of in _candidates(template, data):
            trials += 1
            if trials > TRIALS:
                return template, data
            if interesting(text, of):
                template, data, found = text, of, True
                break
    return template, data


def _candidates(template: str, data: Any) -> Iterator[tuple[str, Any]]:
    for less in _data_without(data):
        yield template, less
    for text in _without_blocks(template):
        yield text, data
    length = len(template) // 2
    while length:
        for at in range(0, len(template), length):
            yield template[:at] + template[at + length :], data
        length //= 2


def _without_blocks(template: str) -> Iterator[str]:
    """Without one whole action or text between actions, or the two ends of a block."""
    pieces = _pieces(template)
    for first in range(len(pieces)):
        for last in range(len(pieces), first, -1):
            yield "".join(pieces[:first] + pieces[last:])
    for first in range(len(pieces)):
        for last in range(first + 1, len(pieces)):
            if pieces[last].lstrip("{- ").startswith("end"):
                yield "".join(pieces[:first] + pieces[first + 1 : last] + pieces[last + 1 :])


def _pieces(template: str) -> list[str]:
    pieces: list[str] = []
    for part in template.split("{{"):
        action, closing, text = part.partition("}}")
        pieces += [f"{{{{{action}{closing}", text] if closing else [part]
    return [piece for piece in pieces if piece]


def _data_without(data: Any) -> Iterator[Any]:
    """The data without one member or item, at any depth."""
    if isinstance(data, dict):
        for key in data:
            rest = {name: value for name, value in data.items() if name != key}
            yield rest
            yield from ({**data, key: less} for less in _data_without(data[key]))
    elif isinstance(data, list):
        for at, item in enumerate(data):
            yield data[:at] + data[at + 1 :]
            yield from ([*data[:at], less, *data[at + 1 :]] for less in _data_without(item))
