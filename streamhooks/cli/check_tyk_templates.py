"""What `check` says of the templates that Tyk's files name, in Tyk's hands and in ours.

Notes are found by trying, in tyk_rendering.py. Only Tyk's own default template may not be at hand: then ours is sent in
its place, and what is known to be wrong with Tyk's stands below.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from streamhooks.cli.tyk_rendering import MAPS, NASTY, is_json, parsed, rendered
from streamhooks.delivery.masking import WITHHELD
from streamhooks.errors import Fault, TemplateError
from streamhooks.event_types import SYSTEM_EVENTS, TYPES
from streamhooks.files import SHIPPED
from streamhooks.handlers.build import DEFAULT_TEMPLATE
from streamhooks.handlers.tyk import TykHandler
from streamhooks.template import Template

_DROPS = {"VersionFailure": "Reason", "TriggerExceeded": "UsagePercentage"}
"""Members that Tyk's default template leaves out."""
_NO_ENTRY = re.compile(r'map has no entry for key "([^"]*)"')


def template_notes(one: TykHandler) -> list[Fault]:
    """The notes on the template of one handler."""
    place = one.hook.place.key("template_path")
    told = [*_our_default(one)] if is_ours(one) else [*_in_tyk(one), *_differs(one)]
    return [place.fault(said) for said in told]


def breaking(found: Sequence[TykHandler]) -> Iterator[Fault]:
    """The templates whose JSON does not survive every value, each at the first handler that names it."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        path = one.hook.meta.template_path or DEFAULT_TEMPLATE
        if (path, one.handler.compat) in seen or not path.endswith(".json") or not _breaks(one):
            continue
        seen.add((path, one.handler.compat))
        escaped = "with compat: tyk here as well" if one.handler.compat else "here values are escaped as JSON"
        said = f"a backslash or line break in a value breaks the JSON that Tyk makes with it; {escaped}"
        yield one.hook.place.key("template_path").fault(said)


def is_ours(one: TykHandler) -> bool:
    """Whether our own default template stands in for Tyk's."""
    return _names_default(one) and one.handler.body.source == _shipped_default()


def tyk_parses(one: TykHandler) -> bool:
    try:
        _parsed(one)
    except TemplateError as error:
        return error.kind == "escape"
    return True


def asks_for_request(one: TykHandler) -> bool:
    """Whether the template reads the member that is withheld from it."""
    read = {path[1] for path in one.handler.body.fields() if len(path) > 1 and path[0] in ("Meta", "EventMetaData")}
    return WITHHELD in read and not one.handler.expose_originating_request


@cache
def _shipped_default() -> str:
    return (SHIPPED / DEFAULT_TEMPLATE).read_text("utf-8")


def _names_default(one: TykHandler) -> bool:
    path = one.hook.meta.template_path
    return not path or path.rpartition("/")[2] == DEFAULT_TEMPLATE


def _parsed(one: TykHandler) -> Template:
    """As Tyk parses it, which gives its default template alone functions besides Go's. Raises TemplateError."""
    return parsed(one.handler.body, functions=_names_default(one))


def _our_default(one: TykHandler) -> Iterator[str]:
    event = one.hook.event
    if event == "UpstreamOAuthError":
        yield "Tyk's default template makes broken JSON of UpstreamOAuthError (a trailing comma); ours does not"
    elif event in SYSTEM_EVENTS or event not in TYPES:
        yield f"Tyk's default template fails on {event}, so that it is never delivered; ours does not"
    elif event in MAPS:
        yield f"Tyk's default template leaves every value of {event} empty; ours does not"
    elif event in _DROPS:
        yield f"Tyk's default template leaves {_DROPS[event]} of {event} out; ours does not"
    if one.handler.compat and not _survives(one):
        said = f"our default template makes no JSON of {event} when it is escaped for HTML"
        yield f"{said}; leave compat: tyk out here, or say escape: json"


def _survives(one: TykHandler) -> bool:
    """Whether the handler's own body is JSON; one that fails is told of as a fault, not here."""
    try:
        return is_json(rendered(one.handler.body, one.hook.event))
    except TemplateError:
        return True


def _in_tyk(one: TykHandler) -> Iterator[str]:
    event = one.hook.event
    try:
        template = _parsed(one)
    except TemplateError as error:
        if error.kind != "escape":  # html/template escapes more than we do for it; what it makes is not known here
            yield f"Tyk cannot parse it and sends its default template without a word ({_line(error)}); here it is sent"
        return
    try:
        made = rendered(template, event)
    except TemplateError as error:
        yield _failing(error, event)
        return
    if (one.hook.meta.template_path or DEFAULT_TEMPLATE).endswith(".json") and not is_json(made):
        yield f"Tyk's rendering of {event} is no JSON"


def _failing(error: TemplateError, event: str) -> str:
    missing = _NO_ENTRY.search(error.message)
    if missing is None:
        return f"Tyk's rendering fails on {event}, so that it is never delivered ({_line(error)})"
    said = f"{event} has no member {missing[1]}: Tyk drops the event when the template asks for it"
    return f"{said}; here the member is empty"


def _breaks(one: TykHandler) -> bool:
    """Whether the JSON that Tyk makes is well-formed with plain values and broken with others."""
    if is_ours(one):
        return True  # Tyk's own puts its values into JSON strings as any other
    try:
        template = _parsed(one)
        plain, nasty = (rendered(template, one.hook.event, text=text) for text in ("", NASTY))
    except TemplateError:
        return False
    return is_json(plain) and not is_json(nasty)


def _differs(one: TykHandler) -> Iterator[str]:
    """What the template gives in Tyk and does not give here."""
    if asks_for_request(one):
        yield (
            f"asks for {WITHHELD}, the caller's whole request with its credentials: Tyk sends it, here it is empty "
            "unless the webhook says expose_originating_request: true"
        )
    if one.handler.compat:
        return
    try:
        template = _parsed(one)
        in_tyk = rendered(template, one.hook.event)
    except TemplateError:  # told of already
        return
    try:
        if rendered(template, one.hook.event, go_values=False) == in_tyk:
            return
        said = "Tyk prints times and durations as Go does, here they stand as in JSON"
    except TemplateError:
        said = "Tyk has times and durations with Go's methods, here they are a text and a number"
    yield f"{said}; with compat: tyk they are as in Tyk"


def _line(error: TemplateError) -> str:
    return error.message.partition("\n")[0]
