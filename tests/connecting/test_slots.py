"""Slots as the cluster specification has them, and what a publisher makes of what a cluster tells."""

import pytest
from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, ResponseError, TryAgainError

from streamhooks.connecting.address import Address, Node, read
from streamhooks.connecting.slots import SLOTS, SlotMap, Whereabouts, slot_of
from streamhooks.publisher.buffer import Item
from streamhooks.publisher.routes import HERE, Routes
from streamhooks.secret import Secret
from streamhooks.store.cluster import key_of

A, B, C = Node("a", 1), Node("b", 2), Node("10.0.0.9", 3)
REPLY = [
    [8000, SLOTS - 1, [b"b", 2, b"id"], [b"10.0.0.9", 3, b"id"]],
    [0, 6999, [b"a", 1, b"id", []]],
]
"""Nobody has 7000 to 7999."""


@pytest.mark.parametrize(
    "key", ["", "events", "events:0", "{events:0}:retry", "{}x", "{", "}{", "a{b}c{d}", "{{a}}", "é{ü}", "x" * 300]
)
def test_the_slot_of_a_key_is_that_of_the_specification(key: str) -> None:
    assert slot_of(key.encode()) == key_slot(key.encode())


def test_the_specification_s_own_example() -> None:
    assert slot_of(b"123456789") == 0x31C3


@pytest.mark.parametrize(("slot", "owner"), [(0, A), (6999, A), (7000, None), (7999, None), (8000, B), (SLOTS - 1, B)])
def test_a_map_says_who_has_a_slot(slot: int, owner: Node | None) -> None:
    assert SlotMap.read(REPLY, A).owner(slot) == owner


def test_a_map_tells_of_replicas_too() -> None:
    found = SlotMap.read(REPLY, A)
    assert (found.owners, set(found.nodes)) == ((A, B), {A, B, C})


@pytest.mark.parametrize("host", [None, b""])
def test_a_node_without_a_host_is_where_it_was_asked(host: bytes | None) -> None:
    found = SlotMap.read([[0, 5, [host, 7, b"id"]]], Node("asked", 1))
    assert found.owner(3) == Node("asked", 7)


def test_a_redirection_holds_until_the_next_map() -> None:
    known = Whereabouts((A,))
    assert known.learn(REPLY, A)
    known.moved(5, C)
    assert (known.owner(5), known.owner(6), known.doubted) == (C, A, True)
    assert known.learn(REPLY, B)
    assert (known.owner(5), known.doubted) == (A, False)


def test_a_node_that_knows_nothing_is_not_believed() -> None:
    known = Whereabouts((A, B))
    known.learn(REPLY, A)
    assert not known.learn([], B)
    assert known.owner(0) == A


def test_everybody_is_asked_in_turn_and_who_was_silent_last() -> None:
    known = Whereabouts((A, B, C))
    assert sorted(known.in_turn()[0] for _ in range(3)) == sorted([A, B, C])
    known.silent(B)
    assert [known.in_turn()[-1] for _ in range(3)] == [B, B, B]
    known.learn(REPLY, B)
    assert {known.in_turn()[0] for _ in range(3)} == {A, B, C}


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("GET", "k"), "k"),
        (("XINFO STREAM", "k"), "k"),
        (("EVALSHA", "sha", 2, "k", "other", "word"), "k"),
        (("EVAL", "return 1", 0), None),
        (("INFO", "server"), None),
        (("XREADGROUP", "GROUP", "STREAMS", "c", "COUNT", 1, "BLOCK", 9, "STREAMS", "k", ">"), "k"),
        ((b"XREADGROUP", "GROUP", "STREAMS", "c", "STREAMS", "k", ">"), "k"),
        (("XREAD", "COUNT", 1, "STREAMS", "k", "0"), "k"),
    ],
)  # fmt: skip
def test_the_key_of_a_command(words: tuple[str | bytes | int, ...], key: str | None) -> None:
    assert key_of(words) == key


# A publisher's events.


def item(stream: str) -> Item:
    return Item(stream, b"{}", None)


def routes(url: str = "redis+cluster://a:1,b:2") -> Routes:
    return Routes(read(Secret(url)))


def test_one_server_is_asked_for_nothing() -> None:
    single = routes("redis://a:1")
    batch = [item("x"), item("y")]
    assert (single.asks, single.lost, single.address(HERE).nodes) == ((), False, (A,))
    assert [(share.node, list(share.items)) for share in single.shares(batch)] == [(HERE, batch)]
    assert not single.sends_on(batch[0], HERE, MovedError("1 b:2"))


def test_events_are_shared_out_to_the_nodes_that_have_their_streams() -> None:
    cluster = routes()
    assert (set(cluster.asks), cluster.lost) == ({A, B}, True)
    cluster.told(REPLY, A)
    batch = [item(f"events:{number}") for number in range(6)]
    wanted = {node: [one for one in batch if SlotMap.read(REPLY, A).owner(slot_of(one.stream.encode())) == node]
              for node in (A, B)}  # fmt: skip
    assert {share.node: list(share.items) for share in cluster.shares(batch)} == wanted
    assert (cluster.asks, cluster.lost) == ((), False)


def test_an_event_that_is_asked_for_elsewhere_goes_there_once_and_one_that_moved_for_good() -> None:
    cluster = routes()
    cluster.told(REPLY, A)
    one = item("events:0")
    assert cluster.sends_on(one, B, AskError(f"{slot_of(b'events:0')} :9"))
    assert cluster.elsewhere() == [one]
    assert [(share.node, share.asking) for share in cluster.shares([one])] == [(Node("b", 9), True)]
    assert [(share.node, share.asking) for share in cluster.shares([one])] == [(B, False)]
    assert cluster.sends_on(one, B, MovedError(f"{slot_of(b'events:0')} 10.0.0.9:3"))
    assert [(share.node, share.asking) for share in cluster.shares([one])] == [(C, False)]
    assert cluster.asks


@pytest.mark.parametrize("refusal", [TryAgainError("wait"), ResponseError("WRONGTYPE")])
def test_what_is_merely_refused_is_sent_nowhere_else(refusal: Exception) -> None:
    cluster = routes()
    cluster.told(REPLY, A)
    assert not cluster.sends_on(item("events:0"), B, refusal)
    assert cluster.elsewhere() == []


def test_an_event_whose_slot_nobody_has_is_in_trouble() -> None:
    cluster = routes()
    cluster.told([[0, 1, [b"a", 1, b"id"]]], A)
    one = item("events:0")
    assert cluster.shares([one]) == []
    assert one.trouble is not None
    assert (one.trouble.kind, one.trouble.lasting) == ("refusing", False)


def test_a_node_is_reached_as_the_cluster_s_user() -> None:
    address = read(Secret("rediss+cluster://me:word@a:1,b:2"))
    found = address.at(C)
    assert (found.form, found.nodes, found.tls, found.username, found.password) == (
        "server", (C,), True, Secret("me"), Secret("word"),
    )  # fmt: skip
    assert isinstance(found, Address)
