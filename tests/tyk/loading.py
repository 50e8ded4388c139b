"""Loads Tyk's files in tests, and writes those that only one test needs."""

import json
from pathlib import Path
from typing import Any

from streamhooks.files import Loaded, load_mapping
from tests.tyk.conftest import DEFINITIONS

TARGET = "https://hooks.example.com/x"
OPEN = {"allow_cidrs": ["127.0.0.0/8"]}


def shipped(compat: str = "") -> Loaded:
    """All definitions of this folder."""
    tyk = {"config": "tyk.conf", "apis": "apps/*.json", "compat": compat}
    return load_mapping({"tyk": tyk, "defaults": OPEN}, DEFINITIONS)


def loaded(folder: Path, tyk: dict[str, Any] | None = None, **sections: Any) -> Loaded:
    """What lies in `folder`: `tyk.conf` if there is one, and `apps`."""
    tyk = {"apis": "apps/*.json", **(tyk or {})}
    if (folder / "tyk.conf").exists():
        tyk.setdefault("config", "tyk.conf")
    return load_mapping({"tyk": tyk, **sections}, folder)


def api(folder: Path, data: Any, name: str = "api.json") -> Path:
    """Writes an API definition as it stands."""
    path = folder / "apps" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def classic(meta: Any, event: str = "AuthFailure", api_id: Any = "orders", **others: Any) -> dict[str, Any]:
    """A classic definition with one webhook."""
    entry = {"handler_name": "eh_web_hook_handler", "handler_meta": meta}
    return {"api_id": api_id, "event_handlers": {"events": {event: [entry]}}, **others}


def oas(handler: Any, api_id: Any = "orders") -> dict[str, Any]:
    """An OAS definition with one event handler."""
    base = {"enabled": True, "trigger": "AuthFailure", "type": "webhook", "url": TARGET, "method": "POST"}
    return {"x-tyk-api-gateway": {"info": {"id": api_id}, "server": {"eventHandlers": [base | handler]}}}


def conf(folder: Path, data: Any) -> Path:
    path = folder / "tyk.conf"
    path.write_text(json.dumps(data))
    return path
