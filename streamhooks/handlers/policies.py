"""The policies of a handler's delivery, from the settings that say them."""

from streamhooks.handlers.handler import BreakerPolicy, Route, Schedule, Tls
from streamhooks.settings import Defaults
from streamhooks.settings.policy import delays


def schedule(policy: Defaults) -> Schedule:
    retry = policy.retry
    return Schedule(
        delays=delays(retry),
        jitter=retry.jitter,
        max_age=retry.max_age,
        permanent_statuses=frozenset(retry.permanent_statuses),
    )


def breaker_policy(policy: Defaults) -> BreakerPolicy:
    breaker = policy.breaker
    return BreakerPolicy(
        consecutive=breaker.consecutive,
        ratio=breaker.ratio,
        window=breaker.window,
        min_calls=breaker.min_calls,
        open=breaker.open,
        open_cap=breaker.open_cap,
    )


def route(policy: Defaults) -> Route:
    tls = policy.tls
    return Route(
        allow_cidrs=policy.allow_cidrs,
        proxy=policy.proxy,
        tls=Tls(tls.ca_file, tls.cert_file, tls.key_file, tls.insecure_skip_verify),
    )
