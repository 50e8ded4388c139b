"""What the screenshots of docs/console.md show: a gateway's traffic as it might be, always the same from one seed on.

The events, the handlers and the answers are fixed; the clock, the ids that Redis gives and the latencies are real.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from streamhooks import wire
from streamhooks.event_types import example
from streamhooks.files.loading import SHIPPED
from tests.flow.rig import Rig

ENDPOINTS = "127.0.0.1:9000"
TYPES = (
    ("AuthFailure", 30), ("KeyExpired", 14), ("QuotaExceeded", 24), ("RatelimitExceeded", 40), ("VersionFailure", 5),
    ("TokenCreated", 6), ("HostDown", 2),
)  # fmt: skip
PATHS = ("/orders/7", "/orders/19/items", "/payments", "/payments/refunds", "/customers/me")
REFUSED = "8f14e45fceea167a5a36"
"""The key that the partner's endpoint does not know: its events become dead letters."""


def handlers() -> list[dict[str, Any]]:
    """As a team might have them; all call the endpoints of this machine."""
    at = f"http://{ENDPOINTS}"
    return [
        {
            "id": "security-slack", "on": ["AuthFailure", "KeyExpired"], "target_path": f"{at}/services/security",
            "template_path": str(SHIPPED / "slack.json"), "event_timeout": 20,
        },
        {"id": "usage-billing", "on": ["QuotaExceeded", "RatelimitExceeded"], "target_path": f"{at}/usage"},
        {"id": "partner-portal", "on": ["KeyExpired", "Token*"], "target_path": f"{at}/partner/hooks"},
        {"id": "on-call", "on": ["HostDown", "BreakerTripped"], "target_path": f"{at}/page"},
    ]  # fmt: skip


@asynccontextmanager
async def endpoints() -> AsyncIterator[None]:
    """What the handlers call. Raises OSError where the port is taken."""
    chance = random.Random(2)

    async def answered(request: web.BaseRequest) -> web.Response:
        body = await request.text()
        await asyncio.sleep(chance.lognormvariate(-3.6, 0.5))
        if request.path == "/partner/hooks":
            if REFUSED in body:
                return web.json_response({"error": "no such subscription"}, status=422)
            if chance.random() < 0.12:
                return web.Response(status=503, text="upstream timed out")
        return web.Response(text="ok")

    runner = web.ServerRunner(web.Server(answered))
    await runner.setup()
    host, _, port = ENDPOINTS.partition(":")
    await web.TCPSite(runner, host, int(port)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def traffic(rig: Rig, seconds: float) -> None:
    """Publishes for a while, with calm and busy moments."""
    chance = random.Random(1)
    clock = asyncio.get_running_loop().time
    began = clock()
    while (at := clock() - began) < seconds:
        names, weights = zip(*TYPES, strict=True)
        await publish(rig, chance.choices(names, weights)[0], chance)
        busy = 14 if at % 90 > 62 else 6
        await asyncio.sleep(chance.expovariate(busy))


async def publish(rig: Rig, type: str, chance: random.Random, key: str = "") -> str:
    """One event; its id."""
    packed = json.loads(wire.pack_event(example(type)))
    meta = packed["meta"]
    if "Key" in meta:
        meta["Key"] = key or f"{chance.getrandbits(80):020x}"
    if "Path" in meta:
        meta["Path"] = chance.choice(PATHS)
    packed |= {"api_id": chance.choice(("orders", "payments", "customers")), "source": "gateway-eu-1"}
    return await rig.add({"d": json.dumps({name: packed[name] for name in packed if name not in {"id", "ts"}})})
