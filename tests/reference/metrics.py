"""docs/reference/metrics.md: every series of /metrics with its type, labels and text, from the code that makes them."""

from typing import get_args

from prometheus_client.core import Metric

from streamhooks.admin.metrics import RESULTS, metrics
from streamhooks.model import DeadReason
from streamhooks.observe.figures import BOUNDS, Figures
from streamhooks.store.backlog import Backlog

HEAD = """# Metrics

`GET /metrics` on `admin.listen` has them in Prometheus' text form, without a token. No URL, no payload and no error
text is ever a label. Alert rules and a Grafana dashboard that use them are in
[helm/streamhooks/files/](../../helm/streamhooks/README.md); the chart installs both.

This page is made from the code by `scripts/reference`.
"""
OWN = """
## Of one worker

Counters begin with its process; add them up over all workers.

"""
SHARED = """
## Of all workers

What Redis keeps, summed over all partitions. Every worker shows the same, so take the largest and never add them up.
While Redis does not answer they are left out.

"""
LABELS = {
    "handler": "the id of the handler; empty: no handler had a part in it",
    "outcome": "`delivered`, `suppressed`, `dead`, `stored`, `unmatched`",
    "result": "of an attempt: the class of its status, or what went wrong: {}".format(
        ", ".join(f"`{result}`" for result in RESULTS)
    ),
    "reason": "of a dead letter: {}".format(", ".join(f"`{reason}`" for reason in get_args(DeadReason))),
    "status": "of an answer of the HTTP door",
    "term": "of the account: `accepted`, `delivered`, `suppressed`, `dead`, `stored`, `unmatched`, and beside it "
    "`lost_parked`, `dead_trimmed`",
}
PER_EVENT = "of an event at the HTTP door: `taken`, `skipped`, `refused`, `unknown`"


def series() -> tuple[list[Metric], list[Metric]]:
    """Those of one process, and those that Redis keeps for all."""
    figures = Figures(lambda _: None)
    figures.ingest_requests[202] = 1
    backlog = Backlog(0, 0, 0.0, 0, 0, 0, 0, {})
    own = metrics(figures, (), ())
    named = {metric.name for metric in own}
    return own, [metric for metric in metrics(figures, (), [backlog]) if metric.name not in named]


def name_of(metric: Metric) -> str:
    """As it is scraped."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def labels_of(metric: Metric) -> tuple[str, ...]:
    """The names of its labels."""
    return tuple(getattr(metric, "_labelnames", ()))


def page() -> str:
    """The whole page."""
    own, shared = series()
    bounds = ", ".join(f"{bound:g}" for bound in BOUNDS)
    labels = [f"| `{label}` | {what} |\n" for label, what in LABELS.items()]
    parts = [
        *(HEAD, OWN, _table(own), f"\nThe buckets of histograms end at {bounds} seconds.\n"),
        *(SHARED, _table(shared), "\n## Labels\n\n| label | what |\n|---|---|\n", *labels),
        f"| `result` of `streamhooks_ingested_total` | {PER_EVENT} |\n",
    ]
    return "".join(parts)


def _table(some: list[Metric]) -> str:
    rows = [
        f"| `{name_of(metric)}` | {metric.type} | {', '.join(f'`{label}`' for label in labels_of(metric))} "
        f"| {metric.documentation} |\n"
        for metric in some
    ]
    return "".join(["| series | type | labels | what |\n|---|---|---|---|\n", *rows])
