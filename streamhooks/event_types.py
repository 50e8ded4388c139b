"""The 24 event types that Tyk fires, as data: their members, how JSON spells them, and an example of each.

One table is the only place that knows them. Templates use Go's names (`.Meta.TriggerLimit`), Tyk's JSON sometimes
another (`trigger_limit`): `aliases` says which. Gateways that write flat fields use lower case (`message`):
`canonical_member` gives Tyk's spelling. A type that is not in the table is as good as any other: it has no aliases
and its example carries a message only, because a gateway's plug-in may fire events of any name.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from streamhooks.model import Event
from streamhooks.own_events import is_own

TypeWord: TypeAlias = Literal["string", "int", "time", "bool", "list", "map"]
"""What a member's JSON value is; `time` is an RFC 3339 string."""


class Member(Struct, frozen=True):
    """One member of an event's Meta."""

    name: str
    """As templates name it."""
    json: str
    """As Tyk's JSON names it."""
    type: TypeWord
    example: Any


class EventType(Struct, frozen=True):
    """One of Tyk's event types."""

    name: str
    members: tuple[Member, ...]
    message: str
    """An example of `Message`; empty for the three types that carry none."""


def _member(name: str, example: Any, type: TypeWord = "string", *, json: str = "") -> Member:
    return Member(name, json or name, type, example)


_PATH = _member("Path", "/orders/7")
_ORIGIN = _member("Origin", "203.0.113.7")
_KEY = _member("Key", "5d8e1c0fa2b74f6a9c3e")
_APIID = _member("APIID", "payments")
_REQUEST = _member("OriginatingRequest", "R0VUIC9vcmRlcnMvNyBIVFRQLzEuMQ0KSG9zdDogYXBpLmV4YW1wbGUuY29tDQoNCg==")
"""The wire request in base64, its credentials included: no template sees it unless a handler asks for it."""

_KEYED = (_PATH, _ORIGIN, _KEY)

_HOST_INFO = _member(
    "HostInfo",
    {
        "CheckURL": "http://10.0.3.4:8000/health",
        "Protocol": "http",
        "Timeout": 2_000_000_000,
        "EnableProxyProtocol": False,
        "Commands": [{"name": "send", "message": "PING"}],
        "Method": "GET",
        "Headers": {"Host": "orders.internal"},
        "Body": "",
        "MetaData": {"target_url": "http://10.0.3.4:8000", "api_id": "payments", "host_name": "10.0.3.4:8000"},
        "ResponseCode": 503,
        "Latency": 12.5,
        "IsTCPError": False,
    },
    "map",
)

_CERTIFICATE = (
    _member("CertID", "9f2c4e71a0b85d36", json="cert_id"),
    _member("CertName", "api.example.com", json="cert_name"),
)
_CERTIFICATE_PLACE = (
    _member("APIID", "payments", json="api_id"),
    _member("CertRole", "client", json="cert_role"),
)

_TOKEN = (_member("Org", "acme"), _KEY)
_BREAKER = (_PATH, _APIID, _member("CircuitEvent", 0, "int"))
_BREAKER_RESET = (_PATH, _APIID, _member("CircuitEvent", 1, "int"))

_EXCHANGE = (
    _member("oauth2_api_id", "payments"),
    _member("oauth2_provider", "idp.example.com"),
    _member("oauth2_exchange_outcome", "success"),
    _member("oauth2_exchange_cache_hit", False, "bool"),
    _member("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
    _member("oauth2_subject_azp", "mobile-app"),
    _member("oauth2_exchanged_azp", "payments-service"),
    _member("oauth2_audience", "https://payments.example.com"),
    _member("oauth2_scopes_requested", ["payments:write"], "list"),
)


def _event(name: str, message: str, *members: Member) -> EventType:
    """An event type whose Meta is one of Tyk's structs: all of them begin with a message and the request."""
    return EventType(name, (_member("Message", message), *members, _REQUEST), message)


_TABLE: tuple[EventType, ...] = (
    _event("QuotaExceeded", "Key Quota Limit Exceeded", *_KEYED),
    _event("RatelimitExceeded", "Rate Limit Exceeded", *_KEYED),
    _event("RateLimitSmoothingUp", "Rate limit increased with smoothing", *_KEYED),
    _event("RateLimitSmoothingDown", "Rate limit decreased with smoothing", *_KEYED),
    _event("AuthFailure", "Auth Failure", *_KEYED),
    _event("KeyExpired", "Attempted access from expired key.", *_KEYED),
    _event("OrgQuotaExceeded", "Organisation quota has been exceeded", *_KEYED),
    _event("OrgRateLimitExceeded", "Organisation rate limit has been exceeded", *_KEYED),
    _event(
        "VersionFailure",
        "Attempted access to disallowed version / path.",
        *_KEYED,
        _member("Reason", "Requested endpoint is forbidden"),
    ),
    _event("BreakerTriggered", "Breaker Tripped", *_BREAKER),
    _event("BreakerTripped", "Breaker Tripped", *_BREAKER),
    _event("BreakerReset", "Breaker Reset", *_BREAKER_RESET),
    _event("HostDown", "Uptime test failed", _HOST_INFO),
    _event("HostUp", "Uptime test succeeded", _HOST_INFO),
    _event(
        "TriggerExceeded",
        "Quota trigger reached",
        _member("OrgID", "acme", json="org_id"),
        _member("Key", "5d8e1c0fa2b74f6a9c3e", json="key"),
        _member("TriggerLimit", 80, "int", json="trigger_limit"),
        _member("UsagePercentage", 83, "int", json="usage_percentage"),
    ),
    _event("TokenCreated", "Key generated.", *_TOKEN),
    _event("TokenUpdated", "Key modified.", *_TOKEN),
    _event("TokenDeleted", "Key deleted.", *_TOKEN),
    _event("UpstreamOAuthError", "token endpoint answered 401", _APIID),
    _event(
        "CertificateExpiringSoon",
        "Certificate api.example.com is expiring in 9 days",
        *_CERTIFICATE,
        _member("ExpiresAt", "2026-12-02T00:00:00Z", "time", json="expires_at"),
        _member("DaysRemaining", 9, "int", json="days_remaining"),
        *_CERTIFICATE_PLACE,
    ),
    _event(
        "CertificateExpired",
        "Certificate api.example.com is expired since 4 days",
        *_CERTIFICATE,
        _member("ExpiredAt", "2026-11-19T00:00:00Z", "time", json="expired_at"),
        _member("DaysSinceExpiry", 4, "int", json="days_since_expiry"),
        *_CERTIFICATE_PLACE,
    ),
    EventType(
        "OAuth2ScopeCheckFailed",
        (
            _member("oauth2_subject_jti", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
            _member("oauth2_subject_azp", "mobile-app"),
            _member("required_scopes", ["payments:write"], "list"),
            _member("required_alternatives", [["payments:admin"], ["payments:write", "mfa"]], "list"),
            _member("granted_scopes", ["payments:read"], "list"),
            _member("path", "/orders/7"),
            _member("method", "POST"),
            _member("oauth2_api_id", "payments"),
        ),
        "",
    ),
    EventType("OAuth2ExchangeSucceeded", _EXCHANGE, ""),
    EventType(
        "OAuth2ExchangeFailed",
        (
            *(m for m in _EXCHANGE if m.name != "oauth2_exchange_outcome"),
            _member("oauth2_exchange_outcome", "idp_error"),
            _member("oauth2_idp_error", "invalid_grant"),
            _member("oauth2_idp_error_description", "subject token has expired"),
        ),
        "",
    ),
)

TYPES: Mapping[str, EventType] = MappingProxyType({entry.name: entry for entry in _TABLE})
"""Every type of the table by its name, in the table's order."""

NAMES: tuple[str, ...] = tuple(TYPES)

SYSTEM_EVENTS = frozenset({"TokenCreated", "TokenUpdated", "TokenDeleted"})
"""With those of a gateway's plug-ins, all that the handlers of tyk.conf ever see."""

_NONE: Mapping[str, str] = MappingProxyType({})

_ALIASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        entry.name: MappingProxyType({m.json: m.name for m in entry.members if m.json != m.name})
        for entry in _TABLE
        if any(m.json != m.name for m in entry.members)
    }
)

_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {m.name.lower(): m.name for entry in _TABLE for m in entry.members if not m.name.islower()}
)

_OWN_LOWER_CASE: Mapping[str, frozenset[str]] = MappingProxyType(
    {entry.name: frozenset(m.name for m in entry.members if m.name.islower()) for entry in _TABLE}
)


def aliases(type: str) -> Mapping[str, str]:
    """JSON name -> Go name of the members of `type`, only where they differ; empty for types that are not Tyk's."""
    return _ALIASES.get(type, _NONE)


def canonical_member(name: str, type: str = "") -> str:
    """Tyk's spelling of a lower-case member (`message` -> `Message`); a name that is not Tyk's stays as it is.

    With `type` given, a name that this very type spells in lower case stays too: `path` of OAuth2ScopeCheckFailed.
    """
    if name in _OWN_LOWER_CASE.get(type, ()):
        return name
    return _SPELLINGS.get(name, name)


def example(type: str) -> Event:
    """An event of `type` as Tyk's JSON would bring it; for another type a plausible one with a message."""
    known = TYPES.get(type)
    meta = {m.json: _copy(m.example) for m in known.members} if known else {"Message": f"{type} was fired"}
    if is_own(type):
        meta |= {"Handler": "security-slack", "Reason": "status 503; attempt 10 was the last one of the schedule"}
    return Event(
        id="1795428000000-0",
        type=type,
        meta=meta,
        timestamp="2026-11-23T10:00:00.000Z",
        api_id="payments",
        org_id="acme",
    )


def _copy(value: Any) -> Any:
    """A deep copy of JSON values: who gets an example may change it, the table stays as it is."""
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(member) for member in value]
    return value
