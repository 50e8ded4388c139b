"""The keys of one handler as people write them, the same in our form and in the seed's `handler_meta`.

`method` to `name` mean what Tyk means by them; the rest is ours, and everything in `settings.Defaults` may be said
again for one handler.
"""

import re
from typing import Annotated, get_args

from msgspec import Struct, field

from streamhooks.handlers.actions import OPEN
from streamhooks.handlers.handler import Escape
from streamhooks.secret import Secret, names_credential
from streamhooks.settings import Defaults
from streamhooks.settings.rules import (
    HEADER,
    SECRET,
    TEXT,
    Leaf,
    Many,
    RefusedError,
    Table,
    duration,
    flag,
    matching,
    one_of,
)

HANDLER_ID = matching(
    r"(?:[a-z0-9][a-z0-9_.-]{0,63})?",  # Tyk writes an empty one for none
    "must be 1 to 64 characters of a-z, 0-9, _, . and -, the first of them a letter or digit",
)


def _event_pattern(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}", value):
        raise RefusedError("must be an event type: 1 to 128 characters, none of them a control character")
    if "*" in value[:-1]:
        raise RefusedError("must be an event type, or the beginning of one with a * at its end")
    return value


EVENT_PATTERN = Leaf(
    _event_pattern, schema={"type": "string", "pattern": r"^[^*]*\*?$", "minLength": 1, "maxLength": 128}
)


def is_credential(name: str, value: str) -> bool:
    """Whether the value of a header is a secret by its name. A template is none: only what it renders is."""
    return names_credential(name) and OPEN not in value


class HmacSign(Struct, frozen=True):
    """For receivers that check as GitHub's do: HMAC-SHA256 of the body alone, in hex, one value in one header.

    One secret: such a header holds one signature, and receivers compare the whole of it. While it is exchanged the
    receiver is the one that must take both.
    """

    header: Annotated[str, TEXT] = "X-Hub-Signature-256"
    """The header that holds the signature."""
    secrets: Annotated[tuple[Secret, ...], Many(SECRET)] = ()
    """One, of 16 characters or more."""
    prefix: Annotated[str, TEXT] = "sha256="
    """What stands before the hexadecimal digits."""


class Sign(Struct, frozen=True):
    secrets: Annotated[tuple[Secret, ...], Many(SECRET)] = ()
    """Standard Webhooks: `whsec_` (v1) and `whsk_` (v1a) as they come, the current one first."""
    hmac: HmacSign = HmacSign()
    """For receivers that check as GitHub's do: HMAC-SHA256 of the body alone."""


class Definition(Defaults, frozen=True):
    """One handler but for the events that it listens to."""

    id: Annotated[str, HANDLER_ID] = ""
    """Its name in logs, metrics, commands and Redis; empty: `name`, else one made of event, API, method, URL and
    template."""
    name: Annotated[str, TEXT] = ""
    """Its name for people, as Tyk has it."""
    disabled: Annotated[bool, flag()] = False
    """It is left out, as if it were not there."""
    apis: Annotated[tuple[str, ...], Many(TEXT)] = ()
    """It fires only for events of these APIs; empty: of all."""
    orgs: Annotated[tuple[str, ...], Many(TEXT)] = ()
    """It fires only for events of these organisations; empty: of all."""
    method: Annotated[str, TEXT] = ""
    """`GET`, `POST`, `PUT`, `PATCH` or `DELETE`; empty: `POST`."""
    target_path: Annotated[str, TEXT] = ""
    """The URL that the webhook goes to. Path and query may hold template actions."""
    template_path: Annotated[str, TEXT] = ""
    """The file of the body; empty: the one that is shipped for events."""
    header_map: Annotated[dict[str, str | Secret], Table(HEADER, is_credential)] = field(default_factory=dict)
    """Headers of the request; their values may be templates, or references."""
    event_timeout: Annotated[float, duration(0, 366 * 86400)] = 0.0
    """The cool-down: for so long an equal request is not sent again; 0: none."""
    escape: Annotated[str, one_of("auto", *get_args(Escape))] = "auto"
    """What values turn into in the body; `auto` goes by the ending of the file."""
    compat: Annotated[str, one_of("", "tyk")] = ""
    """`tyk`: the request is byte for byte the one that Tyk sends."""
    sign: Sign = Sign()
    """How receivers know that it is yours."""
    when: Annotated[str, TEXT] = ""
    """A template: it fires only where this renders `true`."""
    expose_originating_request: Annotated[bool, flag()] = False
    """Keep `OriginatingRequest`, which holds the credentials of the caller; it is withheld otherwise."""


class OwnDefinition(Definition, frozen=True):
    """One handler of our form, which names its events itself."""

    on: Annotated[tuple[str, ...], Many(EVENT_PATTERN)] = ()
    """The event types that fire it; a `*` at the end stands for any ending. A plain `*` leaves out the events of
    streamhooks itself."""
