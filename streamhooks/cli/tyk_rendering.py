"""What Tyk makes of a template: parsed as Tyk parses it, rendered as Tyk renders it, with an example of an event.

Parsing knows Go's own functions only, rendering is html/template's, the example's members are exactly Tyk's, with its
times and durations as Go has them. So what goes wrong there is seen here, and not looked up in a list.
"""

import json
from typing import Any

from streamhooks.delivery.govalues import with_go_values
from streamhooks.event_types import TYPES
from streamhooks.template import Template

MAPS = frozenset({"OAuth2ScopeCheckFailed", "OAuth2ExchangeSucceeded", "OAuth2ExchangeFailed"})
"""Events whose Meta is a map in Go: a member that is not there is empty and no error."""
NASTY = 'a"b\\c\nd'
"""A value that html/template lets break out of a JSON string."""
_TIMESTAMP = "2026-11-23 10:00:00.123456789 +0000 UTC"


def parsed(body: Template, *, functions: bool = False) -> Template:
    """The template as Tyk parses it; `functions`: with more than Go's own, as its default template has them.

    Raises TemplateError where Tyk falls back to its default template.
    """
    return Template.parse(body.source, body.name, "html", "error", catalogue=functions)


def rendered(template: Template, event: str, *, text: str = "", go_values: bool = True) -> str:
    """What the template gives of the example of an event; where `text` is given, it stands for every text of Meta.

    Raises TemplateError where Tyk drops the event.
    """
    known = TYPES.get(event)
    members: dict[str, Any] = {"Message": text or "m", "OriginatingRequest": ""}
    if known is not None:
        members = {
            member.name: member.example if not text or member.type == "time" else _replaced(member.example, text)
            for member in known.members
        }
    # In a map a member that is not there is empty; all that the template may ask for is there then.
    if event in MAPS:
        asked = {path[1] for path in template.fields() if len(path) > 1 and path[0] == "Meta"}
        members = {**dict.fromkeys(asked, ""), **members}
    meta = with_go_values(event, members) if go_values else members
    return template.render({"Type": event, "Meta": meta, "TimeStamp": _TIMESTAMP})


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _replaced(member: Any, text: str) -> Any:
    if isinstance(member, str):
        return text
    if isinstance(member, dict):
        return {name: _replaced(inner, text) for name, inner in member.items()}
    return [_replaced(inner, text) for inner in member] if isinstance(member, list) else member
