"""What the benchmark renders: three templates in three languages, and events that all differ.

The events come from a seed, so that every run measures the same. One value in twenty has a character that needs
escaping, which is more than gateways see and less than would make escaping the only thing that is measured.
"""

import random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from streamhooks.delivery.request import view
from streamhooks.event_types import NAMES, example
from streamhooks.files import SHIPPED
from streamhooks.model import Event

EVENTS = 5000


class Workload(Struct, frozen=True):
    """One template and its data. The other languages are empty where there is no translation."""

    name: str
    go: str
    jinja: str
    jinja_json: str
    """The same with every value made safe for JSON by hand, because Jinja has no such mode."""
    events: list[dict[str, Any]]


WEBHOOK = """{
  "event": "{{.Type}}",
  "message": "{{.Meta.Message}}",
  "path": "{{.Meta.Path}}",
  "origin": "{{.Meta.Origin}}",
  "key": "{{.Meta.Key}}",
  {{- if eq .Type "AuthFailure"}}
  "alert": true,
  {{- end}}
  "reason": "{{.Meta.Reason | printf "%s!"}}"
}
"""
_WEBHOOK_JINJA = """{
  "event": "{{ Type }}",
  "message": "{{ Meta.Message }}",
  "path": "{{ Meta.Path }}",
  "origin": "{{ Meta.Origin }}",
  "key": "{{ Meta.Key }}",
  {%- if Type == "AuthFailure" %}
  "alert": true,
  {%- endif %}
  "reason": "{{ "%s!"|format(Meta.Reason) }}"
}
"""
_WEBHOOK_JINJA_JSON = """{
  "event": {{ Type|tojson }},
  "message": {{ Meta.Message|tojson }},
  "path": {{ Meta.Path|tojson }},
  "origin": {{ Meta.Origin|tojson }},
  "key": {{ Meta.Key|tojson }},
  {%- if Type == "AuthFailure" %}
  "alert": true,
  {%- endif %}
  "reason": {{ "%s!"|format(Meta.Reason)|tojson }}
}
"""
RANGE = """[{{range $i, $e := .Meta.Calls}}{{if $i}},{{end}}
  {"path": "{{$e.Path}}", "status": {{$e.Status}}, "origin": "{{$e.Origin}}"}{{end}}
]
"""
_RANGE_JINJA = """[{% for e in Meta.Calls %}{% if loop.index0 %},{% endif %}
  {"path": "{{ e.Path }}", "status": {{ e.Status }}, "origin": "{{ e.Origin }}"}{% endfor %}
]
"""
_RANGE_JINJA_JSON = """[{% for e in Meta.Calls %}{% if loop.index0 %},{% endif %}
  {"path": {{ e.Path|tojson }}, "status": {{ e.Status|tojson }}, "origin": {{ e.Origin|tojson }}}{% endfor %}
]
"""


def workloads() -> list[Workload]:
    """The three, in the order of the table."""
    source = random.Random("events")
    default = (SHIPPED / "default_webhook.json").read_text("utf-8")
    return [
        Workload("webhook", WEBHOOK, _WEBHOOK_JINJA, _WEBHOOK_JINJA_JSON, [_hook(source) for _ in range(EVENTS)]),
        Workload("range 20", RANGE, _RANGE_JINJA, _RANGE_JINJA_JSON, [_calls(source) for _ in range(EVENTS)]),
        Workload("default", default, "", "", [_any(source, number) for number in range(EVENTS)]),
    ]


def _word(source: random.Random, start: str) -> str:
    return f"{start}{source.randrange(10**9)}{source.choice('&<>+') if source.random() < 0.05 else ''}"


def _hook(source: random.Random) -> dict[str, Any]:
    meta = {
        "Message": _word(source, "Attempted access "),
        "Path": _word(source, "/orders/"),
        "Origin": f"203.0.113.{source.randrange(256)}",
        "Key": f"{source.getrandbits(128):032x}",
        "Reason": _word(source, "Requested endpoint is forbidden "),
    }
    type = source.choice(("AuthFailure", "VersionFailure", "KeyExpired"))
    return view(Event(id="1-0", type=type, meta=meta, timestamp="2026-11-23T10:00:00Z"))


def _calls(source: random.Random) -> dict[str, Any]:
    calls = [
        {"Path": _word(source, "/orders/"), "Status": source.choice((200, 404, 503)), "Origin": _word(source, "host-")}
        for _ in range(20)
    ]
    return view(Event(id="1-0", type="Batch", meta={"Calls": calls}, timestamp="2026-11-23T10:00:00Z"))


def _any(source: random.Random, number: int) -> dict[str, Any]:
    """All of Tyk's types in turn."""
    event = example(NAMES[number % len(NAMES)])
    words = {name: _word(source, value) for name, value in event.meta.items() if isinstance(value, str)}
    return view(replace(event, meta={**event.meta, **words}))
