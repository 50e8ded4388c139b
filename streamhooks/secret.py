"""What must never be seen: a text that shows itself to whoever asks for it by name, and as `***` to all others.

Strategy: a credential is wrapped where it is read and unwrapped where it goes on the wire, by `reveal`, which is easy
to search for. In between, settings, handlers and requests may be printed, logged or put into a message as they are.

Laws: nothing of the text shows, not even its length. Equal by value, so that settings and handlers compare. Encoders
refuse it instead of writing `***` somewhere for good: what is stored must have been revealed on purpose.
"""

import re
from typing import Any, NoReturn, final

HIDDEN = "***"
"""As the template function `mask` has it."""

_CREDENTIAL = re.compile(
    r"authori[sz]ation|authentication|\bauth\b|token|secret|passw|passphrase|credential|cookie|signature|session"
    r"|(?:api|access|private|account|subscription|functions?)[-_]?key",
    re.IGNORECASE,
)
_NO_PORT = re.compile(r":(?![0-9]+(?:[,/]|\Z))[^\]/,]*(?=[,/]|\Z)")


@final
class Secret:
    """A text that never prints. Empty is false, as a text is."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the wire, or for a person who said --reveal."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not stored: reveal() what is meant to be")


def revealed(value: "str | Secret") -> str:
    """The text, of a value that may be a secret."""
    return value.reveal() if isinstance(value, Secret) else value


def names_credential(name: str) -> bool:
    """Whether a header of this name holds a credential, wherever its value came from: Authorization, X-Api-Key."""
    return _CREDENTIAL.search(name) is not None


def shown_url(url: Secret) -> str:
    """The URL without user, password and options (`?password=` is one), whatever its form."""
    scheme, _, rest = url.reveal().partition("://")
    # From the last @, for a password may hold one; better to show too little of the host than a part of that.
    place = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    # `redis://user:password/0` lacks its host: what should be a port is none.
    return f"{scheme}://{_NO_PORT.sub('', place)}"
