"""The id of a handler that was given none: it must stay the same from start to start, or retries lose their handler."""

import hashlib
import re
from collections.abc import Iterable

from streamhooks.handlers.definition import Definition

MAX_LENGTH = 64


def handler_id(definition: Definition, on: Iterable[str], method: str) -> str:
    """The id, else the name, else `<event>-<8 hex>` of what makes the handler this one and no other.

    An id goes into Redis keys, metric labels and command lines, so what does not fit there becomes `-`.
    """
    if definition.id:
        return definition.id
    if name := _fitting(definition.name, MAX_LENGTH):
        return name
    events = ",".join(on)
    identity = (",".join(definition.apis), events, method, definition.target_path, definition.template_path)
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_fitting(events, MAX_LENGTH - 9) or 'any'}-{digest}"


def _fitting(text: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:length].strip("-_.")
