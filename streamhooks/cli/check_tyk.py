"""What `check` says of Tyk's own files: what Tyk gets wrong with them, and what differs here.

The notes on templates are in check_tyk_templates.py.
"""

from collections.abc import Iterator, Sequence

from streamhooks.cli.check_tyk_templates import asks_for_request, breaking, is_ours, template_notes, tyk_parses
from streamhooks.delivery.fingerprint import CERTIFICATE_TYPES
from streamhooks.delivery.masking import WITHHELD
from streamhooks.delivery.request import BODYLESS
from streamhooks.errors import Fault
from streamhooks.event_types import SYSTEM_EVENTS, TYPES
from streamhooks.handlers.build import METHODS
from streamhooks.handlers.tyk import TykHandler
from streamhooks.handlers.tyk_conf import MONITORED
from streamhooks.settings.reading import Place

_WAYS = {
    ("proxy",): "{} through this proxy, here as in Tyk; what may be reached behind it is the proxy's to say",
    ("tls", "cert_file"): "{} with this client certificate, here as in Tyk",
    ("tls", "ca_file"): "{} with the target's certificate checked by this authority, here as in Tyk",
    ("tls", "insecure_skip_verify"): "{} whatever certificate the target shows, here as in Tyk",
}


def notes(found: Sequence[TykHandler], *, shared: bool = False) -> list[Fault]:
    """Every note, once, in the order of the files. `shared`: one cool-down with Tyk is asked for."""
    told = [note for one in found for note in notes_of(one)] + [*breaking(found), *_ways(found)]
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
    return [*_cool_down(one), *_trigger(one), *template_notes(one), *_differs(one)]


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
    elif is_ours(one):
        why = "our default template is not Tyk's; name a template, or put Tyk's own where it is looked for"
    elif asks_for_request(one):
        why = f"{WITHHELD} is empty here; expose_originating_request: true sends it"
    elif not tyk_parses(one):
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
