"""The shipped templates, rendered the way a worker renders them, and events to render: plain, unknown, hostile."""

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from streamhooks.delivery.request import build
from streamhooks.event_types import NAMES, example
from streamhooks.files import SHIPPED, load_mapping
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event

KEY = "5d8e1c0fa2b74f6a9c3e"
"""The live credential of the examples."""
TEMPLATES = tuple(sorted(path.name for path in SHIPPED.iterdir()))
OWN = tuple(name for name in TEMPLATES if name != "default_webhook.json")
"""All but the seed's default, which has the seed's members, the key among them."""

HOSTILE = (
    'a"b\\',
    "line\nline\r\n\ttab\0\x1f\x7f",
    '","admin":true,"x":"',
    "\u2028\u2029</script><!channel><@U1>",
    "]]> --> ?> <!ENTITY x> &lt; &#0;",
    "```[click](https://evil.example)`@everyone`",
    '=HYPERLINK("https://evil.example"),"x"',
    "{{.Meta.Key}} %s %!v",
    "😀é世" * 3000,
)
HOSTILE_IDS = ("quotes", "lines", "members", "markup", "sections", "markdown", "formula", "template", "long")


def handler(template: str, **extra: object) -> Handler:
    """A handler with a shipped template, chosen and escaped as a configuration file would have it."""
    written = {"id": "x", "on": ["*"], "target_path": "https://hooks.example.com/", "template_path": template, **extra}
    (made,) = load_mapping({"handlers": [written]}, Path("/nowhere")).handlers
    return made


HANDLERS = {name: handler(name) for name in TEMPLATES}


def body(template: str, event: Event) -> str:
    """What is sent for an event; that it is UTF-8 is part of the claim."""
    return build(event, HANDLERS[template]).body.decode()


def document(template: str, event: Event) -> Any:
    return json.loads(body(template, event))


def events() -> list[Event]:
    """One of each type, one of a type that nobody knows, and one that has nothing at all."""
    return [*map(example, (*NAMES, "DeployFinished")), Event(id="1-0", type="Bare", meta={}, timestamp="")]


def hostile(type: str, text: str) -> Event:
    """The example with the text in the place of every string, number and item; and the type itself."""
    event = example(type)
    return replace(event, meta=_replaced(event.meta, text), api_id=text, org_id=text, source=text, timestamp=text)


def _replaced(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(member, text) for name, member in value.items()}
    return [text for _ in value] if isinstance(value, list) else text
