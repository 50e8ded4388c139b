"""Every shape of Tyk's files is read into the handlers that it means."""

import json
from pathlib import Path

import pytest

from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.handlers.tyk import canonical
from streamhooks.handlers.tyk_oas import go_seconds
from streamhooks.model import Event
from streamhooks.secret import Secret
from tests.tyk.conftest import DEFINITIONS
from tests.tyk.loading import TARGET, api, classic, conf, loaded, oas, shipped

META = {"method": "POST", "target_path": TARGET}
FILES = sorted((DEFINITIONS / "apps").iterdir())


def one(folder: Path, **tyk: str) -> Handler:
    (handler,) = loaded(folder, dict(tyk)).handlers
    return handler


def event(type: str, api_id: str = "") -> Event:
    return Event(id="1-1", type=type, meta={}, timestamp="", api_id=api_id)


def test_there_are_a_dozen_definitions_and_each_that_holds_a_webhook_gives_a_handler() -> None:
    assert len(FILES) >= 12
    places = {handler.place.partition(": ")[0] for handler in shipped().handlers}
    without = {str(path) for path in FILES} - places
    # One has no handlers; one is the classic form of a definition that lies there as OAS too.
    assert {Path(path).name for path in without} == {"06-no-handlers.json", "11-both-classic.json"}


def test_a_classic_definition_in_all_its_keys() -> None:
    handler = next(h for h in shipped().handlers if h.id.startswith("billing-"))
    assert (handler.on, handler.apis) == (("QuotaExceeded",), frozenset({"orders"}))
    assert (handler.method, handler.target) == ("PUT", "http://127.0.0.1:9/hooks/billing")
    assert (handler.event_timeout, handler.compat) == (60.0, "")
    assert handler.place == (
        f"{DEFINITIONS}/apps/02-classic-current.json: event_handlers.events.QuotaExceeded[1].handler_meta"
    )


def test_an_oas_definition_in_all_its_keys() -> None:
    handler = next(h for h in shipped().handlers if h.on == ("RateLimitSmoothingUp",))
    assert (handler.apis, handler.method) == (frozenset({"payments"}), "POST")
    assert (handler.target, handler.event_timeout) == ("http://127.0.0.1:9/hooks/oas", 90.0)
    assert handler.headers == (("X-Tyk", "v"),)
    assert handler.place == f"{DEFINITIONS}/apps/07-oas.json: x-tyk-api-gateway.server.eventHandlers[0]"


def test_the_monitor_is_told_of_exceeded_triggers_and_nothing_else_is() -> None:
    (handler,) = [h for h in shipped().handlers if "TriggerExceeded" in h.on]
    assert handler.place == f"{DEFINITIONS}/tyk.conf: monitor.configuration"
    assert handler.headers == (("X-Monitor", "quota"),)


def test_a_monitor_that_is_not_enabled_has_no_handler(tmp_path: Path) -> None:
    conf(tmp_path, {"monitor": {"enable_trigger_monitors": False, "configuration": {"target_path": 7}}})
    assert loaded(tmp_path).handlers == ()


def test_handlers_of_an_api_see_its_events_and_those_of_tyk_conf_the_events_of_no_api() -> None:
    catalogue = Catalogue(shipped().handlers)
    assert [h.on for h in catalogue.select(event("KeyExpired", "orders"))] == [("KeyExpired",)]
    assert catalogue.select(event("KeyExpired", "widgets")) == ()
    assert catalogue.select(event("KeyExpired")) == ()
    assert [h.on for h in catalogue.select(event("TokenCreated"))] == [("TokenCreated",)]
    assert catalogue.select(event("TokenCreated", "orders")) == ()
    assert catalogue.select(event("TriggerExceeded", "orders")) == ()


def test_compat_is_chosen_for_all_files_or_for_one_handler(tmp_path: Path) -> None:
    assert {handler.compat for handler in shipped("tyk").handlers} == {"tyk"}
    compat = {Path(handler.place.partition(": ")[0]).name for handler in shipped().handlers if handler.compat}
    assert compat == {"13-odd.json"}
    api(tmp_path, classic({**META, "compat": ""}))
    assert one(tmp_path, compat="tyk").compat == ""
    api(tmp_path, oas({"compat": "tyk"}))
    assert one(tmp_path).compat == "tyk"


def test_our_further_keys_mean_the_same_in_both_forms(tmp_path: Path) -> None:
    ours = {"timeout": "3s", "retry": {"delays": [1]}, "when": "true", "expose_originating_request": True}
    api(tmp_path, classic({**META, **ours}))
    api(tmp_path, oas({**ours, "target_path": 7, "disabled": True}), "oas.json")
    for handler in loaded(tmp_path).handlers:
        assert (handler.timeout, handler.retry.delays, handler.expose_originating_request) == (3.0, (1.0,), True)
        assert handler.when is not None


def test_one_webhook_of_a_dashboard_under_many_events_has_an_id_for_each(tmp_path: Path) -> None:
    handlers = [h for h in shipped().handlers if h.id.startswith("security-team-")]
    assert len({h.id for h in handlers}) == len(handlers) == 3


def test_an_id_stays_the_same_when_headers_cool_down_or_neighbours_change(tmp_path: Path) -> None:
    api(tmp_path, classic({**META, "name": "Team A"}))
    before = one(tmp_path).id
    api(tmp_path, classic({**META, "name": "Team A", "header_map": {"A": "b"}, "event_timeout": 5}))
    api(tmp_path, classic({**META, "name": "Team A"}, api_id="another"), "a.json")
    assert before in {handler.id for handler in loaded(tmp_path).handlers}
    assert before.startswith("team-a-")


def test_two_webhooks_that_differ_in_headers_only_are_two(tmp_path: Path) -> None:
    entries = [
        {"handler_name": "eh_web_hook_handler", "handler_meta": {**META, "header_map": {"A": value}}} for value in "12"
    ]
    api(tmp_path, {"api_id": "a", "event_handlers": {"events": {"AuthFailure": entries}}})
    first, second = loaded(tmp_path).handlers
    assert second.id == f"{first.id}-2"


def test_the_same_webhook_twice_in_one_file_is_sent_once_and_told_of(tmp_path: Path) -> None:
    entry = {"handler_name": "eh_web_hook_handler", "handler_meta": META}
    path = api(tmp_path, {"api_id": "a", "event_handlers": {"events": {"AuthFailure": [entry, entry]}}})
    found = loaded(tmp_path)
    at = f"{path}: event_handlers.events.AuthFailure"
    assert len(found.handlers) == 1
    assert [str(w) for w in found.warnings] == [
        f"{at}[1].handler_meta: is the same webhook as {at}[0].handler_meta; it is sent once"
    ]


def test_user_password_and_fragment_of_a_url_go_where_go_puts_them(tmp_path: Path) -> None:
    api(tmp_path, classic({"target_path": "https://us%40er:p@hooks.example.com/x#here"}))
    handler = one(tmp_path)
    assert handler.target == TARGET
    assert handler.headers == (("Authorization", Secret("Basic dXNAZXI6cA==")),)


def test_an_authorization_of_its_own_wins_over_the_urls(tmp_path: Path) -> None:
    meta = {"target_path": "https://u:p@hooks.example.com/x", "header_map": {"authorization": "Bearer b"}}
    api(tmp_path, classic(meta))
    assert one(tmp_path).headers == (("Authorization", Secret("Bearer b")),)


def test_header_names_are_spelled_as_go_spells_them() -> None:
    names = ["x-tyk-HEADER", "ETag", "a b", "x--y", "content-type"]
    assert [canonical(name) for name in names] == ["X-Tyk-Header", "Etag", "a b", "X--Y", "Content-Type"]


@pytest.mark.parametrize("as_written", [False, True])
def test_tyk_conf_may_say_that_header_names_go_as_they_are_written(as_written: bool, tmp_path: Path) -> None:
    conf(tmp_path, {"ignore_canonical_mime_header_key": as_written})
    api(tmp_path, classic({**META, "header_map": {"x-TEAM": "a"}}))
    assert one(tmp_path).headers == ((("x-TEAM" if as_written else "X-Team"), "a"),)


def test_two_spellings_of_one_header_are_told_of(tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, "header_map": {"X-Team": "a", "x-team": "b"}}))
    found = loaded(tmp_path)
    assert found.handlers[0].headers == (("X-Team", "b"),)
    at = f"{path}: event_handlers.events.AuthFailure[0].handler_meta.header_map.x-team"
    said = "X-Team and x-team are one header: Tyk sends either, as it happens; here this one is sent"
    assert [str(w) for w in found.warnings] == [f"{at}: {said}"]


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Trailer"])
def test_a_header_that_go_ignores_is_left_out_with_a_warning(name: str, tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, "header_map": {name: "x", "A": "b"}}))
    found = loaded(tmp_path)
    assert found.handlers[0].headers == (("A", "b"),)
    at = f"{path}: event_handlers.events.AuthFailure[0].handler_meta.header_map.{name}"
    assert str(found.warnings[0]) == f"{at}: {name} has no effect, here as in Tyk: it is made for each request"


def test_a_header_of_the_connection_is_not_sent_and_said_to_be(tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, "header_map": {"Connection": "close"}}))
    found = loaded(tmp_path)
    assert found.handlers[0].headers == ()
    at = f"{path}: event_handlers.events.AuthFailure[0].handler_meta.header_map.Connection"
    assert str(found.warnings[0]) == f"{at}: Connection is not sent: it belongs to the connection, which is ours"


def test_a_header_beyond_ascii_is_sent_with_compat_and_refused_without(tmp_path: Path) -> None:
    api(tmp_path, classic({**META, "header_map": {"X-Team": "Sécurité"}}))
    assert one(tmp_path, compat="tyk").headers == (("X-Team", "Sécurité"),)


def test_what_looks_like_an_action_in_a_header_is_no_template_with_compat(tmp_path: Path) -> None:
    api(tmp_path, classic({**META, "header_map": {"X-Shape": "{{.Type}}"}}))
    assert one(tmp_path, compat="tyk").headers == (("X-Shape", "{{.Type}}"),)


def test_references_are_never_followed(tmp_path: Path) -> None:
    path = api(tmp_path, oas({"headers": [{"name": "Authorization", "value": "file:///etc/hostname"}]}))
    found = loaded(tmp_path)
    assert found.handlers[0].headers == (("Authorization", Secret("file:///etc/hostname")),)
    said = "looks like a reference, but none are followed in Tyk's own form; use the form under handlers"
    at = f"{path}: x-tyk-api-gateway.server.eventHandlers[0].headers[0].value"
    assert [str(w) for w in found.warnings] == [f"{at}: {said}"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("1m30s", 90),
        ("1h", 3600),
        ("1.5h", 5400),
        ("1500ms", 1),
        ("999ms", 0),
        (".5m", 30),
        ("2h45m10s", 9910),
        ("10", None),
        ("-5s", None),
        ("1d", None),
        ("ten seconds", None),
    ],
)
def test_a_cooldown_period_is_read_as_go_reads_durations(text: str, seconds: int | None) -> None:
    assert go_seconds(text) == seconds


def test_a_cooldown_period_that_is_no_duration_is_none_and_told_of(tmp_path: Path) -> None:
    path = api(tmp_path, oas({"cooldownPeriod": "10 seconds"}))
    found = loaded(tmp_path)
    assert found.handlers[0].event_timeout == 0
    said = 'is "10 seconds", which is no duration such as 1m30s: Tyk reads 0, and so do we'
    assert [str(w) for w in found.warnings] == [
        f"{path}: x-tyk-api-gateway.server.eventHandlers[0].cooldownPeriod: {said}"
    ]


# external_services of tyk.conf.

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def services(folder: Path, data: object, target: str = TARGET) -> Handler:
    conf(folder, {"external_services": data})
    api(folder, classic({"method": "POST", "target_path": target}))
    return one(folder)


def test_webhooks_go_through_the_proxy_of_tyk_conf(tmp_path: Path) -> None:
    proxy = {"enabled": True, "http_proxy": "http://plain:3128", "https_proxy": "http://tls:3128"}
    assert services(tmp_path, {"webhooks": {"proxy": proxy}}).route.proxy.reveal() == "http://tls:3128"
    assert (
        services(tmp_path, {"webhooks": {"proxy": proxy}}, "http://example.com/").route.proxy.reveal()
        == "http://plain:3128"
    )


def test_an_https_target_falls_back_to_the_proxy_for_http(tmp_path: Path) -> None:
    proxy = {"enabled": True, "http_proxy": "http://plain:3128"}
    assert services(tmp_path, {"global": proxy}).route.proxy.reveal() == "http://plain:3128"


def test_the_proxy_of_webhooks_wins_over_the_global_one_and_a_disabled_one_counts_for_nothing(tmp_path: Path) -> None:
    both = {
        "global": {"enabled": True, "http_proxy": "http://global:1"},
        "webhooks": {"proxy": {"enabled": True, "http_proxy": "http://own:1"}},
    }
    assert services(tmp_path, both).route.proxy.reveal() == "http://own:1"
    both["webhooks"]["proxy"]["enabled"] = False  # type: ignore[index]  # a nested map of mixed values
    assert services(tmp_path, both).route.proxy.reveal() == "http://global:1"


def test_what_tyk_conf_says_wins_over_defaults(tmp_path: Path) -> None:
    proxy = {"enabled": True, "http_proxy": "http://tyks:1"}
    conf(tmp_path, {"external_services": {"global": proxy}})
    api(tmp_path, classic(META))
    (handler,) = loaded(tmp_path, defaults={"proxy": "http://ours:1"}).handlers
    assert handler.route.proxy.reveal() == "http://tyks:1"


@pytest.mark.parametrize("bypass", ["other:1, hooks.example.com", ["hooks.example.com"]])
def test_a_bypassed_host_is_reached_without_the_proxy(bypass: object, tmp_path: Path) -> None:
    proxy = {"enabled": True, "http_proxy": "http://p:1", "bypass_proxy": bypass}
    assert services(tmp_path, {"webhooks": {"proxy": proxy}}).route.proxy.reveal() == ""
    assert services(tmp_path, {"webhooks": {"proxy": proxy}}, "https://hooks.example.com:8443/").route.proxy


def test_the_client_certificate_of_tyk_conf_is_used(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text(PEM)
    mtls = {"enabled": True, "cert_file": "cert.pem", "key_file": "key.pem", "tls_min_version": "1.2"}
    tls = services(tmp_path, {"webhooks": {"mtls": mtls}}).route.tls
    assert (tls.cert_file, tls.key_file, tls.ca_file) == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), "")


def test_what_of_mtls_has_no_effect_is_told(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text(PEM)
    mtls = {"enabled": True, "cert_file": "cert.pem", "ca_cert_ids": ["5f3"], "tls_min_version": "1.2"}
    path = conf(tmp_path, {"external_services": {"webhooks": {"mtls": mtls}}})
    at = f"{path}: external_services.webhooks.mtls"
    store = "names a certificate in Tyk's own store, which only Tyk can read; the files beside it are used"
    assert [str(w) for w in loaded(tmp_path).warnings if "mtls" in w.path] == [
        f"{at}.ca_cert_ids: {store}",
        f"{at}.tls_min_version: has no effect on webhooks, here as in Tyk",
    ]


def test_a_certificate_of_tyks_store_is_told_of(tmp_path: Path) -> None:
    path = conf(tmp_path, {"external_services": {"webhooks": {"mtls": {"enabled": True, "cert_id": "5f3"}}}})
    api(tmp_path, classic(META))
    said = "names a certificate in Tyk's own store, which only Tyk can read; give files under defaults.tls"
    assert [str(w) for w in loaded(tmp_path).warnings] == [f"{path}: external_services.webhooks.mtls.cert_id: {said}"]


# Templates.


def test_templates_are_looked_for_in_the_gateways_folder(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/own.json").write_text('"{{.Type}}"')
    api(tmp_path, classic({**META, "template_path": "templates/own.json"}))
    assert one(tmp_path).body.name == "own.json"


def test_a_new_definition_is_noticed_by_its_folder(tmp_path: Path) -> None:
    api(tmp_path, classic(META))
    assert tmp_path / "apps" in loaded(tmp_path).sources


@pytest.mark.parametrize("apis", ["apps", "apps/"])
def test_a_folder_stands_for_the_definitions_in_it(apis: str, tmp_path: Path) -> None:
    api(tmp_path, classic(META))
    (tmp_path / "apps/README.md").write_text("no definition")
    found = loaded(tmp_path, {"apis": apis})
    assert len(found.handlers) == 1
    assert tmp_path / "apps" in found.sources


def test_a_folder_without_definitions_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    assert str(loaded(tmp_path, {"apis": "apps"}).warnings[0]) == (
        f"configuration: tyk.apis: matches no file: {tmp_path}/apps/*.json"
    )


def test_a_list_of_definitions_in_one_file_is_read(tmp_path: Path) -> None:
    api(tmp_path, json.dumps([classic(META, api_id="a"), oas({"url": TARGET}, api_id="b")]))
    assert [handler.apis for handler in loaded(tmp_path).handlers] == [frozenset("a"), frozenset("b")]
