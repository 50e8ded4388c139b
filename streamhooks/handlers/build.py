"""From the checked keys of one handler to a Handler that is ready to run, or to every fault that keeps it from that.

own.py, seed.py and tyk.py read three forms into the same keys; this is the one place that gives them their meaning.
"""

import copy
import difflib
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from msgspec import Struct

from streamhooks.errors import Fault, TemplateError
from streamhooks.event_types import NAMES
from streamhooks.handlers.actions import OPEN, pieces
from streamhooks.handlers.definition import Definition, HmacSign
from streamhooks.handlers.handler import BodySignature, Escape, Handler, HeaderText, Text
from streamhooks.handlers.identity import handler_id
from streamhooks.handlers.policies import breaker_policy, route, schedule
from streamhooks.handlers.refusals import Refusals, repeated
from streamhooks.handlers.target import Target, parse_target
from streamhooks.own_events import MEANINGS
from streamhooks.secret import Secret, names_credential, revealed
from streamhooks.settings import Defaults
from streamhooks.settings.policy import contradictions, overlaid
from streamhooks.settings.reading import Known, Place, made, shown
from streamhooks.settings.rules import RefusedError
from streamhooks.template import Template

_KNOWN = (*NAMES, *MEANINGS)
"""Tyk's event types and our own."""
DEFAULT_TEMPLATE = "default_webhook.json"
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")
CONTENT_TYPES: dict[str, str] = {
    "json": "application/json",
    "xml": "application/xml",
    "csv": "text/csv",
    "form": "application/x-www-form-urlencoded",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_BY_ENDING: dict[str, Escape] = {"json": "json", "xml": "xml", "csv": "csv", "form": "form", "txt": "text"}
_BY_START: dict[str, Escape] = {"{": "json", "[": "json", "<": "xml"}


class TemplateSource(Struct, frozen=True):
    """A template file that was found."""

    path: str
    text: str


class _Body(Struct, frozen=True):
    template: Template
    escape: Escape


FindTemplate = Callable[[str, str], TemplateSource]
"""Takes `template_path` and the folder of the file that names it; raises RefusedError where nothing is found."""


class Written(Struct, frozen=True):
    """One handler as somebody wrote it."""

    known: Known
    """What is good of it, by the paths of Definition."""
    keys: frozenset[str]
    """Every key that was given a value, good or not: what is faulty is not missing."""
    place: Place
    base: str
    """The folder of its file."""

    def lacks(self, key: str) -> bool:
        return key not in self.keys or ((key,) in self.known and not self.known[(key,)].value)


def keys_of(data: Mapping[Any, Any]) -> frozenset[str]:
    return frozenset(key for key, value in data.items() if isinstance(key, str) and value is not None)


class Builder:
    """Makes handlers of one configuration; its faults and warnings are added to the lists given."""

    def __init__(
        self, defaults: Known, find: FindTemplate, refusals: Refusals, faults: list[Fault], warnings: list[Fault]
    ) -> None:
        self.faults = faults
        self.warnings = warnings
        self._defaults = defaults
        self._inherited = set(contradictions(defaults, made(Defaults, defaults)))
        self._places: dict[str, Place] = {}
        self._find = find
        self._refusals = refusals
        self._compiled: dict[tuple[str, str], Template | None] = {}

    def finding(self, find: FindTemplate, refusals: Refusals) -> "Builder":
        """The same builder, its ids and compiled templates shared, that finds templates and refuses in another way."""
        other = copy.copy(self)
        other._find, other._refusals = find, refusals
        return other

    def build(self, written: Written, on: tuple[str, ...]) -> Handler | None:
        """The handler that `on` fires; None where it has faults, which are noted."""
        before = len(self.faults)
        place = written.place
        merged = overlaid(self._defaults, written.known)
        definition = made(Definition, merged)
        for path, message in contradictions(merged, definition):
            if (path, message) not in self._inherited:
                self.faults.append(place.key(path).fault(message))
        self._check_events(on, place)
        method = self._method(definition, place)
        name = handler_id(definition, on, method)
        self._check_id(name, place)
        target = self._target(definition, written)
        request_path: Text = self._path(target, place) if target else ""
        headers = self._headers(definition, place)
        body = self._body(definition, written)
        when = self._when(definition.when, place.key("when")) if definition.when else None
        self._check_signing(definition, written)
        self._warn_unchecked(definition, merged)
        if target is None or body is None or len(self.faults) > before:
            return None
        return Handler(
            id=name,
            on=on,
            body=body.template,
            target=definition.target_path,
            origin=target.origin,
            method=method,
            path=request_path,
            headers=headers,
            event_timeout=definition.event_timeout,
            escape=body.escape,
            compat="tyk" if definition.compat else "",
            apis=frozenset(definition.apis),
            orgs=frozenset(definition.orgs),
            when=when,
            content_type=_content_type(definition, body.escape),
            secrets=definition.sign.secrets,
            body_signature=_body_signature(definition.sign.hmac),
            timeout=definition.timeout,
            concurrency=definition.concurrency,
            rate_limit=definition.rate_limit,
            expose_originating_request=definition.expose_originating_request,
            retry=schedule(definition),
            breaker=breaker_policy(definition),
            route=route(definition),
            place=str(place),
        )

    def _when(self, text: str, place: Place) -> Template | None:
        """A condition without an action is always the same, and nearly always the braces were forgotten."""
        if OPEN not in text and text.strip() != "true":
            way_out = 'write a condition such as {{ eq .APIID "payments" }}'
            self.faults.append(place.fault(f'is {shown(text)}, which never renders "true"; {way_out}'))
            return None
        return self._inline(text, "text", place)

    def _check_events(self, on: tuple[str, ...], place: Place) -> None:
        """A type that Tyk does not fire is as good as any; one that nearly is Tyk's is a slip of the pen."""
        for pattern in on:
            near = (
                []
                if pattern in _KNOWN or pattern[-1] == "*"
                else difflib.get_close_matches(pattern, _KNOWN, n=1, cutoff=0.85)
            )
            if near:
                self.warnings.append(place.fault(f'listens to "{pattern}"; there is no such event, but "{near[0]}"'))

    def _check_id(self, name: str, place: Place) -> None:
        before = self._places.setdefault(name, place)
        if before is not place:
            self.faults.append(place.fault(f'has the id "{name}", as has {before}; give each an id of its own'))

    def _method(self, definition: Definition, place: Place) -> str:
        method = definition.method.upper()
        if method in METHODS:
            return method
        if definition.compat == "tyk":
            if method:
                self.warnings.append(
                    place.key("method").fault(f"is {shown(definition.method)}; sent as GET, as by Tyk")
                )
            return "GET"
        if method:
            said = f"is {shown(definition.method)}; must be one of {', '.join(METHODS)}"
            self.faults.append(place.key("method").fault(said))
        return "POST"

    def _target(self, definition: Definition, written: Written) -> Target | None:
        place = written.place.key("target_path")
        if written.lacks("target_path"):
            self.faults.append(place.fault("is missing; give the URL that the webhook goes to"))
        if not definition.target_path:
            return None
        try:
            target = parse_target(definition.target_path)
        except RefusedError as refusal:
            self.faults.append(place.fault(str(refusal)))
            return None
        # Through a proxy we connect to the proxy alone; what may be reached behind it is the proxy's to say.
        wrong = "" if definition.proxy else self._refusals.target(target.host, definition.allow_cidrs)
        if wrong:
            self.faults.append(place.fault(wrong))
        return target

    def _path(self, target: Target, place: Place) -> Text:
        if not target.templated:
            return target.path
        return self._inline(target.path, "url", place.key("target_path")) or ""

    def _headers(self, definition: Definition, place: Place) -> tuple[tuple[str, HeaderText], ...]:
        place = place.key("header_map")
        headers: list[tuple[str, HeaderText]] = []
        for name, value in definition.header_map.items():
            at = place.key(name)
            wrong = self._refusals.header_name(name)
            wrong = wrong or self._refusals.header_value(revealed(value), definition.compat == "tyk")
            if wrong:
                self.faults.append(at.fault(wrong))
            headers.append((name, value if wrong else self._header(name, value, definition.compat == "tyk", at)))
        if (twice := repeated(list(definition.header_map))) is not None:
            self.faults.append(place.fault(f'has "{twice[0]}" and "{twice[1]}", which are one header; keep one'))
        size = sum(self._refusals.header_length(name, revealed(value)) for name, value in definition.header_map.items())
        if size > self._refusals.header_bytes:
            self.faults.append(place.fault(f"is {size} bytes; must be at most {self._refusals.header_bytes} in all"))
        return tuple(headers)

    def _header(self, name: str, value: str | Secret, as_tyk: bool, place: Place) -> HeaderText:
        """What was referred to is never a template: its text may hold anything, and a fault would quote it."""
        # Tyk renders no header values: what looks like an action is sent as it stands.
        if isinstance(value, str) and OPEN in value and not as_tyk:
            return self._inline(value, "text", place) or ""
        return Secret(revealed(value)) if names_credential(name) else value

    def _body(self, definition: Definition, written: Written) -> _Body | None:
        try:
            source = self._find(definition.template_path or DEFAULT_TEMPLATE, written.base)
        except RefusedError as refusal:
            self.faults.append(written.place.key("template_path").fault(str(refusal)))
            return None
        escape = _escape(definition, source)
        template = self._compile(source, escape)
        return None if template is None else _Body(template, escape)

    def _inline(self, text: str, escape: Literal["text", "url"], place: Place) -> Template | None:
        try:
            return Template.parse(text, name=place.path.rpartition(".")[2], escape=escape)
        except TemplateError as error:
            self.faults.append(place.fault(str(error)))
            return None

    def _compile(self, source: TemplateSource, escape: Escape) -> Template | None:
        """The body, parsed once for all handlers that use the same file; so its fault is told once, too."""
        key = (source.path, escape)
        if key not in self._compiled:
            name = source.path.rpartition("/")[2]
            try:
                self._compiled[key] = Template.parse(source.text, name=name, escape=escape)
            except TemplateError as error:
                self._compiled[key] = None
                self.faults.append(Fault(source.path, "", str(error)))
        return self._compiled[key]

    def _warn_unchecked(self, definition: Definition, merged: Known) -> None:
        if definition.tls.insecure_skip_verify:
            said = "anybody on the way can read and answer these webhooks; if you can, give the endpoint's tls.ca_file"
            self.warnings.append(merged[("tls", "insecure_skip_verify")].place.fault(said))

    def _check_signing(self, definition: Definition, written: Written) -> None:
        sign, place = definition.sign, written.place.key("sign")
        at = place.key("secrets")
        said = {path[1] for path in written.known if path[0] == "sign"}
        if "secrets" in said and not sign.secrets:
            self.faults.append(at.fault("must name at least one secret; without sign nothing is signed"))
        for index, secret in enumerate(sign.secrets):
            if wrong := self._refusals.secret(secret):
                self.faults.append(at.item(index).fault(wrong))
        if "hmac" in said:
            self._check_hmac(sign.hmac, definition, place.key("hmac"))
        elif "sign" in written.keys and not said and not any(_is_inside(fault, place) for fault in self.faults):
            self.faults.append(place.fault("must name secrets, or hmac with one; without sign nothing is signed"))

    def _check_hmac(self, hmac: HmacSign, definition: Definition, place: Place) -> None:
        secrets = place.key("secrets")
        if not hmac.secrets and not any(_is_inside(fault, secrets) for fault in self.faults):
            self.faults.append(secrets.fault("must name a secret; without one the header is not sent"))
        if len(hmac.secrets) > 1:
            said = (
                "must name one secret: the header holds one signature; while it is exchanged let the receiver take both"
            )
            self.faults.append(secrets.fault(said))
        for index, secret in enumerate(hmac.secrets):
            if wrong := self._refusals.text_secret(secret):
                self.faults.append(secrets.item(index).fault(wrong))
        name = hmac.header.lower()
        wrong = self._refusals.header_name(hmac.header)
        if name in {"content-type", "user-agent", *(other.lower() for other in definition.header_map)}:
            wrong = f"{hmac.header} is sent already; name another one"
        if wrong:
            self.faults.append(place.key("header").fault(wrong))
        if wrong := self._refusals.header_value(hmac.prefix, False):
            self.faults.append(place.key("prefix").fault(wrong))


def _is_inside(fault: Fault, place: Place) -> bool:
    return fault.file == place.file and fault.path.startswith(place.path)


def _body_signature(hmac: HmacSign) -> BodySignature | None:
    return BodySignature(hmac.header, hmac.secrets[0], hmac.prefix) if hmac.secrets else None


def _escape(definition: Definition, source: TemplateSource) -> Escape:
    if definition.escape != "auto":
        return cast("Escape", definition.escape)
    if definition.compat == "tyk":
        return "html"
    ending = source.path.rpartition("/")[2].rpartition(".")[2].lower()
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    constant = "".join(piece for is_action, piece in pieces(source.text) if not is_action).lstrip()
    return _BY_START.get(constant[:1], "text")


def _content_type(definition: Definition, escape: Escape) -> str:
    if definition.compat == "tyk":
        # Tyk looks at the name in the configuration only, and sends an empty Content-Type for any other.
        json = not definition.template_path or definition.template_path.endswith(".json")
        return CONTENT_TYPES["json"] if json else ""
    return CONTENT_TYPES[escape]
