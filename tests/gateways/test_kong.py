"""Kong's http-log with our fields: the Lua of the configuration is run against stubs of what Kong offers it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamhooks.store.connection import ask
from tests.flow.rig import STREAM, Rig
from tests.ingest.asking import RECORDS, door, stored

FILE = Path(__file__).parents[2] / "scripts/gateways/kong/kong.yaml"
PLUGIN = yaml.safe_load(FILE.read_text())["plugins"][0]
FIELDS: dict[str, str] = PLUGIN["config"]["custom_fields_by_lua"]
KEYS = {
    "http_endpoint", "method", "content_type", "timeout", "keepalive", "headers", "queue", "custom_fields_by_lua",
}  # fmt: skip
QUEUE = {
    "max_batch_size", "max_coalescing_delay", "max_entries", "max_bytes", "initial_retry_delay", "max_retry_time",
    "max_retry_delay", "concurrency_limit",
}  # fmt: skip
"""As the plugin's schema has them since Kong 3.3."""

WORLD = """
local status, address, service = tonumber(arg[1]), arg[2] ~= "" and arg[2] or nil, {name = "orders", protocol = "http"}
kong = {
  response = {get_status = function() return status end},
  request = {get_path = function() return arg[3] end, get_method = function() return "GET" end},
  client = {get_forwarded_ip = function() return "203.0.113.7" end,
            get_consumer = function() return {username = "mobile"} end},
  router = {get_service = function() return service end, get_route = function() return {name = "r1"} end},
}
ngx = {var = {upstream_addr = address, upstream_status = address and tostring(status)},
       req = {start_time = function() return 1790000000.123 end}}

local function json(value)
  if type(value) == "table" then
    local parts = {}
    for name, member in pairs(value) do parts[#parts + 1] = string.format("%q:", name) .. json(member) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\\\]', function(c) return string.format("\\\\u%04x", c:byte()) end) .. '"'
  end
  return type(value) == "number" and string.format("%.14g", value) or tostring(value)
end

local request = {headers = {authorization = "Bearer canary"}}
local record = {request = request, response = {status = status}, upstream_uri = "/u"}
for name, source in pairs(FIELDS) do record[name] = assert(loadstring(source))() end
io.write(json(record))
"""


@pytest.fixture
def record(tmp_path: Path) -> Any:
    """What Kong would log of a request."""
    if not shutil.which("lua5.1"):
        pytest.skip("lua5.1 is not installed")
    fields = ",\n".join(f"[{json.dumps(name)}] = [==[{source}]==]" for name, source in FIELDS.items())
    (tmp_path / "record.lua").write_text("FIELDS = {" + fields + "}\n" + WORLD)

    def made(status: int, upstream: str = "", path: str = "/orders/7") -> str:
        words = ["lua5.1", str(tmp_path / "record.lua"), str(status), upstream, path]
        return subprocess.run(words, capture_output=True, check=True, text=True, timeout=30).stdout

    return made


def test_the_configuration_says_only_what_kong_knows() -> None:
    assert PLUGIN["name"] == "http-log"
    assert set(PLUGIN["config"]) <= KEYS
    assert set(PLUGIN["config"]["queue"]) <= QUEUE
    assert PLUGIN["config"]["http_endpoint"].endswith(RECORDS)


async def test_requests_that_went_wrong_are_events_and_no_others(rig: Rig, record: Any) -> None:
    requests = [
        (200, "10.0.0.1:80"), (401, ""), (403, "10.0.0.1:80"), (404, ""), (429, ""), (500, "10.0.0.1:80"),
        (502, "10.0.0.2:80, 10.0.0.1:80"), (503, ""), (504, "10.0.0.1:80"), (503, "kong_upstream"),
    ]  # fmt: skip
    records = [record(status, upstream) for status, upstream in requests]
    async with door(rig) as ours:
        answered = await ours.post("[" + ",".join(records) + "]", path=RECORDS)
    assert (len(answered.ids), answered.json["skipped"]) == (7, 3)
    events = await stored(rig)
    assert [(event.type, event.api_id, event.source) for event in events] == [
        ("AuthFailure", "orders", "kong"),
        ("AuthFailure", "orders", "kong"),
        ("RatelimitExceeded", "orders", "kong"),
        ("HostDown", "orders", "kong"),
        ("BreakerTripped", "orders", "kong"),
        ("HostDown", "orders", "kong"),
        ("BreakerTripped", "orders", "kong"),
    ]
    first, down, tripped = events[0], events[3], events[4]
    assert first.meta == {
        "Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "mobile", "Status": 401,
        "Route": "r1",
    }  # fmt: skip
    assert first.timestamp == "2026-09-21T14:13:20.123Z"
    assert down.meta["HostInfo"]["CheckURL"] == "http://10.0.0.1:80/orders/7"
    assert (tripped.meta["Message"], tripped.meta["CircuitEvent"]) == ("Breaker Tripped", 0)
    for _, fields in await ask(rig.redis, "XRANGE", STREAM, "-", "+"):
        assert b"canary" not in fields[b"d"]


async def test_a_hostile_path_stays_a_path(rig: Rig, record: Any) -> None:
    path = '/a"b\\c\n{"type": "x"}'
    async with door(rig) as ours:
        assert len((await ours.post(record(401, path=path), path=RECORDS)).ids) == 1
    [event] = await stored(rig)
    assert event.meta["Path"] == path
