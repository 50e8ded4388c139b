"""The doors of a running worker: its health over HTTP, its figures, and what it says in the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from streamhooks.delivery.request import webhook_id
from tests.flow.rig import Rig
from tests.servers import Answer
from tests.skips import socket_of
from tests.waiting import eventually

ANY_PORT = {"listen": "127.0.0.1:0"}


@asynccontextmanager
async def door(rig: Rig) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the admin address."""
    (record,) = await eventually(lambda: rig.records.of("admin_listens"))
    async with aiohttp.ClientSession(f"http://{record['address']}") as client:
        yield client


async def ask_at(client: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with client.get(path) as reply:
        return reply.status, await reply.text()


async def account_of(client: aiohttp.ClientSession) -> dict[str, float]:
    """The terms of the account as `/metrics` has them."""
    status, page = await ask_at(client, "/metrics")
    assert status == 200
    lines = [line for line in page.splitlines() if line.startswith("streamhooks_account{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


async def test_a_worker_is_alive_and_ready_and_shows_the_account(rig: Rig) -> None:
    rig.endpoint.script(200, 422, 200)
    async with rig.working(
        rig.handler(on=["AuthFailure"], event_timeout=60, concurrency=1), admin=ANY_PORT
    ), door(rig) as client:  # fmt: skip
        assert await ask_at(client, "/livez") == (200, "alive\n")
        assert await ask_at(client, "/readyz") == (200, "ready\n")
        await rig.publish_many(2)
        await rig.publish("k0")
        await rig.publish("other", "KeyExpired")
        await rig.settled(delivered=1, dead=1, suppressed=1, unmatched=1)
        account = await account_of(client)
        _, page = await ask_at(client, "/metrics")
    terms = {"delivered": 1, "suppressed": 1, "dead": 1, "stored": 0, "unmatched": 1}
    assert {term: account[term] for term in terms} == terms
    assert account["accepted"] == sum(terms.values())
    for line in (
        'streamhooks_attempts_total{handler="h",result="2xx"} 1.0',
        'streamhooks_attempts_total{handler="h",result="4xx"} 1.0',
        'streamhooks_deliveries_total{handler="h",outcome="delivered"} 1.0',
        'streamhooks_dead_letters_total{handler="h",reason="permanent_status"} 1.0',
        'streamhooks_in_flight{handler="h"} 0.0',
        "streamhooks_entries_read_total 4.0",
        "streamhooks_backlog 0.0",
        "streamhooks_pending 0.0",
    ):
        assert line in page.splitlines()
    assert rig.endpoint.url not in page


async def test_handlers_that_check_no_certificate_are_shown_and_no_others(rig: Rig) -> None:
    handlers = (rig.handler("open", tls={"insecure_skip_verify": True}), rig.handler("shut"))
    async with rig.working(*handlers, admin=ANY_PORT), door(rig) as client:
        _, page = await ask_at(client, "/metrics")
    lines = [line for line in page.splitlines() if line.startswith("streamhooks_tls_verification_off")]
    assert lines == ['streamhooks_tls_verification_off{handler="open"} 1.0']


async def test_while_redis_is_not_there_a_worker_is_alive_and_says_what_it_waits_for(rig: Rig, tmp_path: Path) -> None:
    real, socket = socket_of(rig.url), tmp_path / "later.sock"
    loaded = rig.loaded(rig.handler(), redis={"url": f"unix://{socket}"}, admin=ANY_PORT)

    async def work() -> None:
        async with rig.running(loaded), door(rig) as client:
            assert await ask_at(client, "/readyz") == (200, "ready\n")

    task = asyncio.create_task(work())
    async with door(rig) as client:
        assert await ask_at(client, "/livez") == (200, "alive\n")
        assert await ask_at(client, "/readyz") == (503, "waiting for Redis\n")
        status, page = await ask_at(client, "/metrics")
        assert (status, "streamhooks_entries_read_total 0.0" in page) == (200, True)
    socket.symlink_to(real)
    await task


async def test_a_worker_that_stops_is_not_ready(rig: Rig) -> None:
    async with rig.working(rig.handler(), admin=ANY_PORT) as worker, door(rig) as client:
        worker.stopping.set()
        assert await ask_at(client, "/readyz") == (503, "stopping\n")
        assert await ask_at(client, "/livez") == (200, "alive\n")


async def test_successes_and_suppressions_leave_no_line_in_the_log(rig: Rig) -> None:
    async with rig.working(rig.handler(event_timeout=60)):
        await rig.publish_many(20)
        await rig.publish("k0")
        await rig.settled(delivered=20, suppressed=1)
    assert [record["event"] for record in rig.records.all] == ["ready", "stopped"]


async def test_a_problem_is_one_wide_record_without_payload_url_or_secret(rig: Rig) -> None:
    rig.endpoint.script(Answer(500, b"secret-of-the-answer"))
    handler = rig.handler(
        target_path=f"{rig.endpoint.url}/services/secret-of-the-path?token=secret-of-the-query",
        header_map={"Authorization": "secret-of-the-header"},
        event_timeout=60,
    )
    async with rig.working(handler):
        entry = await rig.publish("secret-of-the-event")
        await rig.add({"d": b'{"type": 5, "meta": {"Key": "secret-of-the-bad-one"}}'})
        await rig.settled(dead=2)
    assert "secret" not in rig.records.text
    (ours,) = [record for record in rig.records.of("dead_letter") if record["handler"]]
    assert 0 <= ours.pop("ms") < 5000
    del ours["timestamp"]
    assert ours == {
        "event": "dead_letter",
        "level": "error",
        "handler": "h",
        "entry": entry,
        "type": "AuthFailure",
        "attempts": 3,
        "reason": "exhausted",
        "why": "status 500; attempt 3 was the last one of the schedule",
        "status": 500,
        "webhook_id": webhook_id(entry, 0, "h"),
    }
    assert [record["attempt"] for record in rig.records.of("retry_stored")] == [1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{{ index .Meta.list 3 }}", "index out of range", id="index"),
        pytest.param('{"a": {{ .Meta.Key.nothing }}}', "can't evaluate field nothing", id="field"),
    ],
)
async def test_the_message_of_a_failed_template_shows_no_value_of_the_event(rig: Rig, text: str, said: str) -> None:
    name = rig.template("bad.txt", text)
    async with rig.working(rig.handler(on=["Custom"], template_path=name)):
        await rig.add({"type": "Custom", "meta": '{"Key": "secret", "list": ["secret"]}'})
        await rig.settled(dead=1)
    (record,) = rig.records.of("dead_letter")
    assert said in record["why"]
    assert "secret" not in rig.records.text
