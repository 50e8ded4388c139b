"""Which sentinel is asked next, and what is said where none helps."""

from streamhooks.connecting.address import Node
from streamhooks.connecting.sentinels import Search, Sentinels


def test_who_led_to_the_primary_is_asked_first_the_next_time() -> None:
    one, two = Node("a", 1), Node("b", 1)
    sentinels = Sentinels((one, two), "s")
    sentinels.was_right(two, 10.0)
    assert Search(sentinels).sentinels == (two, one)


def test_they_are_asked_again_once_a_second_by_one_of_all_who_use_them() -> None:
    sentinels = Sentinels((Node("a", 1),), "s")
    sentinels.was_right(Node("a", 1), 10.0)
    assert [sentinels.due(now) for now in (10.5, 11.0, 11.0, 11.9, 12.0)] == [False, True, False, False, True]


def test_a_server_that_two_sentinels_name_is_tried_once() -> None:
    one, two = Node("a", 1), Node("b", 1)
    search = Search(Sentinels((one, two), "s"))
    assert search.named(one, [b"h", b"5"]) == Node("h", 5)
    search.unreached(one, Node("h", 5), OSError("no"))
    assert search.named(two, [b"h", b"5"]) is None
    assert str(search.trouble()) == (
        "no sentinel leads to a primary called s: a:1 names h:5, which cannot be reached (no); b:1 names h:5 as well"
    )
