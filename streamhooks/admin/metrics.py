"""The figures in Prometheus's form, made when they are asked for.

What this process has done comes from observe/figures.py; what Redis keeps, from the backlog that the door measured
just before. No URL, no payload and no error text is ever a label.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streamhooks.flow.lane import Lane
from streamhooks.observe.figures import BOUNDS, Durations, Figures
from streamhooks.store.backlog import Backlog

RESULTS = ("2xx", "3xx", "4xx", "5xx", "timeout", "connect", "dns", "tls", "blocked", "protocol", "local")


def page(figures: Figures, lanes: Iterable[Lane], backlogs: Iterable[Backlog]) -> bytes:
    """The text of `/metrics`. `backlogs` is empty while Redis does not answer: then those series are left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Page(metrics(figures, lanes, backlogs)))
    return generate_latest(registry)


def metrics(figures: Figures, lanes: Iterable[Lane], backlogs: Iterable[Backlog]) -> list[Metric]:
    """The series of that page."""
    return [*_of_process(figures), *_of_ingest(figures), *_of_handlers(figures, lanes), *_of_redis(list(backlogs))]


class _Page(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _of_process(figures: Figures) -> Iterator[Metric]:
    for name, says, value in (
        ("entries_read", "Entries read from the streams by this process.", figures.entries_read),
        ("redeliveries", "Entries taken over that had been handed out before.", figures.redeliveries),
        ("claims_failed_open", "Requests sent without a claim, because Redis could not answer.",
         figures.claims_failed_open),
        ("late_outcomes", "Outcomes dropped because another worker had taken the entry over.", figures.late),
    ):  # fmt: skip
        yield CounterMetricFamily(f"streamhooks_{name}", says, value=value)


def _of_ingest(figures: Figures) -> Iterator[Metric]:
    if not figures.ingest_requests:
        return
    events = CounterMetricFamily("streamhooks_ingested", "Events that came by the HTTP door.", labels=["result"])
    for result in ("taken", "skipped", "refused", "unknown"):
        events.add_metric([result], figures.ingested[result])
    requests = CounterMetricFamily(
        "streamhooks_ingest_requests", "Requests to the HTTP door by status.", labels=["status"]
    )
    for status, count in figures.ingest_requests.items():
        requests.add_metric([str(status)], count)
    yield from (events, requests)


def _of_handlers(figures: Figures, lanes: Iterable[Lane]) -> Iterator[Metric]:
    deliveries = CounterMetricFamily(
        "streamhooks_deliveries", "Settled events by handler and outcome.", labels=["handler", "outcome"]
    )
    attempts = CounterMetricFamily("streamhooks_attempts", "Requests sent by result.", labels=["handler", "result"])
    dead = CounterMetricFamily("streamhooks_dead_letters", "Dead letters by reason.", labels=["handler", "reason"])
    took = HistogramMetricFamily(
        "streamhooks_delivery_seconds", "From XADD to the 2xx, retries included.", labels=["handler"]
    )
    asked = HistogramMetricFamily("streamhooks_attempt_seconds", "One request, sent and answered.", labels=["handler"])
    flying = GaugeMetricFamily("streamhooks_in_flight", "Requests being sent.", labels=["handler"])
    breaker = GaugeMetricFamily(
        "streamhooks_breaker_state", "0 closed, 1 half-open, 2 open.", labels=["handler"]
    )  # fmt: skip
    unchecked = GaugeMetricFamily(
        "streamhooks_tls_verification_off", "1: the endpoint's certificate is not checked.", labels=["handler"]
    )
    paused = GaugeMetricFamily("streamhooks_handler_paused", "1: its events are stored.", labels=["handler"])
    for handler, own in figures.handlers.items():
        _count(deliveries, handler, own.outcomes, ("delivered", "suppressed", "dead", "stored"))
        _count(attempts, handler, own.attempts, RESULTS)
        _count(dead, handler, own.dead, ())
        _observe(took, handler, own.delivery_seconds)
        _observe(asked, handler, own.attempt_seconds)
    _count(deliveries, "", Counter(unmatched=figures.unmatched, dead=figures.dead_unhandled.total()), ())
    _count(dead, "", figures.dead_unhandled, ())
    for lane in lanes:
        flying.add_metric([lane.handler.id], lane.in_flight)
        breaker.add_metric([lane.handler.id], lane.breaker_state)
        paused.add_metric([lane.handler.id], bool(lane.standing.why))
        if lane.handler.route.tls.insecure_skip_verify:
            unchecked.add_metric([lane.handler.id], 1)
    yield from (deliveries, attempts, dead, took, asked, flying, breaker, paused, unchecked)


def _of_redis(backlogs: list[Backlog]) -> Iterator[Metric]:
    if not backlogs:
        return
    for name, says, value in (
        ("stream_lag", "Entries not yet handed to the group.", sum(b.lag for b in backlogs)),
        ("pending", "Entries handed out and not acknowledged.", sum(b.pending for b in backlogs)),
        ("oldest_pending_seconds", "Age of the oldest pending entry.", max(b.oldest_pending for b in backlogs)),
        ("parked", "Stored retries and deferred events.", sum(b.parked for b in backlogs)),
        ("held", "Of these, those whose handler is paused.", sum(b.held for b in backlogs)),
        ("backlog", "lag + pending + parked that is due.", sum(b.total for b in backlogs)),
    ):
        yield GaugeMetricFamily(f"streamhooks_{name}", says, value=value)
    account: Counter[str] = Counter()
    for backlog in backlogs:
        account.update(backlog.account)
    lost = account.pop("lost_trimmed", 0)
    yield CounterMetricFamily(
        "streamhooks_entries_lost_trimmed", "Entries deleted by somebody before they were acknowledged.", value=lost
    )
    terms = GaugeMetricFamily(
        "streamhooks_account",
        "accepted = delivered + suppressed + dead + stored + unmatched, over all workers, surviving any crash.",
        labels=["term"],
    )
    for term, value in account.items():
        terms.add_metric([term], value)
    yield terms


def _count(family: CounterMetricFamily, handler: str, counts: Counter[str], always: Iterable[str]) -> None:
    for label in dict.fromkeys((*always, *counts)):
        family.add_metric([handler, label], counts[label])


def _observe(family: HistogramMetricFamily, handler: str, durations: Durations) -> None:
    seen, buckets = 0, []
    for bound, count in zip((*(str(bound) for bound in BOUNDS), "+Inf"), durations.counts, strict=True):
        seen += count
        buckets.append((bound, float(seen)))
    family.add_metric([handler], buckets, durations.total)
