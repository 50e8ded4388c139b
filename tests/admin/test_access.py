"""Who may ask, and the exact answer to everybody else."""

import asyncio
import json
from pathlib import Path
from unittest.mock import create_autospec

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from streamhooks.admin.access import DELAY, Access
from streamhooks.admin.answers import AdminError
from streamhooks.secret import Secret
from streamhooks.settings.rules import is_loopback
from tests.admin.asking import ANY_PORT, FORM, TOKEN, Answered, door, opened
from tests.flow.rig import Rig
from tests.flow.test_redis_trouble import full

LOCKED = ANY_PORT | {"token": TOKEN}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
READS = (
    "/api/v1/status", "/api/v1/handlers", "/api/v1/handlers/h", "/api/v1/dead", "/api/v1/dead/1-0",
    "/api/v1/explain/1-0", "/api/v1/examples", "/api/v1/examples/AuthFailure", "/api/v1/events",
)  # fmt: skip
CHANGES = (
    "/api/v1/handlers/h/pause", "/api/v1/handlers/h/resume", "/api/v1/dead/replay", "/api/v1/replay",
    "/api/v1/render", "/api/v1/fire",
)  # fmt: skip


# The token.


async def test_without_the_token_nothing_of_the_api_is_answered(rig: Rig) -> None:
    said = "give the token of admin.token as Authorization: Bearer TOKEN"
    async with door(rig, admin=LOCKED) as ours:
        for path in READS:
            answered = await ours.get(path)
            assert answered.refusal == (401, "no_token", said)
            assert answered.headers["WWW-Authenticate"] == 'Bearer realm="streamhooks"'
        for path in CHANGES:
            assert (await ours.post(path)).refusal == (401, "no_token", said)


WRONG_TOKENS = [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \u00e9", f"bearer {TOKEN.upper()}", "Bearer x y"]


async def test_a_wrong_token_is_refused_after_a_while(rig: Rig) -> None:
    clock = asyncio.get_running_loop().time
    async with door(rig, admin=LOCKED) as ours:

        async def refused(given: str) -> None:
            began = clock()
            answered = await ours.get("/api/v1/status", {"Authorization": given})
            assert answered.refusal == (401, "wrong_token", "the token is not that of admin.token")
            assert answered.headers["WWW-Authenticate"] == 'Bearer realm="streamhooks", error="invalid_token"'
            assert clock() - began >= DELAY

        await asyncio.gather(*map(refused, WRONG_TOKENS))


async def test_what_is_no_bearer_token_is_none(rig: Rig) -> None:
    async with door(rig, admin=LOCKED) as ours:
        for given in ["Basic c2VzYW1l", "Bearer", "Bearer ", TOKEN]:
            assert (await ours.get("/api/v1/status", {"Authorization": given})).refusal[1] == "no_token"


async def test_with_the_token_it_is_answered_and_the_shell_needs_none(rig: Rig) -> None:
    async with door(rig, admin=LOCKED) as ours:
        assert (await ours.get("/api/v1/status", BEARER)).status == 200
        assert (await ours.get("/api/v1/status", {"Authorization": f"bearer  {TOKEN}"})).status == 200
        for path in ("/", "/static/console.js", "/static/console.css", "/static/icon.svg"):
            async with ours.session.get(path) as reply:
                assert reply.status == 200
                assert TOKEN not in await reply.text()
    assert TOKEN not in rig.records.text


async def test_without_a_configured_token_there_is_a_console_on_a_loopback_address_only(rig: Rig) -> None:
    """`127.1` is 127.0.0.1 to the system and no address to us: what is not known to be loopback is not."""
    said = "the API and the console need admin.token, for admin.listen is no loopback address"
    async with door(rig, admin={"listen": "127.1:0"}) as ours:
        for path in ("/", "/api/v1/status", "/static/console.js", "/nothing"):
            assert (await ours.get(path, {"Host": "127.0.0.1"})).refusal == (404, "no_token_configured", said)
        for path in CHANGES:
            assert (await ours.post(path)).refusal == (404, "no_token_configured", said)
        async with ours.session.get("/livez") as reply:
            assert (reply.status, await reply.text()) == (200, "alive\n")
    async with door(rig, admin={"listen": "127.1:0", "token": TOKEN}) as ours:
        assert (await ours.get("/api/v1/status", {"Host": "127.1"} | BEARER)).status == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
        ("::", False), ("10.0.0.1", False), ("localhost.evil.test", False), ("127.0.0.1.evil.test", False),
        ("", False),
    ],
)  # fmt: skip
def test_what_a_loopback_address_is(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    assert Access(f"[{host}]:8080" if ":" in host else f"{host}:8080", Secret("")).exists == loopback


def asked_for(host: str, at: str) -> web.Request:
    """A request for a host that came in at an address of this machine."""
    transport = create_autospec(asyncio.Transport)
    transport.get_extra_info.return_value = (at, 8080)
    headers = {"Host": host} | BEARER
    return make_mocked_request("GET", "/api/v1/status", headers=headers, transport=transport)


async def test_who_listens_everywhere_may_be_asked_for_by_the_address_that_was_connected_to() -> None:
    """A page under a name of its own, which leads to that address, is still refused: an address is no name."""
    for listen in ("0.0.0.0:8080", "[::]:8080"):
        access = Access(listen, Secret(TOKEN))
        await access.admit(asked_for("10.0.0.7:8080", at="10.0.0.7"))
        await access.admit(asked_for("10.0.0.7", at="::ffff:10.0.0.7"))
        await access.admit(asked_for("[fd00::7]:8080", at="fd00::7"))
        await access.admit(asked_for("localhost:9000", at="127.0.0.1"))
        for host in ("10.0.0.8:8080", "evil.test:8080", "0.0.0.0:8080"):
            with pytest.raises(AdminError) as refused:
                await access.admit(asked_for(host, at="10.0.0.7"))
            assert (refused.value.status, refused.value.kind) == (421, "wrong_host")


# Other sites.


OTHER_HOSTS = [
    "evil.test",
    "evil.test:8080",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "",
    "10.0.0.7",
    "[::2]",
    "localhost@evil.test",
    "localhost/evil.test",
    "LOCALHOST .evil",
    "127.0.0.1:80:80",
    "[::1",
    "0.0.0.0",
]


async def test_a_request_for_another_host_is_misdirected(rig: Rig) -> None:
    said = "this is no host of ours; ask for one of localhost, 127.0.0.1, [::1], or name it in admin.hosts"
    async with door(rig) as ours:
        for host in OTHER_HOSTS:
            for path in ("/", "/api/v1/status", "/static/console.js"):
                assert (await ours.get(path, {"Host": host})).refusal == (421, "wrong_host", said)
            assert (await ours.post("/api/v1/handlers/h/pause", headers={"Host": host})).refusal == (
                421,
                "wrong_host",
                said,
            )


async def test_this_machine_may_be_asked_for_by_any_of_its_names(rig: Rig) -> None:
    async with door(rig) as ours:
        for host in ["localhost", "LocalHost:1", "127.0.0.1", "localhost.", "[::1]", "[::1]:8080"]:
            assert (await ours.get("/api/v1/status", {"Host": host})).status == 200


async def test_further_hosts_are_those_that_the_configuration_names(rig: Rig) -> None:
    hosts = ["Console.example.com", "[fd00::7]"]
    said = (
        "this is no host of ours; ask for one of localhost, 127.0.0.1, [::1], console.example.com, [fd00::7], "
        "or name it in admin.hosts"
    )
    async with door(rig, admin=LOCKED | {"hosts": hosts}) as ours:
        for host in ("console.example.com", "CONSOLE.example.com:443", "[fd00::7]:8080", "localhost"):
            own = {"Host": host, "Origin": f"https://{host}"} | BEARER
            assert (await ours.get("/api/v1/status", own)).status == 200
        for host in ("example.com", "x.console.example.com", "console.example.com.evil.test"):
            assert (await ours.get("/api/v1/status", {"Host": host} | BEARER)).refusal == (421, "wrong_host", said)
        assert (await ours.get("/api/v1/status", {"Host": "console.example.com"})).refusal[1] == "no_token"


async def test_probes_and_metrics_are_answered_whatever_the_host(rig: Rig) -> None:
    async with door(rig, admin=LOCKED) as ours:
        for path in ("/livez", "/readyz", "/metrics"):
            async with ours.session.get(path, headers={"Host": "10.244.0.7:8080"}) as reply:
                assert reply.status == 200


OTHER_SITES = [
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def test_a_page_of_another_site_is_refused(rig: Rig) -> None:
    said = (403, "wrong_origin", "a page of another site may not ask here")
    async with door(rig) as ours:
        for headers in OTHER_SITES:
            assert (await ours.get("/api/v1/status", headers)).refusal == said
            assert (await ours.post("/api/v1/handlers/h/pause", headers=headers)).refusal == said
            assert (await ours.got("/api/v1/handlers"))["handlers"][0]["state"] == "active"


async def test_our_own_page_is_of_no_other_site(rig: Rig) -> None:
    async with door(rig) as ours:
        own = {"Origin": ours.address, "Sec-Fetch-Site": "same-origin"}
        assert (await ours.post("/api/v1/handlers/h/pause", headers=own)).status == 200


async def test_nobody_is_told_that_he_may_ask_from_elsewhere(rig: Rig) -> None:
    preflight = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    async with door(rig) as ours:
        for path in ("/api/v1/handlers/h/pause", "/api/v1/status"):
            answered = await ours.ask("OPTIONS", path, preflight)
            assert answered.refusal[:2] == (403, "wrong_origin")
            assert not [name for name in answered.headers if name.lower().startswith("access-control")]
        answered = await ours.ask("OPTIONS", "/api/v1/status", FORM)
        assert answered.refusal == (405, "wrong_method", "OPTIONS is not possible here; GET, HEAD is")
        assert answered.headers["Allow"] == "GET, HEAD"


# Forms.


async def test_what_changes_something_is_json_with_a_header_that_no_form_can_send(rig: Rig) -> None:
    async with door(rig) as ours:
        for path in CHANGES:
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                answered = await ours.ask("POST", path, FORM | {"Content-Type": kind}, data=b"{}")
                said = "send the body as Content-Type: application/json"
                assert answered.refusal == (415, "wrong_content_type", said)
            answered = await ours.ask("POST", path, {}, json={})
            assert answered.refusal == (403, "header_missing", "send the header X-Streamhooks: console")


async def test_a_body_that_is_too_large_is_refused_before_it_has_come(rig: Rig) -> None:
    async with door(rig) as ours:
        endless = {**FORM, "Content-Length": "999999999"}
        answered = await ours.ask("POST", "/api/v1/fire", endless, data=b"{")
        assert answered.refusal == (413, "too_large", "the body is larger than 65,536 bytes")


async def test_a_body_that_is_too_large_is_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for path in CHANGES:
            answered = await ours.ask("POST", path, FORM, data=b'{"why": "' + b"x" * 70_000 + b'"}')
            assert answered.refusal == (413, "too_large", "the body is larger than 65,536 bytes")


BODIES = [
    (b'{"why', "Input data was truncated"),
    (b"[]", "Expected `object`, got `array`"),
    (b'{"why": 5}', "Expected `str`, got `int` - at `$.why`"),
    (b'{"what": "?"}', "Object contains unknown field `what`"),
    (b"\xff", "JSON is malformed: invalid character (byte 0)"),
    (b"[" * 5000, "Expected `object`, got `array`"),
]


async def test_a_body_that_is_none_is_told_what_is_wrong_with_it(rig: Rig) -> None:
    async with door(rig) as ours:
        for body, said in BODIES:
            answered = await ours.ask("POST", "/api/v1/handlers/h/pause", FORM, data=body)
            assert answered.refusal == (400, "bad_request", f"the body cannot be used: {said}")


async def test_what_is_not_there_is_said_to_be_so(rig: Rig) -> None:
    async with door(rig) as ours:
        for path in ("/api/v1/nothing", "/api/", "/nothing", "/static/../site.py", "/static/console.py"):
            assert (await ours.get(path)).refusal == (404, "no_such_path", "there is nothing at this path")
        answered = await ours.ask("DELETE", "/api/v1/dead", FORM)
        assert answered.refusal == (405, "wrong_method", "DELETE is not possible here; GET, HEAD is")


# Heads.


async def test_every_answer_bears_the_headers_that_keep_a_browser_in_bounds(rig: Rig) -> None:
    async with door(rig, admin=LOCKED) as ours:
        for path in ("/", "/static/console.js", "/api/v1/status", "/nothing", "/livez", "/metrics"):
            async with ours.session.get(path) as reply:
                head = reply.headers
            assert head["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
            assert "unsafe" not in head["Content-Security-Policy"]
            assert "frame-ancestors 'none'; base-uri 'none'" in head["Content-Security-Policy"]
            assert head["X-Content-Type-Options"] == "nosniff"
            assert head["Referrer-Policy"] == "no-referrer"
            assert head["Cache-Control"] == "no-store"
            assert "Server" not in head


async def test_the_page_names_nothing_outside_of_itself(rig: Rig) -> None:
    async with door(rig) as ours, ours.session.get("/") as reply:
        page = await reply.text()
    assert "http" not in page
    assert "<style" not in page
    assert "style=" not in page
    assert page.count("<script") == 1


# Redis.


async def test_while_redis_is_away_everything_that_needs_it_says_so(rig: Rig, tmp_path: Path) -> None:
    loaded = rig.loaded(rig.handler(), redis={"url": f"unix://{tmp_path / 'later.sock'}"}, admin=ANY_PORT)
    said = (503, "redis_away", "Redis does not answer; try again when it is back")

    async def work() -> None:
        async with rig.running(loaded):
            raise AssertionError("there is no Redis")

    task = asyncio.create_task(work())
    async with opened(rig) as ours:
        for path in ("/api/v1/handlers", "/api/v1/dead", "/api/v1/dead/1-0", "/api/v1/explain/1-0"):
            assert (await ours.get(path)).refusal == said
        assert (await ours.post("/api/v1/handlers/h/pause")).refusal == said
        for path in ("/api/v1/dead/replay", "/api/v1/replay"):
            assert (await ours.post(path, {"all": True})).refusal == said
        status = await ours.got("/api/v1/status")
        assert (status["redis"], status["backlog"], status["handlers"][0]["id"]) == ("away", {}, "h")
        assert (await ours.post("/api/v1/render", {"handler": "h"})).status == 200
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_redis_that_takes_no_writes_is_named(rig: Rig) -> None:
    async with door(rig) as ours:
        async with full(rig):
            answered = await ours.post("/api/v1/handlers/h/pause")
            said = "Redis takes no writes: give it memory, disk or its primary back, then try again"
            assert answered.refusal == (503, "redis_refuses", said)
        assert (await ours.post("/api/v1/handlers/h/pause")).status == 200


# The account of what was changed.


async def test_each_change_leaves_one_line_in_the_log_and_looking_leaves_none(rig: Rig) -> None:
    async with door(rig) as ours:
        for path in READS[:-1]:
            await ours.get(path)
        await ours.post("/api/v1/render", {"handler": "h"})
        await ours.post("/api/v1/dead/replay", {"all": True, "dry_run": True})
        assert rig.records.of("admin_change") == []
        await ours.done("/api/v1/handlers/h/pause", {"why": "maintenance"})
        await ours.done("/api/v1/handlers/h/resume")
        await ours.done("/api/v1/dead/replay", {"all": True})
        await ours.done("/api/v1/fire", {"handler": "h"})
    told = rig.records.of("admin_change")
    assert [record["did"] for record in told] == ["pause", "resume", "replay_letters", "fire"]
    assert {record["by"] for record in told} == {"127.0.0.1"}
    assert (told[0]["handler"], told[0]["why"]) == ("h", "maintenance")


def summary(answered: Answered) -> str:
    return json.dumps(answered.json)


async def test_what_nobody_expected_is_told_to_the_log_and_not_to_the_client(rig: Rig) -> None:
    async with door(rig) as ours:
        await rig.redis.set(rig.keys.handlers, "no hash")
        answered = await ours.get("/api/v1/handlers")
        assert answered.refusal == (500, "internal", "something went wrong here; the log of the worker says what")
        assert "WRONGTYPE" not in summary(answered)
        (record,) = rig.records.of("admin_failed")
        assert "WRONGTYPE" in json.dumps(record)
        await rig.redis.delete(rig.keys.handlers)


async def test_a_stop_does_not_wait_for_who_looks(rig: Rig) -> None:
    async with aiohttp.ClientSession() as session:
        async with door(rig) as ours:
            reply = await session.get(f"{ours.address}/api/v1/events")
            await reply.content.readuntil(b"\n\n")
        rest = await reply.content.read()
        reply.release()
    assert rest.startswith(b"event: sample") or not rest
    assert [record["event"] for record in rig.records.all][-1] == "stopped"
