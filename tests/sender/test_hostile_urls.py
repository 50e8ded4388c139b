"""The corpus of hostile URLs: whatever the URL, the name and the environment, nobody inside is connected to.

Two counts: connections at listeners on addresses of this machine, and every address that the process tried to connect
to, which tells of other machines' addresses too.
"""

import asyncio
import itertools
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from streamhooks.errors import ConfigError
from streamhooks.files import load_mapping
from streamhooks.handlers.handler import Route
from streamhooks.model import Dead, Failure, Reply
from streamhooks.sender import Sender
from tests.figures import Figures
from tests.sender.hostile import Act, Behaviour, Hostile, answering, hostile, judged, local_handler, request_to
from tests.sender.inside import OPENED, Answers, HostileUrl, Inside, Leading, connects, corpus, inside

CORPUS = corpus()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CLOSED = local_handler(route=Route(), timeout=5.0)
ONE_OPEN = local_handler(route=Route(allow_cidrs=(f"{OPENED}/32",)), timeout=5.0)


def report(figures: Figures, way: str, inside: Inside, attempts: list[str], requests: int) -> None:
    elsewhere = [address for address in attempts if address != OPENED]
    figures(
        f"{way}: {len(CORPUS)} hostile URLs, {requests} requests, {sum(inside.intrusions.values())} connections at "
        f"{len(inside.denied)} listeners inside, {len(elsewhere)} attempts at any address that is not open"
    )


def test_the_corpus_is_large_enough() -> None:
    assert len({case.url for case in CORPUS}) == len(CORPUS) >= 120
    assert len({case.trick for case in CORPUS}) >= 30


async def test_the_listeners_count_what_a_policy_lets_through() -> None:
    """Else no intrusion would mean nothing."""
    careless = local_handler(route=Route(allow_cidrs=("127.0.0.0/8", "::1/128")), timeout=0.2)
    inward = Leading("")
    async with inside(answering(OK)) as within, Sender(resolver=inward) as sender:
        for case in CORPUS:
            inward.to = case.reaches
            await sender.send(request_to(case.at(within.port)), careless)
        assert within.intrusions.keys() == within.denied.keys()
        assert sum(within.intrusions.values()) > 60


async def test_a_hostile_url_is_blocked(figures: Figures) -> None:
    inward = Leading("")
    async with inside(answering(OK)) as within, Sender(resolver=inward) as sender:
        with connects() as attempts:
            for case in CORPUS:
                inward.to = case.reaches
                answer = await sender.send(request_to(case.at(within.port)), CLOSED)
                outcome = judged(answer)
                assert isinstance(outcome, Dead), case
                assert outcome.reason == "destination_denied", case
        report(figures, "direct", within, attempts, len(CORPUS))
        assert within.intrusions == {}
        assert attempts == []


def redirecting(statuses: tuple[int, ...], locations: list[str]) -> Behaviour:
    """Answers each request with the next redirect."""
    answers = zip(itertools.cycle(statuses), locations, strict=False)

    def behaviour(server: Hostile) -> Act:
        async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.read_request(reader)
            status, where = next(answers)
            head = f"HTTP/1.1 {status} Go\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()

        return act

    return behaviour


async def test_a_redirect_to_a_hostile_url_is_not_followed(figures: Figures) -> None:
    async with inside(answering(OK)) as within:
        locations = [case.at(within.port) for case in CORPUS]
        endpoint = hostile(redirecting((301, 302, 303, 307, 308), locations), host=OPENED)
        async with endpoint as outside, Sender(resolver=Leading("127.0.0.1")) as sender:
            with connects() as attempts:
                for case in CORPUS:
                    answer = await sender.send(request_to(f"http://{OPENED}:{outside.port}/in"), ONE_OPEN)
                    assert isinstance(answer, Reply), case
                    assert answer.status in (301, 302, 303, 307, 308), case
            assert outside.connections == len(CORPUS)
        report(figures, "redirect", within, attempts, len(CORPUS))
        assert within.intrusions == {}
        assert set(attempts) == {OPENED}


def named(number: int, within: Inside) -> str:
    return f"http://name-{number}.example:{within.port}/in"


def tricks(case: HostileUrl) -> tuple[str, ...]:
    """What a resolver may say instead of an allowed address: where the URL leads, and the trick itself."""
    return tuple(dict.fromkeys((case.reaches, case.host or case.reaches)))


async def test_a_name_that_leads_elsewhere_at_the_second_look_is_blocked(figures: Figures) -> None:
    """First it is looked up by somebody who checks it, and delivered to; then its answer changes."""
    resolver = Answers()
    for number, case in enumerate(CORPUS):
        resolver.say(f"name-{number}.example", [OPENED], [OPENED], tricks(case))
    async with inside(answering(OK)) as within:
        with connects() as attempts:
            for number in range(len(CORPUS)):
                assert [answer["host"] for answer in await resolver.resolve(f"name-{number}.example")] == [OPENED]
            async with Sender(resolver=resolver) as sender:
                for number in range(len(CORPUS)):
                    assert isinstance(await sender.send(request_to(named(number, within)), ONE_OPEN), Reply)
            async with Sender(resolver=resolver) as later:  # whose memory of names is empty, as after ten seconds
                for number, case in enumerate(CORPUS):
                    answer = await later.send(request_to(named(number, within)), ONE_OPEN)
                    assert isinstance(answer, Failure), case
                    assert answer.kind == "blocked", case
        assert all(resolver.asked[f"name-{number}.example"] == 3 for number in range(len(CORPUS)))
        report(figures, "rebinding name", within, attempts, 2 * len(CORPUS))
        assert within.intrusions == {}
        assert attempts == [OPENED] * len(CORPUS)


async def test_of_mixed_answers_only_the_allowed_address_is_used(figures: Figures) -> None:
    resolver = Answers()
    for number, case in enumerate(CORPUS):
        answers = [*tricks(case), "127.0.0.2", "::1"]
        answers.insert(number % (len(answers) + 1), OPENED)
        resolver.say(f"name-{number}.example", answers)
    async with inside(answering(OK)) as within, Sender(resolver=resolver) as sender:
        with connects() as attempts:
            for number, case in enumerate(CORPUS):
                assert isinstance(await sender.send(request_to(named(number, within)), ONE_OPEN), Reply), case
        report(figures, "mixed answers", within, attempts, len(CORPUS))
        assert within.opened.connections == len(CORPUS)
        assert within.intrusions == {}
        assert attempts == [OPENED] * len(CORPUS)


async def test_proxies_of_the_environment_change_nothing(monkeypatch: pytest.MonkeyPatch, figures: Figures) -> None:
    inward = Leading("")
    async with inside(answering(OK)) as within, hostile(answering(OK), host=OPENED) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"):
            for spelled in (name, name.upper()):
                monkeypatch.setenv(spelled, f"http://{OPENED}:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with connects() as attempts:
            async with Sender(resolver=inward) as sender:
                for case in CORPUS:
                    inward.to = case.reaches
                    answer = await sender.send(request_to(case.at(within.port)), CLOSED)
                    assert isinstance(answer, Failure), case
                    assert answer.kind == "blocked", case
        report(figures, "proxy variables set", within, attempts, len(CORPUS))
        assert within.intrusions == {}
        assert proxy.connections == 0
        assert attempts == []


def test_a_configuration_names_no_hostile_url_but_by_a_name_that_must_be_looked_up(figures: Figures) -> None:
    handlers = [{"id": f"h{number}", "on": ["*"], "target_path": case.at(1)} for number, case in enumerate(CORPUS)]
    with pytest.raises(ConfigError) as caught:
        load_mapping({"handlers": handlers}, Path())
    refused = {int(fault.path[9:].partition("]")[0]) for fault in caught.value.faults}
    names = [str(urlsplit(case.url).hostname) for number, case in enumerate(CORPUS) if number not in refused]
    figures(f"configuration: {len(refused)} of {len(CORPUS)} hostile URLs refused, {len(names)} are names")
    assert all(name[-1].isalpha() for name in names)


IN_FULL = "must write an IP address in full, as four numbers from 0 to 255"


def closed(address: str, what: str, opens: str) -> str:
    return f"is {address}, which is not public ({what}); if that is meant, give this handler `allow_cidrs: [{opens}]`"


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("2130706433", IN_FULL),
        ("0x7f.1", IN_FULL),
        ("0177.0.0.1", IN_FULL),
        ("127.1", IN_FULL),
        ("[::1%25lo]", "must write an IP address in full, as an IPv6 address without a zone in brackets"),
        ("user:pw@127.0.0.1", "must not hold a user or password; send them by header_map: {Authorization: ...}"),
        (
            "169.254.169.254",
            closed("169.254.169.254", "link-local, where metadata services live", '"169.254.169.254/32"'),
        ),
        ("\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", closed("127.0.0.1", "loopback", '"127.0.0.1/32"')),
        ("[::ffff:10.0.0.1]", closed("10.0.0.1", "private", '"10.0.0.1/32"')),
        (
            "[64:ff9b::7f00:1]",
            closed("64:ff9b::7f00:1", "an IPv4 address behind NAT64", '"64:ff9b::7f00:1/128"'),
        ),
        ("LOCALHOST.", closed("localhost", "loopback", '"127.0.0.0/8", "::1/128"')),
    ],
)
def test_a_trick_is_told_when_the_configuration_is_read(host: str, said: str) -> None:
    handler = {"id": "h", "on": ["*"], "target_path": f"http://{host}/in"}
    with pytest.raises(ConfigError) as caught:
        load_mapping({"handlers": [handler]}, Path(), name="a.yaml")
    assert [str(fault) for fault in caught.value.faults] == [f"a.yaml: handlers[0].target_path: {said}"]
