"""What `check` says of Tyk's own files: what Tyk gets wrong with them, and what differs here.

Most notes are found by trying, in tyk_templates.py. Only Tyk's own default template is not at hand; its defects are
known and stand below.
"""

import re
from collections.abc import Iterator, Sequence

from streamhooks.cli.masking import WITHHELD
from streamhooks.cli.tyk_templates import MAPS, NASTY, is_json, parsed, rendered
from streamhooks.delivery.fingerprint import CERTIFICATE_TYPES
from streamhooks.delivery.request import BODYLESS
from streamhooks.errors import Fault, TemplateError
from streamhooks.event_types import TYPES
from streamhooks.handlers.build import DEFAULT_TEMPLATE, METHODS
from streamhooks.handlers.tyk import TykHandler
from streamhooks.handlers.tyk_conf import MONITORED
from streamhooks.settings.reading import Place

SYSTEM_EVENTS = frozenset({"TokenCreated", "TokenUpdated", "TokenDeleted"})
"""With those of a gateway's plug-ins, all that the handlers of tyk.conf ever see."""
_DROPS = {"VersionFailure": "Reason", "TriggerExceeded": "UsagePercentage"}
_NO_ENTRY = re.compile(r'map has no entry for key "([^"]*)"')
_WAYS = {
    ("proxy",): "{} through this proxy, here as in Tyk; what may be reached behind it is the proxy's to say",
    ("tls", "cert_file"): "{} with this client certificate, here as in Tyk",
    ("tls", "ca_file"): "{} with the target's certificate checked by this authority, here as in Tyk",
    ("tls", "insecure_skip_verify"): "{} whatever certificate the target shows, here as in Tyk",
}


def notes(found: Sequence[TykHandler], *, shared: bool = False) -> list[Fault]:
    """Every note, once, in the order of the files. `shared`: one cool-down with Tyk is asked for."""
    told = [note for one in found for note in notes_of(one)] + [*_breaking(found), *_ways(found)]
    if shared:
        told += [note for one in found for note in _unshared(one)]
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
    return [*_cool_down(one), *_trigger(one), *_template(one), *_withheld(one), *_differs(one)]


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


def _ways(found: Sequence[TykHandler]) -> Iterator[Fault]:
    """What tyk.conf says of proxy and certificates, with how many webhooks it concerns."""
    concerned: dict[tuple[Place, str], int] = {}
    for one in found:
        for path, given in one.way.items():
            if said := _WAYS.get(path):
                concerned[given.place, said] = concerned.get((given.place, said), 0) + 1
    for (place, said), count in concerned.items():
        goes = "1 webhook goes" if count == 1 else f"{count} webhooks go"
        yield place.fault(said.format(goes))


def _unshared(one: TykHandler) -> Iterator[Fault]:
    """Whether Tyk would compute another fingerprint; those of certificates are made without the body."""
    if not one.handler.event_timeout or one.hook.event in CERTIFICATE_TYPES:
        return
    if not one.handler.compat:
        why = "its body is not escaped as Tyk's is; with compat: tyk it is"
    elif _is_default(one):
        why = "our default template is not Tyk's; give it a template of its own"
    elif any(_withheld(one)):
        why = f"{WITHHELD} is empty here; expose_originating_request: true sends it"
    elif not _parses(one):
        why = "Tyk cannot parse the template and sends its default one"
    else:
        return
    yield one.hook.place.fault(f"shares no cool-down with Tyk, so that both send: {why}")


def _cool_down(one: TykHandler) -> Iterator[Fault]:
    if not one.hook.meta.event_timeout:
        counts = "is 0" if "event_timeout" in one.hook.keys else "is not given, which counts as 0"
        said = f"{counts}: Tyk then marks a request for ever and sends it once, ever; here there is no cool-down"
        yield one.hook.place.key("event_timeout").fault(said)


def _trigger(one: TykHandler) -> Iterator[Fault]:
    hook = one.hook
    if hook.kind == "monitor":
        return
    if hook.event == MONITORED:
        said = f"never fires in Tyk: {MONITORED} reaches the monitor of tyk.conf only"
        whose = f"with api_id {hook.api_id}" if hook.api_id else "without api_id"
        yield hook.place.fault(f"{said}; here it fires for events {whose}")
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
    try:
        template = parsed(one.handler.body)
    except TemplateError as error:
        if error.kind == "escape":  # html/template escapes more than we do for it; what it makes is not known here
            return
        said = f"Tyk cannot parse it and sends its default template without a word ({_line(error)}); here it is sent"
        yield place.fault(said)
        return
    try:
        made = rendered(template, one.hook.event)
    except TemplateError as error:
        yield place.fault(_failing(error, one.hook.event))
        return
    if path.endswith(".json") and not is_json(made):
        yield place.fault(f"Tyk's rendering of {one.hook.event} is no JSON")


def _parses(one: TykHandler) -> bool:
    try:
        parsed(one.handler.body)
    except TemplateError as error:
        return error.kind == "escape"
    return True


def _survives(one: TykHandler) -> bool:
    """Whether the handler's own body is JSON; one that fails is told of as a fault, not here."""
    try:
        return is_json(rendered(one.handler.body, one.hook.event))
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
    elif event in MAPS:
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
        template = parsed(one.handler.body)
        plain, nasty = (rendered(template, one.hook.event, text=text) for text in ("", NASTY))
    except TemplateError:
        return False
    return is_json(plain) and not is_json(nasty)


def _withheld(one: TykHandler) -> Iterator[Fault]:
    asked = {path[1] for path in one.handler.body.fields() if len(path) > 1 and path[0] in ("Meta", "EventMetaData")}
    if WITHHELD in asked and not one.handler.expose_originating_request:
        said = (
            f"asks for {WITHHELD}, the caller's whole request with its credentials: Tyk sends it, here it is empty "
            "unless the webhook says expose_originating_request: true"
        )
        yield one.hook.place.key("template_path").fault(said)


def _times(one: TykHandler) -> Iterator[Fault]:
    """Times come as RFC 3339 and durations as nanoseconds, where Tyk's templates have Go's own values."""
    try:
        template = parsed(one.handler.body)
        in_tyk = rendered(template, one.hook.event)
    except TemplateError:  # told of by _template
        return
    try:
        if rendered(template, one.hook.event, go_values=False) == in_tyk:
            return
        said = "Tyk prints times and durations as Go does, here they stand as in JSON"
    except TemplateError:
        said = "Tyk has times and durations with Go's methods, here they are a text and a number"
    yield one.hook.place.key("template_path").fault(f"{said}; with compat: tyk they are as in Tyk")


def _differs(one: TykHandler) -> Iterator[Fault]:
    """What differs for this handler beside what differs for all."""
    handler, hook = one.handler, one.hook
    if handler.compat:
        return
    yield from _times(one)
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


def _line(error: TemplateError) -> str:
    return error.message.partition("\n")[0]
