"""tyk.conf: the gateway-wide event handlers, the quota monitor, and how webhooks leave the network.

Its `event_handlers` see system events only, those that belong to no API. The monitor is the one handler that
TriggerExceeded ever reaches. `external_services` says proxy and client certificate of every webhook, those of API
definitions too; the rest of the file is none of our business.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Struct

from streamhooks.handlers.tyk_hooks import (
    DEFINITION_MARKS,
    Document,
    Scope,
    TykHook,
    known_section,
    read_events,
    read_meta,
)
from streamhooks.secret import Secret
from streamhooks.settings.model import NONE
from streamhooks.settings.reading import Given, Known, Place, Reader, made
from streamhooks.settings.rules import PEM, PROXY, TEXT, Many, flag

MONITORED = "TriggerExceeded"
GATEWAYS = ("monitor", "external_services", "listen_port", "app_path", "storage", "secret")
"""Keys of a gateway that no API has."""
MARKS = ("event_handlers", *GATEWAYS)
"""Keys by which a file without an API's marks is known to be a tyk.conf."""


def is_conf(data: object, marks: tuple[str, ...] = MARKS) -> bool:
    """Whether it looks like a tyk.conf, which has one of these marks, and not like an API definition."""
    if not isinstance(data, Mapping) or any(mark in data for mark in DEFINITION_MARKS):
        return False
    return any(mark in data for mark in marks)


class Services(Struct, frozen=True):
    """How the gateway's webhooks leave it and the network; empty where tyk.conf does not say."""

    header_names_as_written: bool = False
    """Tyk sends the names of a header map in Go's canonical spelling, unless tyk.conf says otherwise."""

    http_proxy: Given | None = None
    https_proxy: Given | None = None
    bypass: frozenset[str] = frozenset()
    """Hosts, with a port where the URL has one, that are reached without the proxy."""
    tls: Known = {}

    def route(self, target: str) -> Known:
        """What it says of a request to this URL, by the paths of Definition."""
        known = dict(self.tls)
        try:
            parts = urlsplit(target)
        except ValueError:  # no URL: the builder says so
            return known
        # The code of Tyk, not its documentation: an https target falls back to http_proxy, and bypass_proxy is compared
        # with host and port as they are written.
        proxy = (self.https_proxy or self.http_proxy) if parts.scheme.lower() == "https" else self.http_proxy
        if proxy is not None and proxy.value and parts.netloc.rpartition("@")[2] not in self.bypass:
            known[("proxy",)] = proxy
        return known


class _Conf(Struct, frozen=True):
    ignore_canonical_mime_header_key: Annotated[bool, flag()] = False


class _Monitor(Struct, frozen=True):
    enable_trigger_monitors: Annotated[bool, flag()] = False


class _Enabled(Struct, frozen=True):
    enabled: Annotated[bool, flag()] = False


class _Proxy(Struct, frozen=True):
    http_proxy: Annotated[Secret, PROXY] = NONE
    https_proxy: Annotated[Secret, PROXY] = NONE


class _Mtls(Struct, frozen=True):
    cert_file: Annotated[str | Secret, PEM] = ""
    key_file: Annotated[str | Secret, PEM] = ""
    ca_file: Annotated[str | Secret, PEM] = ""
    insecure_skip_verify: Annotated[bool, flag()] = False
    cert_id: Annotated[str, TEXT] = ""
    ca_cert_ids: Annotated[tuple[str, ...], Many(TEXT)] = ()
    tls_min_version: Annotated[str, TEXT] = ""
    tls_max_version: Annotated[str, TEXT] = ""


def read_conf(document: Document) -> list[TykHook]:
    """The hooks of one tyk.conf."""
    place, reader = document.place, document.reader
    data = reader.mapping(document.data, place)
    if any(data.get(mark) for mark in DEFINITION_MARKS):
        reader.faults.append(place.fault("is an API definition and no tyk.conf; name it under tyk.apis"))
        return []
    hooks = read_events(data.get("event_handlers"), place.key("event_handlers"), reader, Scope("conf"))
    at = place.key("monitor")
    monitor = reader.mapping(data.get("monitor"), at)
    if made(_Monitor, known_section(reader, _Monitor, monitor, at)).enable_trigger_monitors:
        hooks += read_meta(
            monitor.get("configuration"), at.key("configuration"), reader, Scope("monitor"), MONITORED
        )  # fmt: skip
    return hooks


def read_services(document: Document) -> Services:
    """The `external_services` of one tyk.conf."""
    place, reader = document.place, document.reader
    data = reader.mapping(document.data, place)
    as_written = made(_Conf, known_section(reader, _Conf, data, place)).ignore_canonical_mime_header_key
    at = place.key("external_services")
    services = reader.mapping(data.get("external_services"), at)
    webhooks, here = reader.mapping(services.get("webhooks"), at.key("webhooks")), at.key("webhooks")
    tls = _tls(webhooks.get("mtls"), here.key("mtls"), reader)
    for said, proxy_place in ((webhooks.get("proxy"), here.key("proxy")), (services.get("global"), at.key("global"))):
        if _enabled(said, proxy_place, reader):
            known = known_section(reader, _Proxy, said, proxy_place)
            bypass = _bypass(reader.mapping(said, proxy_place).get("bypass_proxy"), proxy_place, reader)
            return Services(as_written, known.get(("http_proxy",)), known.get(("https_proxy",)), bypass, tls)
    return Services(as_written, tls=tls)


def _enabled(data: object, place: Place, reader: Reader) -> bool:
    return made(_Enabled, known_section(reader, _Enabled, data, place)).enabled


def _bypass(data: object, place: Place, reader: Reader) -> frozenset[str]:
    """One text with commas; a list means the same."""
    if isinstance(data, str):
        return frozenset(name.strip() for name in data.split(",") if name.strip())
    known: Known = {}
    reader.value(Many(TEXT), data, place.key("bypass_proxy"), ("bypass",), known)
    return frozenset(known[("bypass",)].value) if known else frozenset()


def _tls(data: object, place: Place, reader: Reader) -> Known:
    if not _enabled(data, place, reader):
        return {}
    known = known_section(reader, _Mtls, data, place)
    said = made(_Mtls, known)
    files = said.cert_file or said.ca_file
    for key, given in (("cert_id", said.cert_id), ("ca_cert_ids", said.ca_cert_ids)):
        if given:
            message = "names a certificate in Tyk's own store, which only Tyk can read; "
            message += "the files beside it are used" if files else "give files under defaults.tls"
            reader.warnings.append(place.key(key).fault(message))
    for key, text in (("tls_min_version", said.tls_min_version), ("tls_max_version", said.tls_max_version)):
        if text:
            reader.warnings.append(place.key(key).fault("has no effect on webhooks, here as in Tyk"))
    names = ("ca_file", "cert_file", "key_file", "insecure_skip_verify")
    return {("tls", name): known[(name,)] for name in names if (name,) in known and known[(name,)].value}
