"""Envoy's access log as events: the formats of the configuration, filled in as Envoy's documentation says."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.doors.command import command
from tests.flow.rig import Rig
from tests.ingest.asking import LINES, door, stored

FOLDER = Path(__file__).parents[2] / "scripts/gateways/envoy"
CONFIG = yaml.safe_load((FOLDER / "envoy.yaml").read_text())
MANAGER = CONFIG["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
LOGS: list[dict[str, Any]] = MANAGER["access_log"]
VALUES: dict[str, Any] = {
    "%START_TIME%": "2026-11-23T10:00:00.123Z",
    "%ROUTE_NAME%": "orders",
    "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%": '/orders/7?q="\\x',
    "%REQ(:METHOD)%": "GET",
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%": "203.0.113.7",
    "%RESPONSE_CODE%": 503,
    "%RESPONSE_FLAGS%": "UF",
    "%UPSTREAM_HOST%": "10.0.0.1:80",
}
"""A value that is one operator keeps the operator's type, and is null where there is nothing; in a text it is text."""
FLAGS = {"UH", "UF", "UC", "UT", "UO", "URX", "UR", "LR", "LH", "NR", "RL", "UAEX"}


def filled(format: Any, values: dict[str, Any]) -> Any:
    """What Envoy would write for a format."""
    if isinstance(format, dict):
        return {name: filled(value, values) for name, value in format.items()}
    if not isinstance(format, str) or format in values:
        return values.get(format, format) if isinstance(format, str) else format
    for operator, value in values.items():
        format = format.replace(operator, "-" if value is None else str(value))
    assert "%" not in format, f"no value is known for {format}"
    return format


def lines(values: dict[str, Any]) -> list[str]:
    return [json.dumps(filled(log["typed_config"]["log_format"]["json_format"], values)) for log in LOGS]


def test_each_log_has_a_filter_and_all_go_into_one_file() -> None:
    files = {log["typed_config"]["path"] for log in LOGS}
    assert len(files) == 1
    assert files.pop() in (FOLDER / "streamhooks-envoy.service").read_text()
    for log in LOGS:
        assert log["name"] == "envoy.access_loggers.file"
        flags = log["filter"].get("response_flag_filter", {}).get("flags", [])
        assert set(flags) <= FLAGS
        assert flags or "status_code" in json.dumps(log["filter"])


async def test_what_envoy_writes_is_published_as_it_stands(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines(VALUES)) + "\n")
    ran = await command("publish", "--ndjson", str(file), "--redis-url", rig.url)
    assert (ran.code, ran.out) == (0, "4 published\n")
    events = await stored(rig)
    assert [(event.type, event.api_id, event.source) for event in events] == [
        (type, "orders", "envoy") for type in ("AuthFailure", "RatelimitExceeded", "HostDown", "BreakerTripped")
    ]
    assert {event.timestamp for event in events} == {VALUES["%START_TIME%"]}
    assert events[0].meta["Path"] == '/orders/7?q="\\x'
    assert events[2].meta["HostInfo"]["ResponseCode"] == 503


async def test_the_door_takes_the_same_lines_also_where_envoy_knows_nothing(rig: Rig) -> None:
    nothing = dict.fromkeys(VALUES) | {"%START_TIME%": VALUES["%START_TIME%"]}
    async with door(rig) as ours:
        assert len((await ours.post("\n".join(lines(VALUES) + lines(nothing)), LINES)).ids) == 8
