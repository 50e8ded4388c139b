"""The console as a person meets it: what happens is seen, looked into, and acted upon."""

import asyncio
import json
from pathlib import Path

from streamhooks.delivery.request import webhook_id
from tests.admin.asking import ANY_PORT, TOKEN, Door, door, opened
from tests.console.browser import Browser, Page
from tests.flow.rig import STREAM, Rig
from tests.ports import free_port
from tests.servers import Answer
from tests.waiting import eventually

ALL = {"journal": "all"}


async def shown(browser: Browser, ours: Door) -> Page:
    """The console, once it is live."""
    page = await browser.open(f"{ours.address}/")
    await page.until("document.getElementById('connection').textContent === 'Live'")
    return page


async def test_an_event_is_seen_to_arrive_and_its_story_is_one_click_away(rig: Rig, browser: Browser) -> None:
    rig.endpoint.script(Answer(503, b"try later"), 200)
    async with door(rig, worker=ALL) as ours:
        page = await shown(browser, ours)
        await page.shows("Nothing yet.")
        entry = await rig.publish("abc-12345")
        await page.shows("attempt 2, 200 in")
        await page.shows("status 503; again in 0.1 s")
        await page.until("document.querySelector('.handlers .number:nth-of-type(7)')?.textContent !== '0'")
        await page.click("checkbox", "Problems only")
        await page.until("!document.getElementById('outcomes').innerText.includes('Delivered')")
        await page.click("button", "Hold")
        await rig.publish("held-back")
        await page.find("button", "Go on (1 new)")
        await page.click("button", "Go on (1 new)")
        await page.click("checkbox", "Problems only")
        await page.until("document.querySelectorAll('.outcome').length === 3")
        await page.click("link", entry)
        await page.shows("What happened")
        await page.shows("abc-***")
        assert await page.evaluate("location.hash") == f"#event/{entry}"
        assert await page.evaluate("document.activeElement.id") == "event-title"
        steps = await page.evaluate("[...document.querySelectorAll('.steps li')].map((one) => one.innerText)")
        assert len(steps) == 4
        assert f"read by {ours.worker.consumer}" in steps[1]
        assert "try later" in steps[2]
        states = await page.evaluate("[...document.querySelectorAll('.steps li')].map((one) => one.dataset.state)")
        assert states == [None, None, "warn", "good"]
        assert page.errors == []


async def test_the_story_of_a_suppressed_event_says_what_to_do_and_leads_to_the_one_that_stands_for_it(
    rig: Rig, browser: Browser
) -> None:
    async with door(rig, rig.handler("other", on=["KeyExpired"]), rig.handler(event_timeout=60)) as ours:
        first = await rig.publish("abc")
        await rig.settled(delivered=1)
        second = await rig.publish("abc")
        await rig.settled(delivered=1, suppressed=1)
        page = await shown(browser, ours)
        await page.evaluate(f"location.hash = '#event/{second}'")
        await page.shows(f"streamhooks replay {second} --handler h --force")
        await page.shows(f"suppressed by the cool-down: a duplicate of {first}, which was delivered at ")
        parts = "[...document.querySelectorAll('.place')].map((one) => one.innerText.replace(/\\s+/g, ' '))"
        places = await page.evaluate(parts)
        assert places[0].startswith("suppressed h: suppressed at ")
        sent = webhook_id(second, 0, "h")
        assert places[1].startswith(f"fires h: it is for * webhook-id {sent} cool-down: event {first} was delivered ")
        assert places[2] == "does not match other: it is for KeyExpired, and the event is AuthFailure"
        await page.click("link", "its story")
        await page.until(f"document.querySelector('.story')?.dataset.id === '{first}'")
        assert page.errors == []


async def test_a_dead_letter_is_looked_at_and_replayed(rig: Rig, browser: Browser) -> None:
    rig.endpoint.script(Answer(422, b"no such key: abc-12345"), 200)
    async with door(rig) as ours:
        page = await shown(browser, ours)
        await rig.publish("abc-12345")
        await page.shows("permanent_status: status 422")
        await page.click("link", "Dead letters 1")
        await page.shows("1 dead letter")
        letter = await page.until("document.querySelector('.letter')?.dataset.id")
        await page.click("button", f"Show {letter}")
        await page.shows('"Key": "abc-***"')
        await page.shows("no such key: abc-***")
        await page.click("button", f"Replay {letter}")
        await page.shows("Replay this dead letter?")
        await page.click("button", "Replay")
        await page.shows("There are no dead letters.")
        await eventually(lambda: rig.arrived == ["abc-12345", "abc-12345"])
        first, second = rig.endpoint.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert page.errors == []


async def test_all_that_a_filter_takes_are_replayed_once_their_number_was_confirmed(rig: Rig, browser: Browser) -> None:
    rig.endpoint.script(422)
    async with door(rig, rig.handler("a", on=["AuthFailure"]), rig.handler("b", on=["KeyExpired"])) as ours:
        for key in ("one", "two"):
            await rig.publish(key)
        await rig.publish("three", "KeyExpired")
        await rig.settled(dead=3)
        rig.endpoint.script(200)
        page = await shown(browser, ours)
        await page.click("link", "Dead letters 3")
        await page.shows("3 dead letters")
        await page.choose("Handler", "a")
        await page.click("button", "Show")
        await page.shows("2 shown, 3 in all")
        await page.click("button", "Replay all of these")
        await page.shows("Replay 2 dead letters?")
        await page.click("button", "Cancel")
        assert len(rig.arrived) == 3
        await page.click("button", "Replay all of these")
        await page.click("button", "Replay 2")
        await page.shows("2 dead letters replayed.")
        await eventually(lambda: rig.arrived[3:] == ["one", "two"])
        assert page.errors == []


async def test_a_handler_is_paused_and_resumed(rig: Rig, browser: Browser) -> None:
    async with door(rig) as ours:
        page = await shown(browser, ours)
        await page.click("button", "Pause h")
        await page.shows("Pause h?")
        await page.write("textbox", "Why Shown to whoever asks", "maintenance")
        await page.click("button", "Pause")
        await page.shows("maintenance")
        await eventually(lambda: ours.worker.lanes["h"].standing.why == "maintenance")
        await rig.publish("abc")
        await eventually(rig.stored)
        await page.click("button", "Resume h")
        await page.shows("1 event is held and will follow.")
        await page.click("button", "Resume")
        await eventually(lambda: rig.arrived == ["abc"])
        await page.find("button", "Pause h")
        assert page.errors == []


async def test_the_playground_shows_the_exact_request_tries_templates_and_sends_a_test(
    rig: Rig, browser: Browser
) -> None:
    async with door(rig, rig.handler(on=["AuthFailure", "KeyExpired"], header_map={"X-Team": "security"})) as ours:
        page = await shown(browser, ours)
        await page.click("link", "Playground")
        await page.until("!document.getElementById('trial-render').disabled")
        await page.click("button", "Render")
        await page.shows("POST /h HTTP/1.1")
        await page.shows("X-Team: security")
        await page.shows('"event": "AuthFailure"')
        await page.write("textbox", "Event, as a gateway would write it", '{"type": "Mine", "meta": {"Path": "/mine"}}')
        await page.evaluate("document.querySelector('#trial-template-box').open = true")
        await page.write("textbox", "What you change here is tried here only", '{"at": "{{ .Meta.Path }}"}')
        await page.click("button", "Render")
        await page.shows('{"at": "/mine"}')
        await page.write("textbox", "What you change here is tried here only", "{{ .Meta.Path")
        await page.click("button", "Render")
        await page.shows("unclosed action")
        await page.click("button", "Back to the handler's own")
        await page.write("textbox", "Event, as a gateway would write it", "{")
        await page.click("button", "Render")
        await page.shows("The event is no JSON")
        await page.choose("Example event", "KeyExpired")
        await page.until("document.querySelector('#trial-event').value.includes('KeyExpired')")
        assert rig.endpoint.received == []
        await page.click("button", "Send a test request")
        await page.click("button", "Send")
        await page.shows("Answered 200 after")
        (sent,) = rig.endpoint.received
        assert json.loads(sent.body)["event"] == "KeyExpired"
        assert [error for error in page.errors if "422" not in error] == []


HOSTILE = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script><svg/onload='window.hacked=1'>"


async def test_hostile_payloads_are_shown_as_text(rig: Rig, browser: Browser) -> None:
    """In a type, in Meta, in an answer, in a template's message, in an id that is asked for."""
    rig.endpoint.script(Answer(422, HOSTILE.encode()))
    bad = rig.handler("bad", on=["Bad*"], template_path=rig.template("bad.txt", "{{ index .Meta.list 3 }}"))
    async with door(rig, rig.handler(on=["<*"]), bad, worker=ALL) as ours:
        page = await shown(browser, ours)
        meta = {HOSTILE: HOSTILE, "Key": HOSTILE, "list": [HOSTILE]}
        await rig.add({"d": json.dumps({"type": HOSTILE, "meta": meta, "api_id": HOSTILE, "source": HOSTILE})})
        await rig.add({"d": json.dumps({"type": "Bad" + HOSTILE[:100], "meta": meta})})
        await rig.settled(dead=2)
        await page.shows(HOSTILE)
        await page.click("link", "Dead letters 2")
        await page.shows("2 dead letters")
        for number in range(2):
            await page.evaluate(f"document.querySelectorAll('.letter [aria-expanded]')[{number}].click()")
        await page.until("document.querySelectorAll('.letter pre').length >= 3")
        assert HOSTILE in await page.evaluate("document.querySelector('#letters').innerText")
        for event in await page.evaluate("[...document.querySelectorAll('.letter dd a')].map((one) => one.hash)"):
            await page.evaluate(f"location.hash = {json.dumps(event)}")
            await page.until(f"document.querySelector('.story')?.innerText.includes({json.dumps(event[7:])})")
        await page.evaluate(f"location.hash = '#event/' + encodeURIComponent({json.dumps(HOSTILE)})")
        await page.shows("this is no id")
        strange = "document.querySelectorAll('main img, main svg image, script:not([src])').length"
        assert await page.evaluate(strange) == 0
        assert await page.evaluate("window.hacked") is None
        assert [error for error in page.errors if "400" not in error] == []


async def test_what_the_policy_of_the_page_refuses_is_noticed_and_never_asked_for(rig: Rig, browser: Browser) -> None:
    """Else the other tests, which look at what a page complained of, would prove nothing of it."""
    async with door(rig) as ours:
        page = await shown(browser, ours)
        picture = f"{rig.endpoint.url}/picture"
        await page.evaluate(f"void (new Image().src = '{picture}')")
        await eventually(lambda: page.errors)
        assert "Content Security Policy" in page.errors[0]
        assert page.strangers == [picture], "what was refused is noted, too"
        page.strangers.clear()
        assert rig.endpoint.received == []


async def test_the_token_is_asked_for_and_is_nowhere_but_in_the_page(rig: Rig, browser: Browser) -> None:
    async with door(rig, admin=ANY_PORT | {"token": TOKEN}) as ours:
        page = await browser.open(f"{ours.address}/")
        await page.shows("This worker asks for its admin token.")
        assert await page.evaluate("document.activeElement.id") == "token"
        await page.write("textbox", "Admin token", "a guess")
        await page.press("Enter")
        await page.shows("This is not the token.")
        await page.write("textbox", "Admin token", TOKEN)
        await page.press("Enter")
        await page.until("document.getElementById('connection').textContent === 'Live'")
        kept = "[localStorage.length, sessionStorage.length, document.cookie, document.getElementById('token').value]"
        assert await page.evaluate(kept) == [0, 0, "", ""]
        assert TOKEN not in await page.evaluate("document.documentElement.outerHTML + location.href")
        await page.reload()
        await page.shows("This worker asks for its admin token.")
        assert [error for error in page.errors if "401" not in error] == []


async def test_an_id_that_nobody_knows_is_said_to_be_unknown_and_why(rig: Rig, browser: Browser) -> None:
    async with door(rig) as ours:
        page = await shown(browser, ours)
        await page.click("link", "Events")
        await page.write("textbox", "Id of an event, of a dead letter, or a webhook-id", "1-0")
        await page.press("Enter")
        why = f"{STREAM} has not given this id yet: its newest is 0-0"
        await page.shows(f"nothing is known of this id: {why}")
        entry = await rig.publish("abc")
        await rig.settled(delivered=1)
        await page.write("textbox", "Id of an event, of a dead letter, or a webhook-id", entry)
        await page.click("button", "Tell its story")
        await page.shows("What happened")
        assert await page.evaluate("document.getElementById('story-said').hidden"), "what was said before is gone"
        assert [error for error in page.errors if "404" not in error] == []


async def test_while_redis_is_away_every_view_says_so_and_goes_on_when_it_is_back(
    rig: Rig, browser: Browser, tmp_path: Path
) -> None:
    later = tmp_path / "later.sock"
    loaded = rig.loaded(rig.handler(), redis={"url": f"unix://{later}"}, admin=ANY_PORT, worker=ALL)
    stop = asyncio.Event()

    async def work() -> None:
        async with rig.running(loaded):
            await stop.wait()

    working = asyncio.create_task(work())
    async with opened(rig) as ours:
        page = await shown(browser, ours)
        await page.shows("Redis does not answer. Nothing is lost: workers go on when it is back.")
        for link in ("Dead letters", "Events"):
            await page.click("link", link)
            if link == "Events":
                await page.write("textbox", "Id of an event, of a dead letter, or a webhook-id", "1-0")
                await page.press("Enter")
            await page.shows("Redis does not answer; try again when it is back")
        await page.click("link", "Playground")
        await page.shows("Redis does not answer; try again when it is back")
        await page.click("link", "Overview")
        later.symlink_to(rig.url.removeprefix("unix://"))
        await page.until("document.getElementById('redis').hidden")
        await rig.publish("abc")
        await page.shows("200 in")
        assert [error for error in page.errors if "503" not in error] == []
    stop.set()
    await working


async def test_a_lost_connection_is_shown_and_comes_back_by_itself(rig: Rig, browser: Browser) -> None:
    admin = {"listen": f"127.0.0.1:{free_port()}"}
    async with door(rig, admin=admin, worker=ALL) as ours:
        page = await shown(browser, ours)
    await page.shows("Connection lost. Trying again")
    async with door(rig, admin=admin, worker=ALL):
        await page.until("document.getElementById('connection').textContent === 'Live'", within=20)
        await rig.publish("abc")
        await page.shows("200 in")
