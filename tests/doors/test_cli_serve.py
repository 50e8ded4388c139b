"""`serve` and `dev` from outside: from XADD to a webhook, and how they end."""

import asyncio
import sys
from pathlib import Path

from redis.asyncio import Redis

from tests.doors.command import command
from tests.servers import Endpoint

CONFIG = """
admin: {{listen: ""}}
handlers:
  - id: security
    on: [AuthFailure]
    target_path: {url}/hooks
    allow_cidrs: [127.0.0.1/32]
    event_timeout: 10
"""


async def run(*argv: str) -> tuple[int, bytes]:
    """In a process of its own, for signals and uvloop want the main thread: exit code and stdout."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", *argv,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out


async def test_what_is_published_is_served_once_and_told_by_status(
    redis: Redis, redis_url: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text(CONFIG.format(url=endpoint.url))
    common = ["--config", str(file), "--redis-url", redis_url]
    for _ in range(2):
        await command("publish", "AuthFailure", "message=Auth Failure", *common)
    served = await run("serve", "--until-idle", *common)
    status = await command("status", "--json", *common)
    assert served[0] == 0
    assert [request.path for request in endpoint.received] == ["/hooks"]
    account = status.json["partitions"][0]["account"]
    assert (status.code, account["accepted"], account["delivered"], account["suppressed"]) == (0, 2, 1, 1)


async def test_a_dead_letter_that_is_replayed_is_delivered(
    redis: Redis, redis_url: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text(CONFIG.format(url=endpoint.url) + "    retry: {delays: []}\n")
    common = ["--config", str(file), "--redis-url", redis_url]
    endpoint.script(500, 200)
    await command("publish", "AuthFailure", *common)
    await run("serve", "--until-idle", *common)
    listed = await command("dead", "list", "--json", *common)
    replayed = await command("dead", "replay", *common)
    await run("serve", "--until-idle", *common)
    assert [(one["reason"], one["status"]) for one in listed.json] == [("exhausted", 500)]
    assert replayed.out == "1 replayed\n"
    first, second = endpoint.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (await command("dead", "list", "--json", *common)).json == []
    assert (await command("status", *common)).code == 0


async def test_serve_refuses_a_configuration_with_faults(tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    file.write_text("handlers: [{id: a}]\n")
    assert (await run("serve", "--config", str(file)))[0] == 2


async def test_a_negative_end_of_dev_is_wrong_usage() -> None:
    ran = await command("dev", "--exit-after", "-1")
    assert (ran.code, ran.err) == (
        2,
        "command line: --exit-after: is -1; must be a number of deliveries, 0 for no end\n1 fault\n",
    )
