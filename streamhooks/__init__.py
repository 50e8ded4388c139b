"""Gateway events from a Redis stream to webhooks: at least once, cooled down, nothing lost on a crash.

`Event` and `Publisher` are fetched when first asked for, so that `import streamhooks` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamhooks.model import Event
    from streamhooks.publisher.aio import Publisher

__all__ = ["Event", "Publisher", "__version__"]
__version__ = "0.1.0"

_ELSEWHERE = {"Event": "streamhooks.model", "Publisher": "streamhooks.publisher.aio"}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE[name]), name)
