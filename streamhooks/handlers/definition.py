"""The keys of one handler as people write them, the same in our form and in the seed's `handler_meta`.

`method` to `name` mean what Tyk means by them; the rest is ours, and everything in `settings.Defaults` may be said
again for one handler.
"""

import re
from typing import Annotated

from msgspec import Struct, field

from streamhooks.settings import Defaults
from streamhooks.settings.rules import (
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


EVENT_PATTERN = Leaf(_event_pattern)


class Sign(Struct, frozen=True):
    secrets: Annotated[tuple[str, ...], Many(SECRET)] = ()


class Definition(Defaults, frozen=True):
    """One handler but for the events that it listens to."""

    id: Annotated[str, HANDLER_ID] = ""
    name: Annotated[str, TEXT] = ""
    disabled: Annotated[bool, flag()] = False
    apis: Annotated[tuple[str, ...], Many(TEXT)] = ()
    orgs: Annotated[tuple[str, ...], Many(TEXT)] = ()
    method: Annotated[str, TEXT] = ""
    target_path: Annotated[str, TEXT] = ""
    template_path: Annotated[str, TEXT] = ""
    header_map: Annotated[dict[str, str], Table(SECRET)] = field(default_factory=dict)
    event_timeout: Annotated[float, duration(0, 366 * 86400)] = 0.0
    escape: Annotated[str, one_of("auto", "json", "xml", "csv", "form", "html", "text")] = "auto"
    compat: Annotated[str, one_of("", "tyk")] = ""
    sign: Sign = Sign()
    when: Annotated[str, TEXT] = ""
    expose_originating_request: Annotated[bool, flag()] = False


class OwnDefinition(Definition, frozen=True):
    """One handler of our form, which names its events itself."""

    on: Annotated[tuple[str, ...], Many(EVENT_PATTERN)] = ()
