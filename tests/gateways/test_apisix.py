"""APISIX's http-logger with our format: its maps are run in the real NGINX, which APISIX is made of."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.flow.rig import Rig
from tests.gateways.nginx import needs_nginx, nginx
from tests.ingest.asking import RECORDS, door, stored
from tests.servers import Endpoint
from tests.waiting import eventually

FOLDER = Path(__file__).parents[2] / "scripts/gateways/apisix"
MAPS = yaml.safe_load((FOLDER / "config.yaml").read_text())["nginx_config"]["http_configuration_snippet"]
LOGGER: dict[str, Any] = json.loads((FOLDER / "http-logger.json").read_text())
KEYS = {
    "uri", "auth_header", "timeout", "log_format", "include_req_body", "include_resp_body", "concat_method",
    "ssl_verify", "name", "batch_max_size", "inactive_timeout", "buffer_duration", "max_retry_count", "retry_delay",
}  # fmt: skip
"""As the plugin's schema and that of its batch processor have them."""
APISIXS_OWN = {"$consumer_name": "mobile", "$route_id": "orders"}
"""Variables that NGINX does not have."""


def test_the_configuration_says_only_what_apisix_knows() -> None:
    assert set(LOGGER) <= KEYS
    assert LOGGER["uri"].endswith(RECORDS)
    assert all(isinstance(value, str) for value in LOGGER["log_format"].values())
    assert 1 < LOGGER["batch_max_size"] <= 1000


@needs_nginx
async def test_requests_that_went_wrong_are_events_and_no_others(rig: Rig, tmp_path: Path) -> None:
    """A record for each request, as the logger would write it, with the fields that it adds by itself."""
    texts = {name: APISIXS_OWN.get(value, value) for name, value in LOGGER["log_format"].items()}
    record = json.dumps({**texts, "route_id": "orders", "service_id": ""})
    log = f"log_format record escape=json '{record}'; access_log {tmp_path}/records.ndjson record;"
    async with Endpoint() as upstream:
        address = upstream.url.removeprefix("http://")
        places = {
            "access_log off;": f"{MAPS}\n{log}",
            "server 127.0.0.1:9001": f"server {address}",
            "server 127.0.0.1:9002": f"server {address} backup",
            "deny all;": "return 502;",
        }
        async with nginx(tmp_path, "", places) as gateway:
            for status in (200, 401, 403, 404, 429, 500, 503):
                upstream.script(status)
                assert await gateway.get(f"/orders/{status}?key=canary") == status
            assert await gateway.get("/internal/breaker") == 502
            records = tmp_path / "records.ndjson"
            await eventually(lambda: records.read_text().count("\n") >= 8)
    async with door(rig) as ours:
        body = "[" + ",".join(records.read_text().splitlines()) + "]"
        answered = await ours.post(body, path=RECORDS)
    assert (len(answered.ids), answered.json["skipped"]) == (5, 3)
    events = await stored(rig)
    assert [(event.type, event.meta["Message"], event.meta["Path"]) for event in events] == [
        ("AuthFailure", "Auth Failure", "/orders/401"),
        ("AuthFailure", "Auth Failure", "/orders/403"),
        ("RatelimitExceeded", "Rate Limit Exceeded", "/orders/429"),
        ("HostDown", "Upstream answered 503", "/orders/503"),
        ("BreakerTripped", "Breaker Tripped", "/internal/breaker"),
    ]
    assert [(event.api_id, event.source, event.meta["Key"]) for event in events] == [("orders", "apisix", "mobile")] * 5
    assert "canary" not in json.dumps([event.meta for event in events])
