"""What `check` says of Tyk's own files: what Tyk gets wrong with them, and what differs here.

Every note is found by trying: the template is parsed as Tyk parses it (no functions but Go's), rendered as Tyk renders
it (html/template) with an example whose members are exactly Tyk's, and once more with values that hold a quote, a
backslash and a line break. Only Tyk's own default template is not at hand; its defects are known and stand below.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from streamhooks.delivery.request import BODYLESS
from streamhooks.errors import Fault, TemplateError
from streamhooks.event_types import TYPES
from streamhooks.handlers.build import DEFAULT_TEMPLATE, METHODS
from streamhooks.handlers.tyk import TykHandler
from streamhooks.handlers.tyk_conf import MONITORED
from streamhooks.template import Template

SYSTEM_EVENTS = frozenset({"TokenCreated", "TokenUpdated", "TokenDeleted"})
"""With those of a gateway's plug-ins, all that the handlers of tyk.conf ever see."""
_MAPS = frozenset({"OAuth2ScopeCheckFailed", "OAuth2ExchangeSucceeded", "OAuth2ExchangeFailed"})
"""Events whose Meta is a map in Go: a member that is not there is empty and no error."""
_DROPS = {"VersionFailure": "Reason", "TriggerExceeded": "UsagePercentage"}
_NO_ENTRY = re.compile(r'map has no entry for key "([^"]*)"')
_NASTY = 'a"b\\c\nd'


def notes(found: Sequence[TykHandler]) -> list[Fault]:
    """Every note, once, in the order of the files."""
    told = [note for one in found for note in notes_of(one)] + list(_breaking(found))
    ours = [one for one in found if not one.handler.compat]
    if ours:
        count = "1 handler" if len(ours) == 1 else f"{len(ours)} handlers"
        said = (
            f"{count} of {len(found)} run by our rules: values are escaped for the body's own format and not for HTML, "
            "a failure is retried and begins no cool-down, redirects are not followed, User-Agent is ours; "
            "tyk: {compat: tyk} sends what Tyk sends"
        )
        told.append(Fault("configuration", "tyk", said))
    return list(dict.fromkeys(told))


def notes_of(one: TykHandler) -> list[Fault]:
    """The notes on one handler alone."""
    return [*_cool_down(one), *_trigger(one), *_template(one), *_differs(one)]


def _breaking(found: Sequence[TykHandler]) -> Iterator[Fault]:
    """The templates whose JSON does not survive every value, each at the first handler that names it."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        path = one.hook.meta.template_path
        if (path, one.handler.compat) in seen or not path.endswith(".json") or not _breaks(one):
            continue
        seen.add((path, one.handler.compat))
        escaped = "with compat: tyk here as well" if one.handler.compat else "here values are escaped as JSON"
        said = f"a backslash or line break in a value breaks the JSON that Tyk makes with it; {escaped}"
        yield one.hook.place.key("template_path").fault(said)


def _cool_down(one: TykHandler) -> Iterator[Fault]:
    if not one.hook.meta.event_timeout:
        said = "is 0: Tyk then marks a request for ever and sends it once, ever; here there is no cool-down"
        yield one.hook.place.key("event_timeout").fault(said)


def _trigger(one: TykHandler) -> Iterator[Fault]:
    hook = one.hook
    if hook.kind == "monitor":
        return
    if hook.event == MONITORED:
        yield hook.place.fault(f"never fires in Tyk: {MONITORED} reaches the monitor of tyk.conf only")
    elif hook.kind == "conf" and hook.event in TYPES and hook.event not in SYSTEM_EVENTS:
        said = f"never fires in Tyk: {hook.event} belongs to an API, and tyk.conf sees system events only"
        yield hook.place.fault(f"{said}; here it fires for events without api_id")
    elif hook.kind != "conf" and (hook.event in SYSTEM_EVENTS or hook.event not in TYPES):
        said = f"never fires in Tyk: {hook.event} reaches the handlers of tyk.conf only"
        yield hook.place.fault(f"{said}; here it fires for events with api_id {hook.api_id}")


def _template(one: TykHandler) -> Iterator[Fault]:
    path = one.hook.meta.template_path
    place = one.hook.place.key("template_path")
    if _is_default(one):
        yield from (place.fault(said) for said in _default_template(one.hook.event))
        if one.handler.compat and not _survives(one):
            said = f"our default template makes no JSON of {one.hook.event} when it is escaped for HTML"
            yield place.fault(f"{said}; leave compat: tyk out here, or say escape: json")
        return
    body = one.handler.body
    try:
        template = Template.parse(body.source, body.name, "html", "error", catalogue=False)
    except TemplateError as error:
        if error.kind == "escape":  # html/template escapes more than we do for it; what it makes is not known here
            return
        said = f"Tyk cannot parse it and sends its default template without a word ({_line(error)}); here it is sent"
        yield place.fault(said)
        return
    try:
        _rendered(template, one.hook.event)
    except TemplateError as error:
        yield place.fault(_failing(error, one.hook.event))
        return
    if path.endswith(".json") and not _is_json(_rendered(template, one.hook.event)):
        yield place.fault(f"Tyk's rendering of {one.hook.event} is no JSON")


def _survives(one: TykHandler) -> bool:
    """Whether the handler's own body is JSON; one that fails is told of as a fault, not here."""
    try:
        return _is_json(_rendered(one.handler.body, one.hook.event))
    except TemplateError:
        return True


def _is_default(one: TykHandler) -> bool:
    path = one.hook.meta.template_path
    return not path or path.rpartition("/")[2] == DEFAULT_TEMPLATE


def _default_template(event: str) -> Iterator[str]:
    if event == "UpstreamOAuthError":
        yield "Tyk's default template makes broken JSON of UpstreamOAuthError (a trailing comma); ours does not"
    elif event in SYSTEM_EVENTS or event not in TYPES:
        yield f"Tyk's default template fails on {event}, so that it is never delivered; ours does not"
    elif event in _MAPS:
        yield f"Tyk's default template leaves every value of {event} empty; ours does not"
    elif event in _DROPS:
        yield f"Tyk's default template leaves {_DROPS[event]} of {event} out; ours does not"


def _failing(error: TemplateError, event: str) -> str:
    missing = _NO_ENTRY.search(error.message)
    if missing is None:
        return f"Tyk's rendering fails on {event}, so that it is never delivered ({_line(error)})"
    said = f"{event} has no member {missing[1]}: Tyk drops the event when the template asks for it"
    return f"{said}; here the member is empty"


def _breaks(one: TykHandler) -> bool:
    """Whether the JSON that Tyk makes is well-formed with plain values and broken with others."""
    if _is_default(one):
        return False
    try:
        template = Template.parse(one.handler.body.source, one.handler.body.name, "html", "error", catalogue=False)
        plain, nasty = (_rendered(template, one.hook.event, value) for value in ("", _NASTY))
    except TemplateError:
        return False
    return _is_json(plain) and not _is_json(nasty)


def _differs(one: TykHandler) -> Iterator[Fault]:
    """What differs for this handler beside what differs for all."""
    handler, hook = one.handler, one.hook
    if handler.compat:
        return
    method = hook.meta.method.upper()
    if not method:
        yield hook.place.key("method").fault(f"is not given: Tyk sends GET, here it is {handler.method}")
    elif method in METHODS and method in BODYLESS:
        said = f"Tyk sends a body with {method}, here there is none; compat: tyk sends it"
        yield hook.place.key("method").fault(said)
    path = hook.meta.template_path
    named = any(name.lower() == "content-type" for name, _ in handler.headers)
    if path and not path.endswith(".json") and not named:
        said = f"Tyk sends an empty Content-Type, here it is {handler.content_type}"
        yield hook.place.key("template_path").fault(said)


def _rendered(template: Template, event: str, value: str = "") -> str:
    """What Tyk's rendering gives of the example; with every text in it replaced where a value is given.

    Raises TemplateError.
    """
    known = TYPES.get(event)
    members: dict[str, Any] = {"Message": "m", "OriginatingRequest": ""}
    if known is not None:
        members = {member.name: member.example for member in known.members}
    if value:
        members = {name: _replaced(member, value) for name, member in members.items()}
    # In a map a member that is not there is empty; all that the template may ask for is there then.
    if event in _MAPS:
        asked = {path[1] for path in template.fields() if len(path) > 1 and path[0] == "Meta"}
        members = {**dict.fromkeys(asked, ""), **members}
    data = {"Type": event, "Meta": members, "TimeStamp": "2026-11-23 10:00:00.123456789 +0000 UTC"}
    return template.render(data)


def _replaced(member: Any, value: str) -> Any:
    if isinstance(member, str):
        return value
    if isinstance(member, dict):
        return {name: _replaced(inner, value) for name, inner in member.items()}
    return [_replaced(inner, value) for inner in member] if isinstance(member, list) else member


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _line(error: TemplateError) -> str:
    return error.message.partition("\n")[0]
