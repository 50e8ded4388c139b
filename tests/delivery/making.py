"""Handlers, events and requests for tests, with everything that a test does not speak of filled in."""

from typing import Any

from streamhooks.handlers.handler import Handler, Text
from streamhooks.model import Event, Meta
from streamhooks.template import Template

BODY = '{"event": "{{.Type}}", "key": "{{.Meta.Key}}"}'


def make_handler(body: str = BODY, **others: Any) -> Handler:
    """A handler that posts JSON to http://hooks.example.com/in; `others` are fields of Handler."""
    escape = others.setdefault("escape", "json")
    fields: dict[str, Any] = {
        "id": "h",
        "on": ("*",),
        "body": Template.parse(body, name="body", escape=escape),
        "target": "http://hooks.example.com/in",
        "origin": "http://hooks.example.com",
        "content_type": "application/json",
    }
    return Handler(**fields | others)


def make_event(meta: Meta | None = None, **others: Any) -> Event:
    """An AuthFailure; `others` are fields of Event."""
    fields: dict[str, Any] = {"id": "1700000000000-7", "type": "AuthFailure", "timestamp": "2026-11-23T10:00:00.000Z"}
    return Event(meta={"Key": "abc"} if meta is None else meta, **fields | others)


def text(source: str, escape: Any = "text") -> Text:
    """A template as a header value or, with `escape` "url", as a path."""
    return Template.parse(source, name="t", escape=escape)
