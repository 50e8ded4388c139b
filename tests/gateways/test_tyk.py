"""Tyk's two ways into the door: its webhook handler with our template, and an event handler in JavaScript."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamhooks.delivery.request import RequestMaker
from streamhooks.event_types import NAMES, TYPES, example
from streamhooks.files import load_mapping, load_tyk
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event
from streamhooks.template import Template
from tests.flow.rig import Rig
from tests.ingest.asking import FORM, door, stored

FOLDER = Path(__file__).parents[2] / "scripts/gateways/tyk"
SOURCE = (FOLDER / "templates/streamhooks.form").read_text()
HOSTILE = "a\\b \"c\" 'd' & e=f + 100% #g <h> {{i}} ;\n\t\r caf\u00e9 \U0001f512 %26 &#43; &amp; \u2028"
WITHHELD = {"OriginatingRequest"}
HOST_INFO = ("CheckURL", "Protocol", "Method", "ResponseCode", "Latency", "IsTCPError", "MetaData")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def handler(folder: Path) -> Handler:
    """As Tyk renders: html/template, Go's times."""
    shutil.copy(FOLDER / "templates/streamhooks.form", folder)
    own = {
        "id": "h",
        "on": ["*"],
        "target_path": "https://hooks.example.com/",
        "template_path": "streamhooks.form",
        "compat": "tyk",
    }
    return load_mapping({"handlers": [own]}, folder).handlers[0]


def hostile(event: Event) -> Event:
    """The same with a hostile text in the place of every text but times."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(member) for name, member in value.items()}
        if isinstance(value, list):
            return [changed(member) for member in value]
        return HOSTILE + value if isinstance(value, str) and not value.endswith("T00:00:00Z") else value

    return msgspec.structs.replace(event, meta=changed(event.meta))


def told(event: Event) -> dict[str, Any]:
    """The members that are to arrive: all but the credentials, under Go's names, numbers as Go prints them."""

    def text(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: text(member) for name, member in value.items()}
        if isinstance(value, list):
            return [text(member) for member in value]
        return str(value).lower() if isinstance(value, bool) else str(value)

    names = {member.json: member.name for member in TYPES[event.type].members}
    meta = {names[name]: text(value) for name, value in event.meta.items() if name not in WITHHELD}
    if "HostInfo" in meta:
        meta["HostInfo"] = {name: meta["HostInfo"][name] for name in HOST_INFO}
    return meta


async def test_every_event_arrives_exact_through_the_template(rig: Rig, tmp_path: Path) -> None:
    maker = RequestMaker(handler(tmp_path))
    events = [example(name) for name in NAMES]
    events += [hostile(event) for event in events]
    async with door(rig) as ours:
        for event in events:
            body = maker.make(event).body
            answered = await ours.post(body, FORM)
            assert answered.status == 202, (body, answered.json)
    assert len(events) == 48
    for sent, came in zip(events, await stored(rig), strict=True):
        assert (came.type, came.source) == (sent.type, "tyk")
        assert came.meta == told(sent)
        assert came.timestamp == "2026-11-23 10:00:00 +0000 UTC"


async def test_an_event_of_a_plug_in_arrives_with_its_message(rig: Rig, tmp_path: Path) -> None:
    event = msgspec.structs.replace(example("AuthFailure"), type="Mine & others", meta={"Message": HOSTILE})
    async with door(rig) as ours:
        await ours.post(RequestMaker(handler(tmp_path)).make(event).body, FORM)
    [came] = await stored(rig)
    assert (came.type, came.meta) == ("Mine & others", {"Message": HOSTILE})


@pytest.mark.parametrize("name", NAMES)
def test_the_template_asks_of_no_event_what_it_does_not_have(name: str) -> None:
    """In Tyk a member that a struct has not drops the event. It is compiled with Go's builtins alone, as there."""
    meta = {member.name: member.example for member in TYPES[name].members}
    for time in ("ExpiresAt", "ExpiredAt"):
        meta.pop(time, None)
    data = {"Type": name, "Meta": meta, "TimeStamp": "t"}
    # Maps have no methods: the one call of a method is looked at by the tests above.
    source = SOURCE.replace('.Meta.ExpiresAt.Format "2006-01-02T15:04:05Z07:00"', '"t"')
    source = source.replace('.Meta.ExpiredAt.Format "2006-01-02T15:04:05Z07:00"', '"t"')
    template = Template.parse(source, escape="html", missingkey="error", catalogue=False)
    assert template.render(data).startswith(f"type={name}&ts=t&source=tyk&")


def test_the_definitions_are_those_that_tyk_reads() -> None:
    """Tyk's webhook handler waits one second at least: 0 would fire an event once, ever."""
    definition = json.loads((FOLDER / "apps/orders-webhook.json").read_text())
    meta = definition["event_handlers"]["events"]["AuthFailure"][0]["handler_meta"]
    assert meta["event_timeout"] == 1
    assert meta["header_map"]["Content-Type"] == FORM
    found = load_tyk([FOLDER / "apps/orders-webhook.json"]).handlers
    assert [one.handler.origin for one in found] == ["http://127.0.0.1:8090"]
    jsvm = json.loads((FOLDER / "apps/orders-jsvm.json").read_text())["event_handlers"]["events"]["AuthFailure"][0]
    assert jsvm["handler_name"] == "eh_dynamic_handler"
    assert jsvm["handler_meta"]["name"] in (FOLDER / jsvm["handler_meta"]["path"]).read_text()


# JavaScript.

STAGE = """
const vm = require("vm"), fs = require("fs");
const [file, text] = process.argv.slice(2);
const logged = [], sent = [];
const TykJS = {TykEventHandlers: {NewEventHandler: function () {}}};
TykJS.TykEventHandlers.NewEventHandler.prototype.NewHandler = function (callback) { this.Handle = callback; };
const world = {TykJS, log: (line) => logged.push(line), TykMakeHttpRequest: (text) => {
  sent.push(JSON.parse(text));
  return process.env.ANSWER || undefined;
}};
vm.createContext(world);
vm.runInContext(fs.readFileSync(file, "utf8"), world);
vm.runInContext("streamhooks.Handle(" + text + ', {"APIID": "orders", "OrgID": "acme"});', world);
process.stdout.write(JSON.stringify({sent, logged}));
"""
"""Tyk's side of an event handler: what it calls, and what the script may call."""


def run(event: Event, folder: Path, answer: str) -> Any:
    (folder / "stage.js").write_text(STAGE)
    text = json.dumps({"Type": event.type, "Meta": event.meta, "TimeStamp": "2026-08-21 12:39:47.1 +0000 UTC"})
    ran = subprocess.run(
        ["node", folder / "stage.js", FOLDER / "event_handlers/streamhooks.js", text],
        env={"PATH": "/usr/bin:/usr/local/bin:/bin", "ANSWER": answer},
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    return json.loads(ran.stdout)


@needs_node
async def test_the_javascript_handler_posts_the_whole_event(rig: Rig, tmp_path: Path) -> None:
    taken = [hostile(example(name)) for name in ("AuthFailure", "HostDown", "OAuth2ScopeCheckFailed")]
    async with door(rig) as ours:
        for event in taken:
            ran = run(event, tmp_path, '{"Code": 202, "Body": "{}"}')
            assert ran["logged"] == []
            [request] = ran["sent"]
            assert (request["Method"], request["Domain"]) == ("POST", "http://127.0.0.1:8090")
            answered = await ours.ask(request["Method"], request["Resource"], request["Headers"], request["Body"])
            assert answered.status == 202
    for sent, came in zip(taken, await stored(rig), strict=True):
        assert (came.type, came.api_id, came.org_id, came.source) == (sent.type, "orders", "acme", "tyk")
        assert came.meta == {name: value for name, value in sent.meta.items() if name not in WITHHELD}
        assert came.timestamp == "2026-08-21 12:39:47.1 +0000 UTC"


@needs_node
def test_the_javascript_handler_says_what_was_not_taken(tmp_path: Path) -> None:
    for answer, said in (('{"Code": 401}', "401"), ("", "nothing")):
        ran = run(example("AuthFailure"), tmp_path, answer)
        assert ran["logged"] == [f"streamhooks: AuthFailure was not taken, the door answered {said}"]
