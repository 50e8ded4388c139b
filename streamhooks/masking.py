"""What is hidden from a screen unless somebody asks for it by --reveal.

`Key` of a key event is somebody's live credential: four characters of it tell it from another. The request that Tyk
keeps in `OriginatingRequest` holds the caller's credentials and is shown to nobody.
"""

from typing import Any

SHOWN = 4
HIDDEN = "***"
"""As the template function `mask` has it."""
WITHHELD = "OriginatingRequest"


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
    """Every value that `masked` masks, to be looked for elsewhere: endpoints like to repeat what they were sent."""
    if isinstance(value, dict):
        own = [member for name, member in value.items() if _is_key(name) and isinstance(member, str) and member]
        return own + [found for member in value.values() for found in credentials(member)]
    if isinstance(value, list):
        return [found for member in value for found in credentials(member)]
    return []


def mask(text: str) -> str:
    """The first four characters, where there are more."""
    return (text[:SHOWN] if len(text) > SHOWN else "") + HIDDEN


def _member(name: str, value: Any) -> Any:
    if name == WITHHELD:
        return HIDDEN
    if _is_key(name) and isinstance(value, str | int):
        return mask(str(value))
    return masked(value)


def _is_key(name: str) -> bool:
    return name.lower() == "key"
