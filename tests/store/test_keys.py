"""Key names are a contract, and all keys of one stream share a slot of a cluster."""

import pytest
from redis.crc import key_slot

from streamhooks.store.keys import Keys, partitions
from tests.servers import PERMANENT


def names(keys: Keys) -> list[str]:
    """Every name but the stream's own."""
    return [
        keys.retry, keys.parked, keys.parked_data, keys.dead, keys.totals, keys.position, keys.journal, keys.handlers,
        keys.handed,
        keys.cool("slack", "f" * 32), keys.done("5-1"), keys.held("slack", "f" * 32), keys.worker("pod-1"),
        keys.told("StreamhooksDeadLetter", "slack"), keys.rate("slack"),
    ]  # fmt: skip


def test_the_names_are_those_of_the_contract() -> None:
    assert names(Keys.of("gateway:events")) == [
        "{gateway:events}:retry",
        "{gateway:events}:parked",
        "{gateway:events}:parked:data",
        "{gateway:events}:dead",
        "{gateway:events}:totals",
        "{gateway:events}:position",
        "{gateway:events}:journal",
        "{gateway:events}:handlers",
        "{gateway:events}:handed",
        "{gateway:events}:cool:slack:ffffffffffffffffffffffffffffffff",
        "{gateway:events}:done:5-1",
        "{gateway:events}:held:slack:ffffffffffffffffffffffffffffffff",
        "{gateway:events}:worker:pod-1",
        "{gateway:events}:told:StreamhooksDeadLetter:slack",
        "{gateway:events}:rate:slack",
    ]


def test_every_name_that_is_made_is_among_those() -> None:
    makers = {name for name in vars(Keys) if not name.startswith("_")} - {"of", "permanent", "stream", "tag"}
    assert len(names(Keys.of("gateway:events"))) == len(makers)


def test_a_stream_key_with_a_hash_tag_of_its_own_is_taken_as_it_stands() -> None:
    keys = Keys.of("eu:{gateway}:events")
    assert (keys.stream, keys.retry) == ("eu:{gateway}:events", "eu:{gateway}:events:retry")


@pytest.mark.parametrize("stream", ["gateway:events", "{gateway}:events", "eu:{gateway}:events", "gateway:events:7"])
def test_every_key_of_a_stream_is_in_the_slot_of_the_stream(stream: str) -> None:
    slot = key_slot(stream.encode())
    assert {key_slot(name.encode()) for name in names(Keys.of(stream))} == {slot}


def test_partitions_are_streams_with_keys_of_their_own() -> None:
    assert [keys.stream for keys in partitions("events", 1)] == ["events"]
    assert [keys.stream for keys in partitions("events", 3)] == ["events:0", "events:1", "events:2"]
    assert len({name for keys in partitions("events", 3) for name in names(keys)}) == 3 * len(names(Keys.of("x")))


def test_the_keys_that_may_stay_for_ever_are_those_that_the_tests_allow() -> None:
    keys = Keys.of("gateway:events")
    assert keys.permanent() == {keys.stream, *(keys.tag + ending for ending in PERMANENT)}
    assert keys.cool("slack", "f" * 32) not in keys.permanent()
