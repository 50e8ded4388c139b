"""What is wrong with Tyk's files is named with file, JSON path and what was expected; what is only unknown is fine."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamhooks.errors import ConfigError
from streamhooks.secret import Secret
from tests.tyk.loading import TARGET, api, classic, conf, loaded, oas

CLASSIC = "event_handlers.events.AuthFailure[0].handler_meta"
OAS = "x-tyk-api-gateway.server.eventHandlers[0]"
META = {"method": "POST", "target_path": TARGET}


def faults(folder: Path, **sections: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, **sections)
    return [str(fault) for fault in caught.value.faults]


WRONG_TYPES = [
    ({"method": 7}, "method", 'is 7; must be a text; put it in quotes ("...")'),
    ({"target_path": ["x"]}, "target_path", 'is a list; must be a text; put it in quotes ("...")'),
    ({"header_map": ["x"]}, "header_map", "is a list; must be a section of keys and values"),
    ({"header_map": {"A": 1}}, "header_map.A", 'must be a text; put it in quotes ("...")'),
    ({"event_timeout": "10s"}, "event_timeout", 'is "10s"; must be a whole number from 0 to 31622400'),
    ({"event_timeout": 1.5}, "event_timeout", "is 1.5; must be a whole number from 0 to 31622400"),
    ({"event_timeout": -1}, "event_timeout", "is -1; must be a whole number from 0 to 31622400"),
    ({"disabled": "no"}, "disabled", 'is "no"; must be true or false'),
    ({"template_path": {}}, "template_path", 'is a section; must be a text; put it in quotes ("...")'),
]


@pytest.mark.parametrize(("meta", "key", "said"), WRONG_TYPES, ids=[json.dumps(row[0]) for row in WRONG_TYPES])
def test_a_wrong_type_in_a_classic_definition(meta: dict[str, Any], key: str, said: str, tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, **meta}))
    assert faults(tmp_path) == [f"{path}: {CLASSIC}.{key}: {said}"]


WRONG_IN_OAS = [
    ({"enabled": 1}, "enabled", "is 1; must be true or false"),
    ({"cooldownPeriod": 10}, "cooldownPeriod", 'is 10; must be a text; put it in quotes ("...")'),
    ({"cooldownPeriod": "10000h"}, "cooldownPeriod", 'is "10000h"; must be at most 366 days'),
    ({"headers": {"A": "b"}}, "headers", "is a section; must be a list, such as [a, b]"),
    ({"url": ""}, "url", "is missing; give the URL that the webhook goes to"),
    (
        {"url": "", "id": "6530"},
        "url",
        'is missing, and webhook "6530" is known to Tyk\'s dashboard only; copy its URL here',
    ),
    ({"url": "hooks.example.com"}, "url", "must be an absolute URL that starts with http:// or https://"),
    ({"method": "OPTIONS"}, "method", 'is "OPTIONS"; must be one of GET, PUT, POST, PATCH, DELETE'),
    (
        {"trigger": ""},
        "trigger",
        'is ""; must be an event type: 1 to 128 characters, none of them a control character',
    ),
]


@pytest.mark.parametrize(("handler", "key", "said"), WRONG_IN_OAS, ids=[json.dumps(row[0]) for row in WRONG_IN_OAS])
def test_a_fault_in_an_oas_definition(handler: dict[str, Any], key: str, said: str, tmp_path: Path) -> None:
    path = api(tmp_path, oas(handler))
    assert faults(tmp_path) == [f"{path}: {OAS}.{key}: {said}"]


def test_one_broken_file_does_not_hide_the_faults_of_the_others(tmp_path: Path) -> None:
    broken = api(tmp_path, '{"api_id": "a",', "a.json")
    other = api(tmp_path, {"some": "thing"}, "b.json")
    wrong = api(tmp_path, classic({**META, "event_timeout": "10"}), "c.json")
    nobody = api(tmp_path, classic(META, api_id=None), "d.json")
    gateway = conf(tmp_path, {"monitor": {"enable_trigger_monitors": True, "configuration": {}}})
    assert faults(tmp_path) == [
        f"{broken}: line 1, column 16: is not JSON: Expecting property name enclosed in double quotes",
        (
            f"{other}: is no API definition of Tyk, which has api_id or x-tyk-api-gateway; "
            "keep other files out of tyk.apis"
        ),
        f'{wrong}: {CLASSIC}.event_timeout: is "10"; must be a whole number from 0 to 31622400',
        f"{nobody}: api_id: is missing; without it nobody can say whose events these handlers are for",
        f"{gateway}: monitor.configuration.target_path: is missing; give the URL that the webhook goes to",
    ]


def test_unknown_keys_anywhere_are_somebody_elses_business(tmp_path: Path) -> None:
    definition = classic({**META, "api_model": {}, "org_id": "x", "hook_category": 7}, unknown={"deep": [1]})
    definition["event_handlers"]["unknown"] = True
    definition["event_handlers"]["events"]["AuthFailure"][0]["unknown"] = None
    api(tmp_path, definition)
    api(tmp_path, oas({"unknown": 1, "headers": [{"name": "A", "value": "b", "unknown": 2}]}, "b"), "b.json")
    conf(tmp_path, {"unknown": 1, "monitor": {"unknown": 1}, "external_services": {"oauth": {"enabled": 7}}})
    found = loaded(tmp_path)
    assert len(found.handlers) == 2
    assert found.warnings == ()


def test_a_key_that_reaches_beyond_the_webhook_is_not_taken(tmp_path: Path) -> None:
    reaching = {"allow_cidrs": ["0.0.0.0/0"], "proxy": "http://p:1", "tls": {"ca_file": "/etc/passwd"}, "apis": ["x"]}
    path = api(tmp_path, classic({**META, **reaching}))
    found = loaded(tmp_path)
    (handler,) = found.handlers
    assert (handler.route.allow_cidrs, handler.route.proxy, handler.route.tls.ca_file) == ((), Secret(""), "")
    assert handler.apis == frozenset({"orders"})
    way_out = {
        "allow_cidrs": "write it under defaults in the configuration, or import the webhook into handlers",
        "proxy": "write it under defaults in the configuration or external_services of tyk.conf",
        "tls": "write it under defaults in the configuration or external_services of tyk.conf",
        "apis": "it is for the events of its own API; import it into handlers, which may name others",
    }
    assert {str(w) for w in found.warnings} == {
        f"{path}: {CLASSIC}.{key}: is not taken from Tyk's files: {said}" for key, said in way_out.items()
    }


def test_neither_is_it_taken_from_an_oas_definition(tmp_path: Path) -> None:
    path = api(tmp_path, oas({"proxy": "http://p:1"}))
    found = loaded(tmp_path)
    assert found.handlers[0].route.proxy.reveal() == ""
    said = "write it under defaults in the configuration or external_services of tyk.conf"
    assert str(found.warnings[0]) == f"{path}: {OAS}.proxy: is not taken from Tyk's files: {said}"


def test_a_private_target_says_how_to_open_it_for_tyks_files(tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, "target_path": "http://10.1.2.3/x"}))
    said = (
        "is 10.1.2.3, which is not public (private); if that is meant, "
        'write `defaults: {allow_cidrs: ["10.1.2.3/32"]}` into the configuration; Tyk\'s own files open nothing'
    )
    assert faults(tmp_path) == [f"{path}: {CLASSIC}.target_path: {said}"]
    assert len(loaded(tmp_path, defaults={"allow_cidrs": ["10.1.2.3/32"]}).handlers) == 1


def test_every_fault_of_an_oas_webhook_is_told_at_once(tmp_path: Path) -> None:
    wrong = {"method": 7, "cooldownPeriod": 8, "headers": [{"name": 9}, {"value": "v"}], "retry": 1, "url": "x"}
    path = api(tmp_path, oas(wrong))
    assert faults(tmp_path) == [
        f"{path}: {OAS}.{key}: {said}"
        for key, said in (
            ("method", 'is 7; must be a text; put it in quotes ("...")'),
            ("cooldownPeriod", 'is 8; must be a text; put it in quotes ("...")'),
            ("retry", "is 1; must be a section of keys and values"),
            ("headers[0].name", 'must be a text; put it in quotes ("...")'),
            ("headers[1].name", "is missing; a header has a name and a value"),
            ("url", "must be an absolute URL that starts with http:// or https://"),
        )
    ]


def test_a_key_that_stands_twice_is_no_fault_in_tyks_files(tmp_path: Path) -> None:
    """Go takes the last of them without a word; of ours we would want to know which is meant."""
    definition = json.dumps(classic(META)).replace('"api_id": "orders"', '"api_id": "old", "api_id": "orders"')
    path = api(tmp_path, definition)
    found = loaded(tmp_path)
    assert found.handlers[0].apis == frozenset({"orders"})
    assert [str(w) for w in found.warnings] == [f"{path}: api_id: is given twice: Tyk takes the last, and so do we"]


def test_a_tyk_conf_among_the_definitions_is_told_where_it_belongs(tmp_path: Path) -> None:
    path = api(tmp_path, {"listen_port": 8080, "event_handlers": {"events": {}}})
    said = "is a tyk.conf and no API definition; name it under tyk.config, and keep it out of tyk.apis"
    assert faults(tmp_path) == [f"{path}: {said}"]


def test_a_definition_in_the_place_of_tyk_conf_is_told_where_it_belongs(tmp_path: Path) -> None:
    path = conf(tmp_path, classic(META))
    assert faults(tmp_path) == [f"{path}: is an API definition and no tyk.conf; name it under tyk.apis"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../outside.json", ".env", "tyk.conf", "apps/api.json", "link.json", "key.pem"]
)
def test_a_template_is_no_way_to_the_workers_files(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir()
    (tmp_path / "outside.json").write_text("secret")
    (folder / ".env").write_text("secret")
    (folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    conf(folder, {"secret": "s"})
    path = api(folder, classic({**META, "template_path": name}))
    said = f'"{name}" is no template that Tyk\'s files may name; put it into {folder / "templates"}'
    assert faults(folder) == [f"{path}: {CLASSIC}.template_path: {said}"]


def test_a_template_that_is_not_there_is_a_fault_and_no_other_is_sent_in_its_place(tmp_path: Path) -> None:
    path = api(tmp_path, oas({"bodyTemplate": "gone.json"}))
    (fault,) = faults(tmp_path)
    assert fault.startswith(f'{path}: {OAS}.bodyTemplate: "gone.json" was not found; looked for {tmp_path}/gone.json, ')


def test_other_kinds_of_handlers_are_told_of_as_not_ours(tmp_path: Path) -> None:
    path = api(tmp_path, {"api_id": "a", "event_handlers": {"events": {"AuthFailure": [{"handler_name": "x"}, {}]}}})
    at = f"{path}: event_handlers.events.AuthFailure"
    assert [str(w) for w in loaded(tmp_path).warnings][:2] == [
        f"{at}[0]: x is not ours: it runs inside the gateway and is left to it; only eh_web_hook_handler is ours",
        f"{at}[1]: names no handler, and neither Tyk nor we do anything with it; only eh_web_hook_handler is ours",
    ]


def test_a_star_in_an_event_type_never_fires_in_tyk_and_so_not_here(tmp_path: Path) -> None:
    path = api(tmp_path, classic(META, event="Breaker*"))
    found = loaded(tmp_path)
    assert found.handlers == ()
    said = 'is "Breaker*", which never fires: Tyk knows no * in event types'
    assert str(found.warnings[0]) == f"{path}: event_handlers.events.Breaker*: {said}"


def test_references_of_a_dashboard_are_told_of(tmp_path: Path) -> None:
    path = api(tmp_path, {"api_definition": classic(META), "hook_references": [{"event_name": "AuthFailure"}]})
    said = "is not read: the dashboard puts these webhooks into event_handlers for its gateways; load that form"
    assert [str(w) for w in loaded(tmp_path).warnings] == [f"{path}: hook_references: {said}"]


def test_a_tyk_conf_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, {"config": "gone.conf"})
    assert str(caught.value) == f"{tmp_path}/gone.conf: cannot be read: No such file or directory"
