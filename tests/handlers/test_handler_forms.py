"""Handlers as people write them, in our form and in the seed's, and what is made of them."""

import hashlib
from pathlib import Path
from typing import Any, get_args

import pytest

from streamhooks.files import SHIPPED, Loaded, load_mapping
from streamhooks.handlers import Handler
from streamhooks.handlers.build import CONTENT_TYPES
from streamhooks.handlers.handler import BodySignature, BreakerPolicy, Escape, Route, Schedule
from streamhooks.secret import Secret
from streamhooks.template import Template
from streamhooks.template.escape import MODES

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TARGET = "https://hooks.example.com/T1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "body.json": '{"event": "{{.Type}}"}',
        "body.txt": "{{.Type}}",
        "templates/other.xml": "<event/>",
        "shipped/default_webhook.json": '{"shipped": true}',
        "shipped/slack.json": '{"text": ""}',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def load(data: dict[str, Any], folder: Path, environ: dict[str, str] | None = None) -> Loaded:
    return load_mapping(data, folder, environ, name="a.yaml", shipped=folder / "shipped")


def own(folder: Path, environ: dict[str, str] | None = None, **keys: Any) -> Handler:
    handler = {"id": "x", "on": ["AuthFailure"], "target_path": TARGET, **keys}
    return load({"handlers": [handler]}, folder, environ).handlers[0]


def seed(folder: Path, event: str = "AuthFailure", **meta: Any) -> Loaded:
    entry = {"handler_name": "eh_web_hook_handler", "handler_meta": {"target_path": TARGET, **meta}}
    return load({"event_handlers": {"events": {event: [entry]}}}, folder)


def test_a_handler_of_our_form_with_every_key(folder: Path) -> None:
    handler = own(
        folder,
        {"SLACK": "Bearer abc"},
        on=["AuthFailure", "Breaker*"],
        apis=["payments"],
        orgs=["o1", "o2"],
        method="put",
        target_path="https://Hooks.example.com:8443/services/ä",
        template_path="body.json",
        header_map={"X-Team": "security", "Authorization": "env://SLACK"},
        event_timeout="1m",
        sign={"secrets": [SECRET]},
        timeout="5s",
        concurrency=4,
        allow_cidrs=["10.0.0.0/8"],
        proxy="http://proxy:3128",
    )
    assert handler.id == "x"
    assert handler.on == ("AuthFailure", "Breaker*")
    assert (sorted(handler.apis), sorted(handler.orgs)) == (["payments"], ["o1", "o2"])
    assert handler.method == "PUT"
    assert handler.target == "https://Hooks.example.com:8443/services/ä"
    assert handler.origin == "https://hooks.example.com:8443"
    assert handler.path == "/services/%C3%A4"
    assert handler.headers == (("X-Team", "security"), ("Authorization", Secret("Bearer abc")))
    assert handler.event_timeout == 60.0
    assert (handler.escape, handler.content_type, handler.compat) == ("json", "application/json", "")
    assert handler.secrets == (Secret(SECRET),)
    assert (handler.timeout, handler.concurrency) == (5.0, 4)
    assert handler.route == Route(allow_cidrs=("10.0.0.0/8",), proxy=Secret("http://proxy:3128"))
    assert handler.when is None
    assert handler.place == "a.yaml: handlers[0]"


def test_a_handler_of_our_form_with_the_fewest_keys(folder: Path) -> None:
    handler = own(folder)
    assert (handler.method, handler.event_timeout, handler.timeout, handler.concurrency) == ("POST", 0.0, 15.0, 32)
    assert (handler.retry, handler.breaker, handler.route) == (Schedule(), BreakerPolicy(), Route())
    assert handler.secrets == ()


def test_path_header_and_when_may_be_templates(folder: Path) -> None:
    handler = own(
        folder,
        target_path="https://a.example.com/{{.APIID}}",
        header_map={"X-Attempt": "{{.Attempt}}", "X-Plain": "{}"},
        when='{{ eq .APIID "payments" }}',
    )
    assert isinstance(handler.path, Template)
    assert [(name, isinstance(value, Template)) for name, value in handler.headers] == [
        ("X-Attempt", True),
        ("X-Plain", False),
    ]
    assert isinstance(handler.when, Template)


def test_what_was_referred_to_is_a_secret_and_never_a_template(folder: Path) -> None:
    headers = {"X-Team": "env://TEAM", "X-Odd": "env://ODD"}
    handler = own(folder, {"TEAM": "security", "ODD": "{{ .hunter2"}, header_map=headers)
    assert handler.headers == (("X-Team", Secret("security")), ("X-Odd", Secret("{{ .hunter2")))


def test_a_header_is_a_secret_by_its_name_and_a_template_by_its_text(folder: Path) -> None:
    handler = own(folder, header_map={"X-Api-Key": "abc", "X-Team": "abc", "Authorization": "Bearer {{ .APIID }}"})
    assert handler.headers[:2] == (("X-Api-Key", Secret("abc")), ("X-Team", "abc"))
    assert isinstance(handler.headers[2][1], Template)


def test_a_body_is_signed_for_receivers_of_githubs_kind(folder: Path) -> None:
    hmac: dict[str, Any] = {"secrets": ["env://HOOK"]}
    signature = own(folder, {"HOOK": "0123456789abcdef\n"}, sign={"hmac": hmac}).body_signature
    assert signature == BodySignature("X-Hub-Signature-256", Secret("0123456789abcdef"), "sha256=")
    hmac |= {"header": "X-Sig", "prefix": "", "secrets": ["0123456789abcdef"]}
    signature = own(folder, sign={"hmac": hmac}).body_signature
    assert signature == BodySignature("X-Sig", Secret("0123456789abcdef"), "")


def test_no_handler_and_no_configuration_shows_a_secret_when_it_is_printed(folder: Path) -> None:
    data = {
        "redis": {"url": "redis://:hunter2@r", "password": "hunter2"},
        "admin": {"token": "hunter2"},
        "ingest": {"token": "hunter2"},
        "defaults": {"proxy": "http://u:hunter2@p:1"},
        "handlers": [
            {
                "id": "x", "on": ["*"], "target_path": TARGET, "header_map": {"X-A": "env://A", "Cookies": "hunter2"},
                "sign": {"secrets": [SECRET], "hmac": {"secrets": ["hunter2-hunter2-hunter2"]}},
            }
        ],
    }  # fmt: skip
    loaded = load(data, folder, {"A": "hunter2"})
    handler = loaded.handlers[0]
    printed = f"{loaded!r} {loaded.settings} {handler} {handler.headers} {handler.route} {handler.body_signature!r}"
    assert "hunter2" not in printed
    assert SECRET not in printed + str(handler.secrets)
    assert printed.count("***") > 8


def test_defaults_fill_what_a_handler_does_not_say(folder: Path) -> None:
    data = {
        "defaults": {"timeout": 3, "retry": {"jitter": 0.5, "delays": [1, 2]}, "allow_cidrs": ["10.0.0.0/8"]},
        "handlers": [
            {"id": "a", "on": ["*"], "target_path": TARGET},
            {
                "id": "b",
                "on": ["*"],
                "target_path": TARGET,
                "timeout": 4,
                "retry": {"max_age": "1h"},
                "allow_cidrs": [],
            },
        ],
    }
    first, second = load(data, folder).handlers
    assert (first.timeout, second.timeout) == (3.0, 4.0)
    assert first.retry == Schedule(delays=(1, 2), jitter=0.5)
    assert second.retry == Schedule(delays=(1, 2), jitter=0.5, max_age=3600)
    assert (first.route.allow_cidrs, second.route.allow_cidrs) == (("10.0.0.0/8",), ())


def test_a_series_gives_its_delays_and_replaces_those_of_the_defaults(folder: Path) -> None:
    retry = {"first": "5s", "factor": 2, "cap": "30s", "attempts": 6}
    assert own(folder, retry=retry).retry.delays == (5, 10, 20, 30, 30)
    assert own(folder, retry={"attempts": 1}).retry.delays == ()
    data = {"defaults": {"retry": retry}, "handlers": [{"on": ["*"], "target_path": TARGET, "retry": {"delays": [7]}}]}
    assert load(data, folder).handlers[0].retry.delays == (7,)


@pytest.mark.parametrize(
    ("template_path", "expected"),
    [
        ("body.json", "body.json"),
        ("./body.json", "body.json"),
        ("other.xml", "templates/other.xml"),
        ("templates/slack.json", "shipped/slack.json"),
        ("templates/default_webhook.json", "shipped/default_webhook.json"),
        ("", "shipped/default_webhook.json"),
    ],
)
def test_a_template_is_looked_up_beside_the_file_then_in_the_folder_then_among_the_shipped(
    template_path: str, expected: str, folder: Path
) -> None:
    data = {"handlers": [{"on": ["*"], "target_path": TARGET, "template_path": template_path}]}
    assert load(data, folder).sources == (folder / expected,)


@pytest.mark.parametrize(
    ("name", "text", "escape", "content_type"),
    [
        ("a.json", "x", "json", "application/json"),
        ("a.xml", "{}", "xml", "application/xml"),
        ("a.csv", "{}", "csv", "text/csv"),
        ("a.form", "{}", "form", "application/x-www-form-urlencoded"),
        ("a.txt", "{}", "text", "text/plain; charset=utf-8"),
        ("a.tmpl", ' \n{"a": 1}', "json", "application/json"),
        ("a", "[1]", "json", "application/json"),
        ("a", "<a/>", "xml", "application/xml"),
        ("a", "{{.Type}}", "text", "text/plain; charset=utf-8"),
        ("a", '{{ if .Meta }}{"a": 1}{{ end }}', "json", "application/json"),
        ("a", "{{/* { */}}\n<a/>", "xml", "application/xml"),
        ("a", "", "text", "text/plain; charset=utf-8"),
        ("JSON", "hello", "json", "application/json"),
        ("a.b/c", "hello", "text", "text/plain; charset=utf-8"),
    ],
)  # fmt: skip
def test_escape_auto_goes_by_the_ending_and_then_by_the_first_character(
    name: str, text: str, escape: str, content_type: str, folder: Path
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    handler = own(folder, template_path=name)
    assert (handler.escape, handler.content_type) == (escape, content_type)


def test_an_escape_that_is_named_wins(folder: Path) -> None:
    assert own(folder, template_path="body.json", escape="text").escape == "text"
    assert own(folder, template_path="body.json", escape="json", compat="tyk").escape == "json"


@pytest.mark.parametrize(
    ("template_path", "content_type"),
    [("", "application/json"), ("body.json", "application/json"), ("body.txt", "")],
)
def test_compat_tyk_escapes_as_html_and_names_the_content_as_tyk_does(
    template_path: str, content_type: str, folder: Path
) -> None:
    handler = own(folder, template_path=template_path, compat="tyk")
    assert (handler.compat, handler.escape, handler.content_type) == ("tyk", "html", content_type)


@pytest.mark.parametrize(("method", "warned"), [("HEAD", True), ("", False), ("post", False)])
def test_compat_tyk_turns_an_unknown_method_into_get_and_says_so(method: str, warned: bool, folder: Path) -> None:
    loaded = seed(folder, compat="tyk", method=method)
    assert loaded.handlers[0].method == ("POST" if method == "post" else "GET")
    place = "a.yaml: event_handlers.events.AuthFailure[0].handler_meta.method"
    expected = [f'{place}: is "HEAD"; sent as GET, as by Tyk'] if warned else []
    assert [str(warning) for warning in loaded.warnings] == expected


def test_the_seeds_form_is_read_as_it_stands(folder: Path) -> None:
    meta = {
        "disabled": False,
        "id": "",
        "name": "My hook",
        "method": "POST",
        "target_path": "http://127.0.0.1:3000/hook",
        "template_path": "templates/default_webhook.json",
        "header_map": {"X-Tyk-Test-Header": "Tyk v1.BANANA"},
        "event_timeout": 10,
        "allow_cidrs": ["127.0.0.1/32"],
    }
    handler = seed(folder, "QuotaExceeded", **meta).handlers[0]
    assert (handler.id, handler.on, handler.method) == ("My-hook", ("QuotaExceeded",), "POST")
    assert (handler.target, handler.event_timeout) == ("http://127.0.0.1:3000/hook", 10.0)
    assert handler.headers == (("X-Tyk-Test-Header", "Tyk v1.BANANA"),)
    assert handler.place == "a.yaml: event_handlers.events.QuotaExceeded[0].handler_meta"


def test_the_seeds_form_takes_our_further_keys(folder: Path) -> None:
    handler = seed(folder, apis=["a"], retry={"delays": [1]}, sign={"secrets": [SECRET]}).handlers[0]
    assert (handler.apis, handler.retry.delays, handler.secrets) == (frozenset("a"), (1.0,), (Secret(SECRET),))


def test_a_json_null_of_tyk_counts_as_not_given(folder: Path) -> None:
    handler = seed(folder, header_map=None, template_path=None, method=None).handlers[0]
    assert (handler.headers, handler.method) == ((), "POST")


def test_references_in_the_seeds_form_are_not_followed_but_warned_of(folder: Path) -> None:
    loaded = seed(folder, header_map={"Authorization": "env://HOME"})
    assert loaded.handlers[0].headers == (("Authorization", Secret("env://HOME")),)
    place = "a.yaml: event_handlers.events.AuthFailure[0].handler_meta.header_map.Authorization"
    said = "looks like a reference, but none are followed in Tyk's own form; use the form under handlers"
    assert [str(warning) for warning in loaded.warnings] == [f"{place}: {said}"]


@pytest.mark.parametrize("name", ["eh_log_handler", "eh_dynamic_handler", "cp_dynamic_handler"])
def test_a_handler_that_runs_in_the_gateway_is_left_to_it_with_a_warning(name: str, folder: Path) -> None:
    entry = {"handler_name": name, "handler_meta": {"prefix": "x"}}
    loaded = load({"event_handlers": {"events": {"AuthFailure": [entry]}}}, folder)
    assert loaded.handlers == ()
    assert str(loaded.warnings[0]) == (
        f"a.yaml: event_handlers.events.AuthFailure[0]: {name} runs inside the gateway and is left to it; "
        "only eh_web_hook_handler is ours"
    )


def test_a_disabled_handler_is_left_out(folder: Path) -> None:
    assert seed(folder, disabled=True).handlers == ()
    assert load({"handlers": [{"id": "x", "disabled": True}]}, folder).handlers == ()


def test_a_type_that_is_nearly_one_of_tyks_is_warned_of(folder: Path) -> None:
    loaded = seed(folder, "RateLimitExceeded", id="x")
    place = "a.yaml: event_handlers.events.RateLimitExceeded[0].handler_meta"
    said = 'listens to "RateLimitExceeded"; there is no such event, but "RatelimitExceeded"'
    assert [str(warning) for warning in loaded.warnings] == [f"{place}: {said}"]
    assert seed(folder, "MyOwnEvent", id="x").warnings == ()
    assert seed(folder, "AuthFailure*", id="x").warnings == ()


def test_a_handler_is_called_by_its_id_else_its_name_else_by_what_it_is(folder: Path) -> None:
    assert seed(folder, id="the-id", name="the-name").handlers[0].id == "the-id"
    assert seed(folder, name="The name!").handlers[0].id == "The-name"
    identity = "\0".join(["a1,a2", "AuthFailure", "GET", TARGET, "body.json"])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    anonymous = seed(folder, apis=["a1", "a2"], method="get", template_path="body.json").handlers[0]
    assert anonymous.id == f"AuthFailure-{digest}"


def test_a_made_up_id_is_short_and_fits_into_a_key(folder: Path) -> None:
    handlers = [{"on": ["x" * 128, "y"], "target_path": TARGET}, {"on": ["*"], "target_path": TARGET}]
    first, second = load({"handlers": handlers}, folder).handlers
    assert len(first.id) == 64
    assert second.id.startswith("any-")


def test_the_templates_that_come_with_streamhooks_can_be_read(tmp_path: Path) -> None:
    handlers = [
        {"id": str(number), "on": ["*"], "target_path": TARGET, "template_path": path.name}
        for number, path in enumerate(sorted(SHIPPED.iterdir()))
    ]
    loaded = load_mapping({"handlers": handlers}, tmp_path)
    assert loaded.sources == tuple(sorted(SHIPPED.iterdir()))
    assert SHIPPED / "default_webhook.json" in loaded.sources


def test_behind_a_proxy_the_target_is_the_proxys_to_judge(folder: Path) -> None:
    assert own(folder, target_path="http://10.0.0.1/", proxy="http://proxy:3128").origin == "http://10.0.0.1"


def test_one_template_is_compiled_once_for_all_its_handlers(folder: Path) -> None:
    handlers = [{"id": name, "on": ["*"], "target_path": TARGET, "template_path": "body.json"} for name in "ab"]
    first, second = load({"handlers": handlers}, folder).handlers
    assert first.body is second.body


def test_a_handler_that_checks_no_certificate_is_warned_of(folder: Path) -> None:
    unchecked = {"id": "a", "on": ["*"], "target_path": TARGET, "tls": {"insecure_skip_verify": True}}
    checked = {"id": "b", "on": ["*"], "target_path": TARGET, "tls": {"insecure_skip_verify": False}}
    loaded = load({"handlers": [unchecked, checked]}, folder)
    assert [handler.route.tls.insecure_skip_verify for handler in loaded.handlers] == [True, False]
    said = "anybody on the way can read and answer these webhooks; if you can, give the endpoint's tls.ca_file"
    assert [str(warning) for warning in loaded.warnings] == [f"a.yaml: handlers[0].tls.insecure_skip_verify: {said}"]


def test_a_default_that_checks_every_certificate_may_be_said(folder: Path) -> None:
    handler = {"id": "a", "on": ["*"], "target_path": TARGET}
    loaded = load({"defaults": {"tls": {"insecure_skip_verify": False}}, "handlers": [handler]}, folder)
    assert loaded.warnings == ()


def test_every_escape_mode_but_that_of_urls_can_be_named_and_has_a_content_type(folder: Path) -> None:
    """The modes are said in several rooms: the templates', the keys of a handler, what is sent."""
    named = set(MODES) - {"url"}
    assert named == set(get_args(Escape)) == set(CONTENT_TYPES)
    assert {own(folder, template_path="body.json", escape=mode).escape for mode in named} == named
