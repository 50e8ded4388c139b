"""`render` and `fire`: the request as it is, printed or sent once."""

import json
import socket
from pathlib import Path

import pytest
from msgspec import Struct

from streamhooks import __version__
from streamhooks.delivery.fingerprint import fingerprint
from streamhooks.event_types import example
from tests.doors.command import command
from tests.servers import Answer, Endpoint

CONFIG = """
handlers:
  - id: security
    on: [AuthFailure, "Key*"]
    target_path: {url}/hooks?a=1
    template_path: t.json
    allow_cidrs: [127.0.0.1/32]
    header_map: {{X-Team: security, X-Door: "env://STREAMHOOKS_TEST_DOOR", Authorization: Bearer literal}}
  - id: plain
    on: [AuthFailure]
    method: DELETE
    target_path: {url}/gone
    template_path: t.json
    allow_cidrs: [127.0.0.1/32]
  - id: conditional
    on: [AuthFailure]
    target_path: {url}/if
    template_path: t.json
    allow_cidrs: [127.0.0.1/32]
    when: '{{{{ eq (index .Meta.list 0) "yes" }}}}'
"""
TEMPLATE = '{"event": "{{ .Type }}", "message": "{{ .Meta.Message }}"}'


def configured(folder: Path, url: str = "http://hooks.example.com:8080") -> str:
    (folder / "t.json").write_text(TEMPLATE)
    file = folder / "streamhooks.yaml"
    file.write_text(CONFIG.format(url=url))
    return str(file)


@pytest.fixture(autouse=True)
def door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMHOOKS_TEST_DOOR", "open sesame")


async def test_the_request_is_printed_with_its_fingerprint_and_without_its_secrets(tmp_path: Path) -> None:
    ran = await command("render", "--handler", "security", "--config", configured(tmp_path))
    body = '{"event": "AuthFailure", "message": "Auth Failure"}'
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "POST /hooks?a=1 HTTP/1.1",
        "Host: hooks.example.com:8080",
        "Accept-Encoding: identity",
        "X-Team: security",
        "X-Door: ***",
        "Authorization: ***",
        "Content-Type: application/json",
        f"User-Agent: streamhooks/{__version__}",
        "webhook-id: evt_1795428000000-0_0_5d2d3ceb",
        f"Content-Length: {len(body)}",
        "",
        body,
        "",
        f"fingerprint: {fingerprint('POST', 'http://hooks.example.com:8080/hooks?a=1', body.encode())}",
    ]


async def test_secrets_are_shown_on_demand(tmp_path: Path) -> None:
    words = ["render", "--handler", "security", "--config", configured(tmp_path)]
    hidden, revealed = await command(*words, "--json"), await command(*words, "--json", "--reveal")
    assert ["X-Door", "***"] in hidden.json["headers"]
    assert ["X-Door", "open sesame"] in revealed.json["headers"]
    assert ["Authorization", "Bearer literal"] in revealed.json["headers"]


async def test_a_bodyless_method_is_printed_without_a_body(tmp_path: Path) -> None:
    ran = await command("render", "--handler", "plain", "--json", "--config", configured(tmp_path))
    assert (ran.json["method"], ran.json["url"], ran.json["body"]) == (
        "DELETE",
        "http://hooks.example.com:8080/gone",
        "",
    )
    headers = dict(ran.json["headers"])
    assert headers["Content-Length"] == "0"
    assert "Content-Type" not in headers


async def test_an_event_of_a_type_or_a_file_is_rendered(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"Type": "Custom", "Meta": {"Message": 'say "hi"'}}))
    words = ["render", "--handler", "security", "--json", "--config", configured(tmp_path)]
    by_type, by_file = await command(*words, "--event", "KeyExpired"), await command(*words, "--event", str(event))
    assert json.loads(by_type.json["body"])["event"] == "KeyExpired"
    assert json.loads(by_file.json["body"]) == {"event": "Custom", "message": 'say "hi"'}


class Case(Struct, frozen=True):
    words: list[str]
    said: str


WRONG = {
    "no such handler": Case(
        ["--handler", "x"], '--handler: "x" is no handler of the configuration; it has security, plain, conditional'
    ),
    "no such file": Case(
        ["--handler", "plain", "--event", "gone.json"], "--event: gone.json is no file that can be read"
    ),
    "no event": Case(
        ["--handler", "plain", "--event", __file__],
        f"--event: {__file__}: is no map: write a JSON object that begins with {{ or a MessagePack map",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ["render", "fire"])
@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
async def test_wrong_usage_is_told(case: Case, name: str, tmp_path: Path) -> None:
    ran = await command(name, *case.words, "--config", configured(tmp_path))
    assert (ran.code, ran.out, ran.err) == (2, "", f"command line: {case.said}\n1 fault\n")


async def test_a_request_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    file = configured(tmp_path)
    (tmp_path / "t.json").write_text('{"a": {{ fail "no way" }} }')
    ran = await command("render", "--handler", "plain", "--config", file)
    assert ran.code == 1
    assert "no way" in ran.err


@pytest.mark.parametrize("name", ["render", "fire"])
@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"Type": "AuthFailure", "Meta": {"list": ["yes"]}}, ""),
        (
            {"Type": "AuthFailure", "Meta": {"list": ["no"]}},
            "the condition (when) of conditional does not hold for this event: tried all the same\n",
        ),
        (
            {"Type": "Quota\x1b", "Meta": {"list": ["yes"]}},
            "no Quota event of this API and organisation fires conditional: tried all the same\n",
        ),
    ],
    ids=["fires", "condition", "type"],
)
async def test_what_a_worker_would_not_fire_is_tried_and_told(
    event: dict[str, object], said: str, name: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event).replace("\\u001b", ""))
    words = ["--handler", "conditional", "--event", str(file), "--config", configured(tmp_path, endpoint.url)]
    ran = await command(name, *words)
    assert (ran.code, ran.err) == (0, said)
    assert len(endpoint.received) == (name == "fire")


@pytest.mark.parametrize("name", ["render", "fire"])
async def test_a_condition_that_fails_makes_no_request(name: str, endpoint: Endpoint, tmp_path: Path) -> None:
    """As with a worker, which makes a dead letter of it."""
    ran = await command(name, "--handler", "conditional", "--config", configured(tmp_path, endpoint.url))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith('template: when:1:7: executing "when" at <index .Meta.list 0>: error calling index: ')
    assert not endpoint.received


# fire


async def test_what_is_fired_is_what_was_rendered(endpoint: Endpoint, tmp_path: Path) -> None:
    file = configured(tmp_path, endpoint.url)
    for handler in ("security", "plain"):
        rendered = await command("render", "--handler", handler, "--reveal", "--json", "--config", file)
        ran = await command("fire", "--handler", handler, "--config", file)
        sent = endpoint.received[-1]
        shown = {name.lower(): value for name, value in rendered.json["headers"]}
        assert ran.code == 0
        assert ran.out.startswith("200 after ")
        assert (sent.method, sent.body.decode()) == (rendered.json["method"], rendered.json["body"])
        assert endpoint.url + sent.path == rendered.json["url"]
        # Every firing is an event of its own to its receiver.
        assert sent.headers["webhook-id"] != shown["webhook-id"]
        assert {**sent.headers, "webhook-id": ""} == {**shown, "webhook-id": ""}


async def test_an_answer_that_is_no_2xx_is_not_achieved(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.script(Answer(status=503, body=b"later \x1b[2J", headers={"Retry-After": "7"}))
    words = ["fire", "--handler", "security", "--config", configured(tmp_path, endpoint.url)]
    plain, told = await command(*words), await command(*words, "--json")
    assert (plain.code, told.code) == (1, 1)
    assert plain.err == "status 503 is no 2xx: a worker would not count it as delivered\n"
    assert plain.out.endswith("\n\nlater \\x1b[2J\n")
    assert (told.json["status"], told.json["body"], told.json["headers"]["retry-after"]) == (503, "later \x1b[2J", "7")


async def test_no_answer_is_not_achieved(tmp_path: Path) -> None:
    words = ["fire", "--handler", "security", "--config", configured(tmp_path, "http://127.0.0.1:1")]
    plain, told = await command(*words), await command(*words, "--json")
    assert (plain.code, plain.out, told.code) == (1, "", 1)
    assert " s (connect): " in plain.err
    assert told.json["failure"] == "connect"


async def test_a_destination_that_is_closed_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 8080))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: private)
    ran = await command("fire", "--handler", "plain", "--config", configured(tmp_path))
    assert (ran.code, ran.out) == (1, "")
    assert " s (blocked): 10.0.0.1 is not allowed: " in ran.err
    assert ran.err.endswith("; if that is meant, allow_cidrs of the handler opens it\n")


async def test_credentials_that_the_answer_repeats_are_masked_unless_somebody_wants_to_see_them(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"Type": "KeyExpired", "Meta": {"Message": "old", "Key": "5d8e1c0fa2b7"}}))
    echo = b"key 5d8e1c0fa2b7, door open sesame, authorization Bearer literal, token literal"
    endpoint.script(Answer(body=echo, headers={"X-Echo": "open sesame"}))
    words = ["fire", "--handler", "security", "--event", str(event), "--config", configured(tmp_path, endpoint.url)]
    plain, told, revealed = [await command(*words, *more) for more in ([], ["--json"], ["--reveal"])]
    hidden = "key ***, door ***, authorization ***, token ***"
    assert plain.out.endswith(f"\n\n{hidden}\n")
    assert (told.json["body"], told.json["headers"]["X-Echo".lower()]) == (hidden, "***")
    assert revealed.out.endswith(f"\n\n{echo.decode()}\n")
    for secret in ("5d8e", "sesame", "literal"):
        assert secret not in plain.out + plain.err + told.out + told.err


KEYED = '{"key": "{{ .Meta.Key }}"}'


async def test_the_key_of_an_event_of_ones_own_is_masked_unless_revealed(tmp_path: Path) -> None:
    file = configured(tmp_path)
    (tmp_path / "t.json").write_text(KEYED)
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"type": "AuthFailure", "meta": {"Key": "5d8e1c0fa2b7"}}))
    words = ["render", "--handler", "security", "--config", file, "--event", str(event)]
    hidden, revealed = await command(*words), await command(*words, "--reveal")
    assert '\n{"key": "5d8e***"}\n' in hidden.out
    assert '\n{"key": "5d8e1c0fa2b7"}\n' in revealed.out
    print_of = revealed.out.splitlines()[-1]
    assert hidden.out.splitlines()[-1] == print_of
    assert "Content-Length: 23" in hidden.out


async def test_an_example_is_nobodys_and_shown_as_it_is(tmp_path: Path) -> None:
    file = configured(tmp_path)
    (tmp_path / "t.json").write_text(KEYED)
    ran = await command("render", "--handler", "security", "--config", file, "--json")
    assert json.loads(ran.json["body"])["key"] == example("AuthFailure").meta["Key"]


async def test_a_reply_that_repeats_secrets_is_shown_without_them(endpoint: Endpoint, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"type": "AuthFailure", "meta": {"Key": "5d8e1c0fa2b7"}}))
    endpoint.script(Answer(401, b"no open sesame, no literal, no 5d8e1c0fa2b7", {"X-Got": "open sesame"}))
    words = ["fire", "--handler", "security", "--config", configured(tmp_path, endpoint.url), "--event", str(event)]
    hidden, revealed = await command(*words, "--json"), await command(*words, "--json", "--reveal")
    assert (hidden.json["body"], hidden.json["headers"]["x-got"]) == ("no ***, no ***, no ***", "***")
    assert revealed.json["body"] == "no open sesame, no literal, no 5d8e1c0fa2b7"
