"""How a handler's own policy lies over `defaults`, and what cannot be true together in one policy.

A policy is what model.Defaults holds: timeout, retry, breaker and so on, key by key. Only the retry schedule is not:
its two spellings, delays one by one and a geometric series, exclude each other, and a handler's choice replaces the
other spelling of `defaults`.
"""

from collections.abc import Iterator

from streamhooks.settings.model import Defaults, Retry
from streamhooks.settings.reading import Known

_DELAYS = ("retry", "delays")
_UNCHECKED = ("tls", "insecure_skip_verify")
_SERIES = tuple(("retry", name) for name in ("first", "factor", "cap", "attempts"))


def inner(known: Known, section: str) -> Known:
    """What is known of one section, by its paths inside it."""
    return {path[1:]: given for path, given in known.items() if path[0] == section and len(path) > 1}


def overlaid(defaults: Known, own: Known) -> Known:
    """The handler's own values, and those of `defaults` for what it does not say."""
    under = defaults
    if _DELAYS in own:
        under = {path: given for path, given in defaults.items() if path not in _SERIES}
    elif any(path in own for path in _SERIES):
        under = {path: given for path, given in defaults.items() if path != _DELAYS}
    return {**under, **own}


def contradictions(known: Known, policy: Defaults) -> Iterator[tuple[str, str]]:
    """Key paths, from the policy down, and messages. `known` is what `policy` was made of."""
    series = [path for path in _SERIES if path in known]
    if series and _DELAYS in known:
        yield ".".join(series[0]), "cannot stand beside retry.delays; keep the delays or the series"
    elif series and policy.retry.attempts == 0:
        yield "retry.attempts", "is missing; a series (first, factor, cap) needs the number of attempts in all"
    if policy.breaker.open_cap < policy.breaker.open:
        yield "breaker.open_cap", "must be at least as long as breaker.open"
    if policy.tls.key_file and not policy.tls.cert_file:
        yield "tls.key_file", "needs tls.cert_file, the certificate that the key belongs to"


def for_one_handler(defaults: Known) -> Iterator[tuple[str, str]]:
    """Key paths and messages of what `defaults` says and only a handler may say."""
    if _UNCHECKED in defaults and defaults[_UNCHECKED].value:
        said = "is for one endpoint and never for all; write tls: {insecure_skip_verify: true} at the handler"
        yield ".".join(_UNCHECKED), said


def delays(retry: Retry) -> tuple[float, ...]:
    """Seconds to wait after each failed attempt but the last."""
    if retry.attempts == 0:
        return retry.delays
    waits, wait = [], min(retry.first, retry.cap)
    for _ in range(retry.attempts - 1):
        waits.append(wait)
        wait = min(wait * retry.factor, retry.cap)
    return tuple(waits)
