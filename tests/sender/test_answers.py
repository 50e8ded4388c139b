"""What is read of the bytes of an answer, however they come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from streamhooks.sender.answers import MAX_BODY, MAX_HEAD, MOST_HEADERS, Answers
from streamhooks.sender.received import Received

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


class Example(Struct, frozen=True):
    """The bytes of an answer, and what is read of them."""

    data: bytes
    status: int
    head: bytes = b""
    headers: dict[str, str] = {}
    whole: bool = True
    bodiless: bool = False


EXAMPLES = {
    "without a body": Example(b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 204, headers={"server": "x"}),
    "with a body": Example(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", {"content-length": "2"}),
    "with a header that holds nothing": Example(
        b"HTTP/1.1 204 No\r\nX-Empty:\r\nX-Next: \t a b \r\n\r\n", 204, headers={"x-empty": "", "x-next": "a b"}
    ),
    "in chunks, with a trailer": Example(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nRetry-After: 9\r\n\r\n",
        200,
        b"ok",
        {"transfer-encoding": "chunked"},
    ),
    "after interim ones": Example(INTERIM + INTERIM + b"HTTP/1.1 204 No\r\nX-A: b\r\n\r\n", 204, headers={"x-a": "b"}),
    "with bare line feeds": Example(b"HTTP/1.1 204 No\nX-A: b\n\n", 204, headers={"x-a": "b"}),
    "to HEAD": Example(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, headers={"content-length": "2"}, bodiless=True
    ),
    "to HEAD, with a body": Example(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        200,
        headers={"content-length": "2"},
        whole=False,
        bodiless=True,
    ),
    "that closes": Example(
        b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n", 204, headers={"connection": "close"}, whole=False
    ),
    "that another one follows": Example(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokH", 200, b"ok", {"content-length": "2"}, whole=False
    ),
    "of status 0": Example(
        b"HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n", 0, headers={"content-length": "0"}, whole=False
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
@given(cuts=st.sets(st.integers(1, 160)))
def test_an_answer_is_the_same_however_its_bytes_are_cut(name: str, cuts: set[int]) -> None:
    example = EXAMPLES[name]
    reader = expecting(bodiless=example.bodiless)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(example.data)), len(example.data)]
    for begin, end in pairwise(bounds):
        reader.feed(example.data[begin:end])
    assert reader.ended
    assert (read(reader).status, read(reader).head, reader.whole) == (example.status, example.head, example.whole)
    assert dict(Received(read(reader).raw)) == example.headers


@given(names=st.lists(st.sampled_from([name for name in EXAMPLES if EXAMPLES[name].whole]), min_size=2, max_size=6))
def test_nothing_of_an_answer_is_left_for_the_next(names: list[str]) -> None:
    reader = Answers()
    for example in map(EXAMPLES.__getitem__, names):
        reader.expect(bodiless=example.bodiless)
        reader.feed(example.data)
        assert (read(reader).status, read(reader).head, reader.whole) == (example.status, example.head, True)
        assert dict(Received(read(reader).raw)) == example.headers


@pytest.mark.parametrize("chunked", [False, True], ids=["in one", "in chunks of a byte"])
def test_a_body_is_kept_as_far_as_need_be_and_read_as_far_as_is_good(chunked: bool) -> None:
    reader = expecting()
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 1000000"
    reader.feed(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
    piece = b"1\r\nx\r\n" if chunked else b"x"
    fed = 0
    while not reader.ended:
        reader.feed(piece * 500)
        fed += 500
    assert MAX_BODY < fed <= MAX_BODY + 500
    assert (read(reader).head, reader.whole) == (b"x" * MAX_HEAD, False)


def test_headers_are_bounded_also_where_interim_answers_bring_them() -> None:
    reader = expecting()
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"a" * (MOST_HEADERS // 4) + b"\r\n\r\n"
    for _ in range(3):
        reader.feed(interim)
    assert not reader.ended
    reader.feed(interim)
    assert (reader.ended, reader.fault) == (True, "the headers of the answer are longer than 32 KiB")
    assert not reader.is_one


@pytest.mark.parametrize("data", [b"SSH-2.0\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\n"])
def test_what_is_no_answer_is_none(data: bytes) -> None:
    reader = expecting()
    reader.feed(data + b"\0\r\n\r\n")
    assert reader.ended
    assert reader.fault.startswith("the answer is no HTTP that can be read (")
    assert not reader.is_one


def expecting(*, bodiless: bool = False) -> Answers:
    reader = Answers()
    reader.expect(bodiless=bodiless)
    return reader


def read(reader: Answers) -> Answers:
    assert reader.is_one
    return reader
