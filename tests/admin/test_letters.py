"""`/api/v1/dead`: pages of letters, one whole, and their replay."""

from itertools import product
from typing import Any, get_args
from urllib.parse import urlencode

from streamhooks.delivery.request import webhook_id
from streamhooks.model import DeadReason
from streamhooks.store.connection import ask
from tests.admin.asking import Door, door
from tests.doors.command import buried, buried_raw
from tests.flow.rig import Rig
from tests.waiting import eventually


async def listed(ours: Door, **query: object) -> Any:
    return await ours.got(f"/api/v1/dead?{urlencode(query)}")


async def three(rig: Rig) -> list[str]:
    """Letters of two handlers, the oldest first."""
    return [
        await buried(rig.redis, handler="a", type="AuthFailure", reason="exhausted", fingerprint="1" * 32),
        await buried(rig.redis, handler="a", type="KeyExpired", reason="gone", fingerprint="2" * 32),
        await buried(rig.redis, handler="b", type="AuthFailure", reason="exhausted", fingerprint="3" * 32),
    ]


# Listed.


async def test_letters_are_listed_from_the_newest_without_any_payload(rig: Rig) -> None:
    ids = await three(rig)
    async with door(rig) as ours:
        page = await listed(ours)
    assert [letter["id"] for letter in page["letters"]] == ids[::-1]
    assert (page["next"], page["total"]) == ("", 3)
    assert set(page["letters"][0]) == {
        "id", "buried", "event", "stream", "handler", "type", "reason", "attempts", "status", "why", "replayable",
    }  # fmt: skip
    assert "5d8e" not in str(page)


FILTERS: list[tuple[dict[str, str], list[int]]] = [
    ({"handler": "a"}, [1, 0]),
    ({"handler": "nobody"}, []),
    ({"reason": "exhausted"}, [2, 0]),
    ({"type": "Key*"}, [1]),
    ({"type": "AuthFailure", "handler": "b"}, [2]),
    ({"since": "1h"}, [2, 1, 0]),
    ({"until": "1h"}, []),
    ({"until": "2020-01-01T00:00:00Z"}, []),
]


async def test_filters_mean_what_they_mean_on_the_command_line(rig: Rig) -> None:
    ids = await three(rig)
    async with door(rig) as ours:
        for query, found in FILTERS:
            page = await listed(ours, **query)
            assert [letter["id"] for letter in page["letters"]] == [ids[index] for index in found], query
            assert page["total"] == 3


async def test_pages_follow_one_another_without_gap_or_overlap(rig: Rig) -> None:
    ids = [await buried(rig.redis, fingerprint=f"{number:032}") for number in range(7)]
    async with door(rig) as ours:
        seen: list[object] = []
        before = ""
        while True:
            page = await listed(ours, limit=3, **({"before": before} if before else {}))
            assert len(page["letters"]) <= 3
            seen += [letter["id"] for letter in page["letters"]]
            before = page["next"]
            if not before:
                break
    assert seen == ids[::-1]


async def test_letters_of_all_partitions_are_one_list_even_where_their_ids_are_the_same(rig: Rig) -> None:
    async with door(rig, stream={"partitions": 3}) as ours:
        now = await rig.now()
        ids = (f"{now}-0", f"{now}-1")
        for partition in ours.worker.partitions:
            for id in ids:
                await ask(rig.redis, "XADD", partition.keys.dead, id, "v", 1, "origin", "5-0", "handler", "h")
        seen: list[object] = []
        before = ""
        while len(seen) < 10:
            page = await listed(ours, limit=1, **({"before": before} if before else {}))
            seen += [(letter["id"], letter["stream"]) for letter in page["letters"]]
            before = page["next"]
            if not before:
                break
    streams = [f"gateway:events:{number}" for number in (2, 1, 0)]
    assert seen == [(id, stream) for id in ids[::-1] for stream in streams]


QUERIES = [
    ("limit=0", "limit must be from 1 to 200"),
    ("limit=201", "limit must be from 1 to 200"),
    ("limit=many", "limit must be from 1 to 200"),
    ("limit=%C2%B2", "limit must be from 1 to 200"),
    ("before=1-0", "before is none that a page has given as next"),
    ("before=x_0", "before is none that a page has given as next"),
    ("since=soon", "since is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry"),
    ("since=1h&until=2h", "since is later than until"),
    ("reason=bored", f"there is no such reason; the reasons are {', '.join(get_args(DeadReason))}"),
    (
        "hander=a",
        "the query has what is not known here; it may have handler, type, reason, since, until, limit, before",
    ),
]


async def test_a_query_that_cannot_be_meant_is_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for query, said in QUERIES:
            assert (await ours.get(f"/api/v1/dead?{query}")).refusal == (400, "bad_request", said)


# Shown.


async def test_a_letter_is_shown_whole_with_credentials_masked_also_where_the_endpoint_repeated_them(rig: Rig) -> None:
    meta = {"Key": "5d8e1c0fa2b7", "Path": "/w", "OriginatingRequest": "R0VUIC8="}
    id = await buried(rig.redis, meta, answer=b"no such key: 5d8e1c0fa2b7")
    async with door(rig) as ours:
        (letter,) = (await ours.got(f"/api/v1/dead/{id}"))["letters"]
        by_event = (await ours.got(f"/api/v1/dead/{letter['event']}"))["letters"]
        by_webhook = (await ours.got(f"/api/v1/dead/{webhook_id(letter['event'], 0, 'security')}"))["letters"]
    assert letter["event_content"]["meta"] == {"Key": "5d8e***", "Path": "/w", "OriginatingRequest": "***"}
    assert letter["answer"] == "no such key: 5d8e***"
    assert by_event == by_webhook == [letter]


async def test_what_could_not_be_decoded_is_not_shown_for_it_cannot_be_masked(rig: Rig) -> None:
    id = await buried_raw(rig.redis)
    async with door(rig) as ours:
        (letter,) = (await ours.got(f"/api/v1/dead/{id}"))["letters"]
    assert letter["replayable"] is False
    assert "5d8e" not in str(letter)


async def test_a_letter_that_is_not_there_is_said_to_be_so(rig: Rig) -> None:
    said = "there is no dead letter of this id; it may have been replayed"
    async with door(rig) as ours:
        for id in ["1-0", "nothing", "%3Cscript%3E", "99999999999999999999-0"]:
            assert (await ours.get(f"/api/v1/dead/{id}")).refusal == (404, "no_such_letter", said)


# Replayed.


async def dead_at(ours: Door, rig: Rig, *keys: str) -> list[str]:
    """Events that a real worker has given up on; their letters, the oldest first."""
    rig.endpoint.script(422)
    for key in keys:
        await rig.publish(key)
    await rig.settled(dead=len(keys))
    rig.endpoint.script(200)
    return [letter["id"] for letter in (await listed(ours))["letters"]][::-1]


async def test_one_letter_is_replayed_with_the_same_webhook_id(rig: Rig) -> None:
    async with door(rig) as ours:
        first, _ = await dead_at(ours, rig, "one", "two")
        told = await ours.done("/api/v1/dead/replay", {"ids": [first]})
        await eventually(lambda: len(rig.endpoint.received) == 3)
        left = await listed(ours)
    assert told == {
        "matching": 1, "replayed": [first], "gone": [], "not_replayable": 0, "missing": [], "until": first,
        "more": False,
    }  # fmt: skip
    assert rig.arrived[2] == "one"
    assert rig.endpoint.received[2].headers["webhook-id"] == rig.endpoint.received[0].headers["webhook-id"]
    assert left["total"] == 1


async def test_those_that_a_filter_takes_are_counted_first_and_then_replayed(rig: Rig) -> None:
    async with door(rig) as ours:
        ids = await dead_at(ours, rig, "one", "two", "three")
        tried = await ours.done("/api/v1/dead/replay", {"reason": "permanent_status", "dry_run": True})
        assert (tried["matching"], tried["replayed"], tried["until"]) == (3, [], ids[2])
        assert (await listed(ours))["total"] == 3
        done = await ours.done("/api/v1/dead/replay", {"reason": "permanent_status", "until": tried["until"]})
        assert done["replayed"] == ids
        await eventually(lambda: sorted(rig.arrived[3:]) == ["one", "three", "two"])


async def test_a_replay_is_capped_and_says_that_there_is_more(rig: Rig) -> None:
    async with door(rig) as ours:
        ids = await dead_at(ours, rig, "one", "two", "three")
        first = await ours.done("/api/v1/dead/replay", {"all": True, "limit": 2})
        assert (first["replayed"], first["more"]) == (ids[:2], True)
        rest = await ours.done("/api/v1/dead/replay", {"all": True, "limit": 2, "until": ids[2]})
        assert (rest["replayed"], rest["more"]) == (ids[2:], False)


async def test_what_was_replayed_by_somebody_else_or_never_was_an_event_is_told_of(rig: Rig) -> None:
    raw = await buried_raw(rig.redis)
    async with door(rig) as ours:
        told = await ours.done("/api/v1/dead/replay", {"ids": [raw, "1-0"]})
    assert (told["replayed"], told["not_replayable"], told["missing"]) == ([], 1, ["1-0"])


REFUSED: list[tuple[Any, str]] = [
    ({}, 'give ids, a filter, or "all": true for everything there is'),
    ({"ids": ["nothing"]}, "an id is none: it looks like 1795428000000-0, or is a webhook-id"),
    ({"ids": ["1-0"] * 201}, "201 ids are too many; at most 200 in one request"),
    ({"all": True, "limit": 1001}, "limit is 1001; must be from 1 to 1000"),
    ({"all": True, "limit": 0}, "limit is 0; must be from 1 to 1000"),
    ({"since": "soon"}, "since is no time; write 2h (ago), 2026-11-23T10:00:00Z, or the id of an entry"),
    ({"handlers": "a"}, "the body cannot be used: Object contains unknown field `handlers`"),
    ({"ids": "1-0"}, "the body cannot be used: Expected `array`, got `str` - at `$.ids`"),
]


async def test_a_replay_that_is_not_asked_for_clearly_is_refused(rig: Rig) -> None:
    async with door(rig) as ours:
        for (body, said), path in product(REFUSED, ["/api/v1/dead/replay", "/api/v1/replay"]):
            assert (await ours.post(path, body)).refusal == (400, "bad_request", said)
