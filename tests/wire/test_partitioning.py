"""Which partition an event goes into."""

from streamhooks.partitioning import stream_names, stream_of


def test_one_partition_is_the_stream_itself() -> None:
    assert stream_names("events", 1) == ("events",)
    assert stream_of("AuthFailure", "payments", ("events",)) == "events"


def test_several_are_numbered_from_0() -> None:
    assert stream_names("events", 3) == ("events:0", "events:1", "events:2")


def test_the_choice_is_a_contract_that_publishers_in_other_languages_rely_on() -> None:
    streams = stream_names("events", 16)
    # CRC-32 of b"AuthFailure\npayments" is 0xc6647971, of b"QuotaExceeded\n" 0xa565f31e, of "Ö\nü" in UTF-8 0xdf2b2592.
    chosen = [stream_of(*event, streams) for event in (("AuthFailure", "payments"), ("QuotaExceeded", ""), ("Ö", "ü"))]
    assert chosen == ["events:1", "events:14", "events:2"]


def test_events_spread_over_the_partitions() -> None:
    streams = stream_names("many", 4)
    assert {stream_of(f"Type{number}", "", streams) for number in range(100)} == set(streams)
