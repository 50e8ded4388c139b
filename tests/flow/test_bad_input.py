"""What cannot become a webhook: one dead letter with its reason, and nobody else is held up."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.flow.rig import Rig

DEEP = 100_000
BOMBS = 32
MSGPACK = b"\x82\xa4type\xa1A\xa4meta\x81\xa1a"
"""A map of type A up to the value of `a` in its meta."""
UNDECODABLE: dict[str, tuple[dict[str, bytes], str]] = {
    "a list": ({"d": b"[1, 2]"}, "d: "),
    "a MessagePack array": ({"d": b"\x93\x01\x02\x03"}, "d: "),
    "a MessagePack number": ({"d": b"\x05"}, "d: "),
    "nothing": ({"d": b""}, "d: "),
    "half a JSON document": ({"d": b'{"type": "AuthFailure", "meta": {'}, "d: "),
    "half a MessagePack document": ({"d": b"\x82\xa4type"}, "d: "),
    "bad UTF-8 in JSON": ({"d": b'{"type": "AuthFailure", "meta": {"Key": "\xff\xfe"}}'}, "UTF-8"),
    "bad UTF-8 in a flat field": ({"type": b"AuthFailure", "key": b"\xc3\x28"}, "UTF-8"),
    "bad UTF-8 in a type": ({"type": b"\xff", "key": b"a"}, "UTF-8"),
    "10 MB packed": ({"d": b'{"type": "A", "meta": {"a": "' + b"x" * 10_000_000 + b'"}}'}, "262144"),
    "10 MB flat": ({"type": b"A", "a": b"x" * 10_000_000}, "262144"),
    "100 000 lists deep in JSON": ({"d": b'{"type": "A", "meta": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}"}, "64"),
    "100 000 lists deep in MessagePack": ({"d": MSGPACK + b"\x91" * DEEP + b"\x01"}, "64"),
    "NaN in JSON": ({"d": b'{"type": "A", "meta": {"a": NaN}}'}, "d"),
    "NaN in MessagePack": ({"d": MSGPACK + b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"}, "d.meta.a"),
    "a type that is a number": ({"d": b'{"type": 5, "meta": {}}'}, "d.type"),
    "meta that is a list": ({"d": b'{"type": "A", "meta": []}'}, "d.meta"),
    "an api_id that is a number": ({"d": b'{"type": "A", "meta": {}, "api_id": 5}'}, "d.api_id"),
    "packed without a type": ({"d": b'{"meta": {"Key": "a"}}'}, "d.type"),
    "split without a type": ({"meta": b'{"Key": "a"}'}, "type"),
    "flat without a type": ({"key": b"a"}, "type"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), UNDECODABLE.values(), ids=UNDECODABLE)
async def test_what_is_no_event_is_one_dead_letter_between_neighbours_that_arrive(
    rig: Rig, fields: dict[str, bytes], said: str
) -> None:
    async with rig.working(rig.handler()):
        await rig.publish("before")
        bad = await rig.add(fields)
        await rig.publish("after")
        await rig.settled(delivered=2, dead=1)
    assert sorted(rig.arrived) == ["after", "before"]
    (letter,) = await rig.letters()
    assert (letter.reason, letter.origin, letter.handler) == ("undecodable", bad, "")
    assert said in letter.why
    raw = b"".join(name.encode() + b"=" + value + b"\n" for name, value in fields.items())
    assert (letter.raw, letter.raw_length) == (raw[:65536], len(raw))
    assert letter.raw_sha256 == hashlib.sha256(raw).hexdigest()
    assert len(rig.records.of("dead_letter")) == 1


async def test_a_template_that_fails_is_one_dead_letter_with_its_message(rig: Rig) -> None:
    name = rig.template("fourth.json", '{"key": "{{ .Meta.Key }}", "fourth": {{ index .Meta.list 3 }}}')
    async with rig.working(rig.handler(on=["Custom"], template_path=name)):
        for key, numbers in (("before", "[1,2,3,4]"), ("bad", "[1]"), ("after", "[1,2,3,5]")):
            await rig.add({"type": "Custom", "meta": f'{{"Key": "{key}", "list": {numbers}}}'})
        await rig.settled(delivered=2, dead=1)
    assert sorted(rig.arrived) == ["after", "before"]
    (letter,) = await rig.letters()
    assert (letter.reason, letter.handler, letter.type, letter.attempt) == ("template", "h", "Custom", 0)
    assert "error calling index: index out of range: 3" in letter.why


async def test_template_bombs_of_one_batch_let_others_have_their_turn_in_between(rig: Rig) -> None:
    """Each is ended by its limits in some 50 ms; together they would stop the heartbeat for as long as a lease."""
    name = rig.template("bomb.json", "{{ range $i := 99999 }}{{ range 99999 }}{{ end }}{{ end }}")
    await rig.publish_many(BOMBS)
    turns: list[float] = []

    async def turn() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            turns.append(time.perf_counter() - before)

    turning = asyncio.create_task(turn())
    async with rig.working(rig.handler(template_path=name)):
        await rig.settled(dead=BOMBS)
    turning.cancel()
    longest, *others = sorted(turns, reverse=True)[:BOMBS]
    assert 4 * longest < sum(others), "many of them were rendered in one turn of the loop"


async def test_a_condition_that_fails_is_a_dead_letter_and_no_silent_no(rig: Rig) -> None:
    async with rig.working(rig.handler(on=["Custom"], when="{{ index .Meta.list 3 }}")):
        await rig.add({"type": "Custom", "meta": '{"list": [1]}'})
        await rig.settled(dead=1)
    assert [letter.reason for letter in await rig.letters()] == ["template"]


async def test_one_handler_that_fails_does_not_hold_up_the_other_handlers_of_the_event(rig: Rig) -> None:
    name = rig.template("fourth.json", '{"fourth": {{ index .Meta.list 3 }}}')
    async with rig.working(rig.handler("bad", on=["Custom"], template_path=name), rig.handler("good")):
        await rig.add({"type": "Custom", "meta": '{"Key": "a", "list": [1]}'})
        await rig.settled(delivered=1, dead=1)
    assert [request.path for request in rig.endpoint.received] == ["/good"]


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An endpoint that says `answer`, whatever it is asked, and hangs up; its URL and the heads that it was sent."""
    heads: list[bytes] = []

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"\x00\xff garbage\r\n\r\n", id="bytes"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another-protocol"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="no-status"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_an_endpoint_that_answers_garbage_is_retried_and_then_a_dead_letter(rig: Rig, answer: bytes) -> None:
    async with raw_server(answer) as (url, heads), rig.working(rig.handler(target_path=url), rig.handler("good")):
        await rig.publish("a")
        await rig.settled(delivered=1, dead=1)
    assert len(heads) == 3, "one attempt and two retries"
    (letter,) = await rig.letters()
    assert (letter.reason, letter.handler, letter.attempt, letter.status) == ("exhausted", "h", 3, 0)
    assert letter.why.startswith(("protocol: ", "connect: "))
    assert "400" not in letter.why
    assert "status" not in letter.why.partition(";")[0] or answer.startswith(b"HTTP")
