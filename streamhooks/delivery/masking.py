"""What is hidden of events and answers, in logs, listings and records, unless somebody asks for it by --reveal.

`Key` of a key event is somebody's live credential: four characters of it tell it from another. The request that Tyk
keeps in `OriginatingRequest` holds the caller's credentials and is shown to nobody. Both come back in texts of others:
a template's message quotes values, an endpoint repeats what it was sent, our own Authorization too.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from streamhooks.model import Event, Request
from streamhooks.secret import HIDDEN, Secret

SHOWN = 4
WITHHELD = "OriginatingRequest"
_SHORTEST = 4
"""Characters of what is looked for in texts: less is no credential, and hiding it everywhere would tear a text up."""


def masked(value: Any) -> Any:
    """The same JSON value with every `Key` masked and every OriginatingRequest withheld."""
    if isinstance(value, dict):
        return {name: _member(name, member) for name, member in value.items()}
    if isinstance(value, list):
        return [masked(member) for member in value]
    return value


def withheld(value: dict[str, Any]) -> dict[str, Any]:
    """What even --reveal does not show."""
    return {name: HIDDEN if name == WITHHELD else member for name, member in value.items()}


def credentials(value: Any) -> list[str]:
    """Every text that `masked` hides, to be looked for elsewhere."""
    if isinstance(value, dict):
        own = [str(member) for name, member in value.items() if _is_hidden(name, member) and member]
        return own + [found for member in value.values() for found in credentials(member)]
    if isinstance(value, list):
        return [found for member in value for found in credentials(member)]
    return []


def mask(text: str) -> str:
    """The first four characters, where there are more."""
    return (text[:SHOWN] if len(text) > SHOWN else "") + HIDDEN


def without(text: str, hidden: Iterable[str], instead: Callable[[str], str] = mask) -> str:
    """The text with each of these replaced, also as JSON and URLs spell them, and where the text breaks off in one."""
    # What is longer than the text can only be cut off by its end.
    forms = {form for one in hidden for form in _forms(one[: len(text)])}
    for found in sorted(forms, key=len, reverse=True):
        text = text.replace(found, instead(found))
        cut = next((n for n in range(min(len(found), len(text)), SHOWN, -1) if text.endswith(found[:n])), 0)
        if cut:
            text = text[:-cut] + instead(found)
    return text


def without_credentials(text: str, event: Event) -> str:
    """What somebody says of an event, without its credentials."""
    return without(text, credentials(event.meta))


def sent_secrets(request: Request) -> list[str]:
    """The secrets that the endpoint was sent, and may repeat: whole header values, and what follows `Bearer `."""
    values = [value.reveal() for _, value in request.headers if isinstance(value, Secret)]
    return values + [value.partition(" ")[2] for value in values]


def without_secrets(answer: bytes, request: Request) -> bytes:
    """The beginning of an answer as it may be kept: what we sent as a secret is not in it."""
    hidden = sent_secrets(request)
    if not hidden:
        return answer
    # Latin-1 takes every byte there and back, and header values are ASCII.
    return without(answer.decode("latin-1"), hidden, lambda _: HIDDEN).encode("latin-1", "replace")


def _forms(text: str) -> Iterator[str]:
    if len(text) >= _SHORTEST:
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield quote(text, safe="")


def _member(name: str, value: Any) -> Any:
    if _is_hidden(name, value):
        return HIDDEN if name == WITHHELD else mask(str(value))
    return masked(value)


def _is_hidden(name: str, value: Any) -> bool:
    return name == WITHHELD or (name.lower() == "key" and isinstance(value, str | int) and not isinstance(value, bool))
