"""`check` says of Tyk's files what will fire, what Tyk gets wrong with them, and what differs here."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamhooks.cli.check_tyk import notes
from streamhooks.delivery.request import RequestMaker
from streamhooks.event_types import NAMES, example
from tests.doors.command import command
from tests.tyk.conftest import DEFINITIONS
from tests.tyk.loading import TARGET, api, classic, conf, loaded, oas

META = {"method": "POST", "target_path": TARGET, "event_timeout": 10}
AT = "event_handlers.events"
BREAKS = "a backslash or line break in a value breaks the JSON that Tyk makes with it; "


def told(folder: Path, compat: str = "tyk", *, shared: bool = False) -> list[tuple[str, str]]:
    """JSON path and message of each note but the one that nearly every template gets.

    With compat, so that only Tyk's own defects are told.
    """
    found = notes(loaded(folder, {"compat": compat}).tyk, shared=shared)
    return [(note.path, note.message) for note in found if not note.message.startswith(BREAKS)]


def broken(folder: Path, compat: str) -> list[tuple[str, str]]:
    """That one."""
    found = notes(loaded(folder, {"compat": compat}).tyk)
    return [(note.path, note.message) for note in found if note.message.startswith(BREAKS)]


def template(folder: Path, text: str, event: str = "AuthFailure", name: str = "t.json", **meta: Any) -> None:
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / name).write_text(text)
    api(folder, classic({**META, "template_path": f"templates/{name}", **meta}, event))


def test_nothing_is_said_of_a_webhook_that_tyk_gets_right(tmp_path: Path) -> None:
    template(tmp_path, '{"event": "AuthFailure"}')
    assert told(tmp_path) == []


TEMPLATES = [
    (
        '{"at": "{{as_rfc3339 .TimeStamp}}"}',
        "AuthFailure",
        (
            "Tyk cannot parse it and sends its default template without a word "
            '(template: t.json:1: function "as_rfc3339" not defined); here it is sent'
        ),
    ),
    (
        '{"reason": "{{.Meta.Reason}}"}',
        "AuthFailure",
        "AuthFailure has no member Reason: Tyk drops the event when the template asks for it; here the member is empty",
    ),
    (
        '{"type": "{{.EventType}}"}',
        "AuthFailure",
        (
            "AuthFailure has no member EventType: Tyk drops the event when the template asks for it; "
            "here the member is empty"
        ),
    ),
    (
        '{"id": "{{.ID}}"}',
        "OAuth2ScopeCheckFailed",
        (
            "OAuth2ScopeCheckFailed has no member ID: Tyk drops the event when the template asks for it; "
            "here the member is empty"
        ),
    ),
    ('{"type": "{{.Type}}",}', "AuthFailure", "Tyk's rendering of AuthFailure is no JSON"),
]


@pytest.mark.parametrize(("text", "event", "said"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_what_tyk_gets_wrong_with_a_template(text: str, event: str, said: str, tmp_path: Path) -> None:
    template(tmp_path, text, event)
    assert told(tmp_path) == [(f"{AT}.{event}[0].handler_meta.template_path", said)]


@pytest.mark.parametrize(
    ("compat", "here"), [("tyk", "with compat: tyk here as well"), ("", "here values are escaped as JSON")]
)
def test_a_template_whose_json_a_value_can_break_is_told_of_once(compat: str, here: str, tmp_path: Path) -> None:
    template(tmp_path, '{"path": "{{.Meta.Path}}"}')
    api(tmp_path, classic({**META, "template_path": "templates/t.json"}, api_id="b"), "b.json")
    assert broken(tmp_path, compat) == [(f"{AT}.AuthFailure[0].handler_meta.template_path", BREAKS + here)]


@pytest.mark.parametrize("text", ['{"a": 1}', '{"path": "{{.Meta.Path}}",}', "{{.Meta.Path}}"])
def test_of_a_template_whose_json_no_value_breaks_or_that_is_broken_anyway_it_is_not_told(
    text: str, tmp_path: Path
) -> None:
    template(tmp_path, text)
    assert broken(tmp_path, "tyk") == []


def test_the_default_template_breaks_as_any_other(tmp_path: Path) -> None:
    api(tmp_path, classic(META))
    assert len(broken(tmp_path, "tyk")) == 1


@pytest.mark.parametrize("named", ["", "templates/default_webhook.json"])
def test_a_default_template_of_the_gateways_own_is_tried_as_tyk_runs_it(named: str, tmp_path: Path) -> None:
    """Tyk gives it functions that no other template has; and what it lacks is known by trying."""
    text = '{"at": "{{as_rfc3339_from_string .TimeStamp}}", "path": "{{.Meta.Path}}"}'
    template(tmp_path, text, name="default_webhook.json")
    api(tmp_path, classic({**META, "template_path": named}))
    api(tmp_path, classic({**META, "template_path": named}, "OurOwn"), "b.json")
    at = f"{AT}.OurOwn[0].handler_meta"
    drops = "OurOwn has no member Path: Tyk drops the event when the template asks for it; here the member is empty"
    assert told(tmp_path, shared=True)[1:] == [(f"{at}.template_path", drops)]


def test_a_member_in_a_branch_that_the_event_does_not_take_is_no_trouble(tmp_path: Path) -> None:
    template(tmp_path, '{"x": {{if eq .Type "VersionFailure"}}"{{.Meta.Reason}}"{{else}}1{{end}}}')
    assert told(tmp_path) == []


def test_of_a_template_that_html_escaping_would_change_beyond_our_knowledge_nothing_is_said(tmp_path: Path) -> None:
    template(tmp_path, "<script>var a = {{.Type}};</script>", name="t.xml")
    assert [path for path, _ in told(tmp_path, "")] == [f"{AT}.AuthFailure[0].handler_meta.template_path", "tyk"]


def test_members_of_a_map_that_are_not_there_are_empty_in_tyk_as_well(tmp_path: Path) -> None:
    template(tmp_path, "{{.Meta.whatever}}", "OAuth2ExchangeFailed", "t.txt")
    assert told(tmp_path) == []


DEFAULTS = [
    (
        "UpstreamOAuthError",
        "Tyk's default template makes broken JSON of UpstreamOAuthError (a trailing comma); ours does not",
    ),
    ("VersionFailure", "Tyk's default template leaves Reason of VersionFailure out; ours does not"),
]


@pytest.mark.parametrize(("event", "said"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_what_tyks_default_template_gets_wrong(event: str, said: str, tmp_path: Path) -> None:
    api(tmp_path, classic(META, event))
    assert told(tmp_path) == [(f"{AT}.{event}[0].handler_meta.template_path", said)]


LISTS = ("OAuth2ScopeCheckFailed", "OAuth2ExchangeSucceeded", "OAuth2ExchangeFailed")
"""Events with lists, which our default template leaves to JSON's escaping."""


@pytest.mark.parametrize("event", [name for name in NAMES if name not in LISTS])
def test_our_default_template_makes_json_with_compat_too(event: str, tmp_path: Path) -> None:
    api(tmp_path, classic(META, event))
    (handler,) = loaded(tmp_path, {"compat": "tyk"}).handlers
    assert json.loads(RequestMaker(handler).make(example(event)).body)["event"] == event


@pytest.mark.parametrize("event", LISTS)
def test_where_our_default_template_makes_no_json_with_compat_is_told(event: str, tmp_path: Path) -> None:
    api(tmp_path, classic(META, event))
    assert told(tmp_path) == [
        (f"{AT}.{event}[0].handler_meta.template_path", said)
        for said in (
            f"Tyk's default template leaves every value of {event} empty; ours does not",
            (
                f"our default template makes no JSON of {event} when it is escaped for HTML; "
                "leave compat: tyk out here, or say escape: json"
            ),
        )
    ]
    assert len(told(tmp_path, "")) == 2  # the one on Tyk's template, and that our rules apply


NO_COOL_DOWN = [
    (classic({**META, "event_timeout": 0}), f"{AT}.AuthFailure[0].handler_meta.event_timeout", "is 0"),
    (
        classic({"method": "POST", "target_path": TARGET}),
        f"{AT}.AuthFailure[0].handler_meta.event_timeout",
        "is not given, which counts as 0",
    ),
    (oas({"cooldownPeriod": "ten"}), "x-tyk-api-gateway.server.eventHandlers[0].cooldownPeriod", "is 0"),
]


@pytest.mark.parametrize(("definition", "path", "counts"), NO_COOL_DOWN, ids=["zero", "absent", "oas"])
def test_a_cool_down_of_0_fires_once_ever_in_tyk(
    definition: dict[str, Any], path: str, counts: str, tmp_path: Path
) -> None:
    api(tmp_path, definition)
    said = f"{counts}: Tyk then marks a request for ever and sends it once, ever; here there is no cool-down"
    assert told(tmp_path) == [(path, said)]


@pytest.mark.parametrize("event", ["TokenCreated", "OurOwnEvent"])
def test_a_system_event_never_fires_on_an_api(event: str, tmp_path: Path) -> None:
    template(tmp_path, "{}", event)
    said = (
        f"never fires in Tyk: {event} reaches the handlers of tyk.conf only; "
        "here it fires for events with api_id orders"
    )
    assert told(tmp_path) == [(f"{AT}.{event}[0].handler_meta", said)]


def test_an_exceeded_trigger_reaches_the_monitor_only(tmp_path: Path) -> None:
    template(tmp_path, "{}", "TriggerExceeded")
    said = (
        "never fires in Tyk: TriggerExceeded reaches the monitor of tyk.conf only; "
        "here it fires for events with api_id orders"
    )
    assert told(tmp_path) == [(f"{AT}.TriggerExceeded[0].handler_meta", said)]


def test_an_event_of_an_api_never_fires_from_tyk_conf(tmp_path: Path) -> None:
    conf(tmp_path, classic(META, api_id=None) | {"listen_port": 8080})
    said = (
        "never fires in Tyk: AuthFailure belongs to an API, and tyk.conf sees system events only; "
        "here it fires for events without api_id"
    )
    assert told(tmp_path) == [(f"{AT}.AuthFailure[0].handler_meta", said)]


def test_what_differs_under_our_rules_is_told_where_it_does(tmp_path: Path) -> None:
    template(tmp_path, "gone", name="t.txt", method="DELETE")
    at = f"{AT}.AuthFailure[0].handler_meta"
    assert told(tmp_path, "")[:2] == [
        (f"{at}.method", "Tyk sends a body with DELETE, here there is none; compat: tyk sends it"),
        (f"{at}.template_path", "Tyk sends an empty Content-Type, here it is text/plain; charset=utf-8"),
    ]
    (place, said) = told(tmp_path, "")[2]
    assert (place, said.partition(":")[0]) == ("tyk", "1 handler of 1 run by our rules")


def test_a_method_that_is_not_given_is_get_in_tyk(tmp_path: Path) -> None:
    template(tmp_path, "{}", method="")
    assert told(tmp_path, "")[0] == (
        f"{AT}.AuthFailure[0].handler_meta.method", "is not given: Tyk sends GET, here it is POST"
    )  # fmt: skip


def test_a_template_that_asks_for_the_originating_request_is_told_that_it_is_empty_here(tmp_path: Path) -> None:
    template(tmp_path, "{{.Meta.OriginatingRequest}}", name="t.txt")
    said = (
        "asks for OriginatingRequest, the caller's whole request with its credentials: Tyk sends it, here it is empty "
        "unless the webhook says expose_originating_request: true"
    )
    assert told(tmp_path) == [(f"{AT}.AuthFailure[0].handler_meta.template_path", said)]
    template(tmp_path, "{{.Meta.OriginatingRequest}}", name="t.txt", expose_originating_request=True)
    assert told(tmp_path) == []


PRINTED = "Tyk prints times and durations as Go does, here they stand as in JSON"
METHODS = "Tyk has times and durations with Go's methods, here they are a text and a number"
TIMES = [
    ("{{.Meta.ExpiresAt}}", "CertificateExpiringSoon", PRINTED),
    ("{{.Meta.HostInfo.Timeout}}", "HostDown", PRINTED),
    ('{{.Meta.ExpiresAt.Format "2006"}}', "CertificateExpiringSoon", METHODS),
]


@pytest.mark.parametrize(("text", "event", "said"), TIMES, ids=[row[0] for row in TIMES])
def test_times_and_durations_differ_under_our_rules(text: str, event: str, said: str, tmp_path: Path) -> None:
    template(tmp_path, text, event, "t.txt")
    assert told(tmp_path) == []
    said += "; with compat: tyk they are as in Tyk"
    assert told(tmp_path, "")[0] == (f"{AT}.{event}[0].handler_meta.template_path", said)


def test_the_way_out_that_tyk_conf_says_is_told_with_how_many_webhooks_take_it(tmp_path: Path) -> None:
    for name in ("c.pem", "a.pem"):
        (tmp_path / name).write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    proxy = {"enabled": True, "http_proxy": "http://p:1", "bypass_proxy": "other.example.com"}
    mtls = {"enabled": True, "cert_file": "c.pem", "ca_file": "a.pem", "insecure_skip_verify": True}
    conf(tmp_path, {"external_services": {"webhooks": {"proxy": proxy, "mtls": mtls}}})
    template(tmp_path, "{}")
    api(tmp_path, classic({**META, "target_path": "https://other.example.com/"}, api_id="b"), "b.json")
    at = "external_services.webhooks"
    assert told(tmp_path) == [
        (f"{at}.mtls.ca_file", "2 webhooks go with the target's certificate checked by this authority, here as in Tyk"),
        (f"{at}.mtls.cert_file", "2 webhooks go with this client certificate, here as in Tyk"),
        (f"{at}.mtls.insecure_skip_verify", "2 webhooks go whatever certificate the target shows, here as in Tyk"),
        (
            f"{at}.proxy.http_proxy",
            ("1 webhook goes through this proxy, here as in Tyk; what may be reached behind it is the proxy's to say"),
        ),
    ]


UNSHARED = [
    ("", '{"a": 1}', "its body is not escaped as Tyk's is; with compat: tyk it is"),
    ("tyk", "", "our default template is not Tyk's; name a template, or put Tyk's own where it is looked for"),
    ("tyk", "{{upper .Type}}", "Tyk cannot parse the template and sends its default one"),
    (
        "tyk",
        "{{.Meta.OriginatingRequest}}",
        "OriginatingRequest is empty here; expose_originating_request: true sends it",
    ),
]


@pytest.mark.parametrize(("compat", "text", "why"), UNSHARED, ids=[row[2] for row in UNSHARED])
def test_a_webhook_that_can_share_no_cool_down_is_told_of_where_sharing_is_asked_for(
    compat: str, text: str, why: str, tmp_path: Path
) -> None:
    if text:
        template(tmp_path, text)
    else:
        api(tmp_path, classic(META))
    at, said = f"{AT}.AuthFailure[0].handler_meta", f"shares no cool-down with Tyk, so that both send: {why}"
    assert (at, said) in told(tmp_path, compat, shared=True)
    assert (at, said) not in told(tmp_path, compat)


def test_webhooks_that_share_a_cool_down_or_have_none_are_not_told_of(tmp_path: Path) -> None:
    template(tmp_path, '{"a": 1}')
    api(tmp_path, classic(META, "CertificateExpired", api_id="b"), "b.json")
    api(tmp_path, classic({**META, "event_timeout": 0}, api_id="c"), "c.json")
    assert not [said for _, said in told(tmp_path, shared=True) if said.startswith("shares")]


async def test_the_command_tells_what_shares_no_cool_down(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("{tyk: {apis: apps/*.json}, cool: {share_with_tyk: true}}")
    api(tmp_path, classic(META))
    ran = await command("check", "--config", str(tmp_path / "c.yaml"))
    assert "handler_meta: shares no cool-down with Tyk, so that both send: its body is not escaped" in ran.err


async def test_the_command_lists_what_fires_for_which_api_and_every_note(tmp_path: Path) -> None:
    config = tmp_path / "streamhooks.yaml"
    config.write_text(
        f"tyk: {{config: {DEFINITIONS}/tyk.conf, apis: '{DEFINITIONS}/apps/*.json'}}\n"
        "defaults: {allow_cidrs: [127.0.0.0/8]}\n"
    )
    ran = await command("check", "--config", str(config))
    assert ran.code == 0
    rows = [line.split() for line in ran.out.splitlines()]
    assert rows[0][-1] == "API"
    assert ["KeyExpired", "POST", "http://127.0.0.1:9", "10", "s", "orders"] in [row[1:] for row in rows]
    assert ["TokenCreated", "POST", "http://127.0.0.1:9", "10", "s", "(none)"] in [row[1:] for row in rows]
    at = f"{DEFINITIONS}/apps/13-odd.json: event_handlers.events.AuthFailure[0].handler_meta"
    assert f"tyk: {at}.event_timeout: is 0: Tyk then marks a request for ever" in ran.err
    as_json = (await command("check", "--json", "--config", str(config))).json
    assert len(as_json["handlers"]) == 30
    assert {"file", "path", "message"} == set(as_json["tyk"][0])
    assert next(h for h in as_json["handlers"] if h["on"] == ["HostUp"])["apis"] == ["second"]


async def test_a_handler_of_tyks_files_is_rendered_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("tyk: {apis: apps/*.json, compat: tyk}")
    api(tmp_path, classic({**META, "name": "team"}))
    (handler,) = loaded(tmp_path).handlers
    ran = await command("render", "--handler", handler.id, "--config", str(tmp_path / "c.yaml"))
    assert "User-Agent: Tyk-Hookshot\n" in ran.out
