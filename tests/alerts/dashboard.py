"""The Grafana dashboard, made from a table of panels: nobody edits a thousand lines of JSON by hand and sees a mistake.

`scripts/dashboard` writes the file that the chart ships; a test compares the two and asks a worker for every metric.
"""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

FILE = Path(__file__).parents[2] / "helm/streamhooks/files/dashboard.json"
COLUMNS = 24
HEIGHT = 8


NOT_DRAWN = {"streamhooks_late_outcomes"}
"""Metrics that nobody looks at every day."""


class Panel(Struct, frozen=True):
    """One graph, or one number; `queries` by their legends."""

    title: str
    says: str
    unit: str
    queries: dict[str, str]
    width: int = 12
    kind: str = "timeseries"


def _rate(metric: str, by: str) -> str:
    return f'sum by ({by}) (rate({metric}{{handler=~"$handler"}}[$__rate_interval]))'


def _quantile(quantile: float, metric: str) -> str:
    buckets = f'sum by (le) (rate({metric}_bucket{{handler=~"$handler"}}[$__rate_interval]))'
    return f"histogram_quantile({quantile}, {buckets})"


PANELS = (
    Panel("Waiting now", "lag, pending and what is due", "short", {"backlog": "max(streamhooks_backlog)"}, 6, "stat"),
    Panel("Oldest pending", "since it was added", "s", {"age": "max(streamhooks_oldest_pending_seconds)"}, 6, "stat"),
    Panel("Stored", "retries, and what is held", "short", {"parked": "max(streamhooks_parked)"}, 6, "stat"),
    Panel("Lost to trimming", "must be 0", "short", {"all": "max(streamhooks_entries_lost_trimmed_total)"}, 6, "stat"),
    Panel("Outcomes", "settled events a second", "ops",
          {"{{outcome}}": _rate("streamhooks_deliveries_total", "outcome")}),
    Panel("Answers of the endpoints", "attempts a second by result", "ops",
          {"{{result}}": _rate("streamhooks_attempts_total", "result")}),
    Panel("From XADD to the 2xx", "retries included", "s", {
        "p50": _quantile(0.5, "streamhooks_delivery_seconds"),
        "p99": _quantile(0.99, "streamhooks_delivery_seconds"),
    }),
    Panel("One attempt", "sent and answered", "s", {
        "p50": _quantile(0.5, "streamhooks_attempt_seconds"),
        "p99": _quantile(0.99, "streamhooks_attempt_seconds"),
    }),
    Panel("Backlog", "what waits, and where", "short", {
        "lag": "max(streamhooks_stream_lag)", "pending": "max(streamhooks_pending)",
        "parked": "max(streamhooks_parked)", "held": "max(streamhooks_held)",
    }),
    Panel("Dead letters", "a second, by handler and reason", "ops",
          {"{{handler}} {{reason}}": _rate("streamhooks_dead_letters_total", "handler, reason")}),
    Panel("Breakers", "0 closed, 1 half-open, 2 open", "short",
          {"{{handler}}": 'max by (handler) (streamhooks_breaker_state{handler=~"$handler"})'}, 8),
    Panel("Paused", "1: its events are stored", "short",
          {"{{handler}}": 'max by (handler) (streamhooks_handler_paused{handler=~"$handler"})'}, 8),
    Panel("Under way", "requests being sent", "short",
          {"{{handler}}": 'sum by (handler) (streamhooks_in_flight{handler=~"$handler"})'}, 8),
    Panel("The account", "accepted is the sum of the others", "short",
          {"{{term}}": "max by (term) (streamhooks_account)"}),
    Panel("Reading", "entries a second, and those taken over from others", "ops", {
        "read": "sum(rate(streamhooks_entries_read_total[$__rate_interval]))",
        "taken over": "sum(rate(streamhooks_redeliveries_total[$__rate_interval]))",
        "sent without a claim": "sum(rate(streamhooks_claims_failed_open_total[$__rate_interval]))",
    }),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """What Grafana imports; the data source is asked for."""
    handler = {
        "name": "handler", "label": "Handler", "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": "label_values(streamhooks_deliveries_total, handler)", "multi": True, "includeAll": True,
        "current": {"text": "All", "value": "$__all"}, "refresh": 2,
    }  # fmt: skip
    source = {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return {
        "title": "streamhooks", "uid": "streamhooks", "tags": ["streamhooks"], "schemaVersion": 39, "version": 1,
        "editable": True, "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
        "templating": {"list": [source, handler]}, "panels": _panels(),
    }  # fmt: skip


def _panels() -> list[dict[str, Any]]:
    placed, x, y = [], 0, 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        placed.append(_panel(number, panel, x, y))
        x += panel.width
    return placed


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.says, "datasource": source,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(65 + place), "expr": expr, "legendFormat": legend, "datasource": source}
            for place, (legend, expr) in enumerate(panel.queries.items())
        ],
    }  # fmt: skip


def text() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
