"""Spans by the OpenTelemetry SDK: the only file that imports it, and itself imported only where traces are wanted.

One span is one handling of an event by one handler, from reading it to its durable end. Its parent is the event's own
`traceparent`; an event without a valid one has a trace whose id is derived from it and its `webhook-id`, so that all
attempts, by whichever worker and however much later, are one trace.

Laws: nothing here waits: a span that has ended is put into the SDK's bounded queue, which a thread of its own sends
from and which drops the oldest when it is full. Nothing here is raised: a trace that cannot be made changes nothing for
the event. A span holds no payload, no header and no URL, whose path may be a credential.
"""

import logging
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, assert_never
from urllib.parse import urlsplit

import structlog
from msgspec.structs import replace
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streamhooks import __version__, wire
from streamhooks.model import Dead, Delivered, Event, Failure, Outcome, Reply, Request, Retry, Suppressed

log = structlog.get_logger("streamhooks")
HEADER: Final = "traceparent"
LONGEST: Final = 512
"""Characters of a traceparent that is read: 55 in version 00, and a later version may be longer."""


def open_traces(environ: Mapping[str, str], consumer: str, group: str) -> "OtelTraces":
    """Raises whatever the SDK raises for variables of its own that it cannot use."""
    sdk = logging.getLogger("opentelemetry")
    sdk.addHandler(_SAID)
    sdk.propagate = False
    defaults = {"service.name": "streamhooks", "service.version": __version__, "service.instance.id": consumer}
    ids = _Ids()
    provider = TracerProvider(
        resource=Resource.create(defaults | dict(OTELResourceDetector().detect().attributes)),
        id_generator=ids,
        shutdown_on_exit=False,  # it would wait for half a minute
    )
    exporter = _Told(OTLPSpanExporter())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    propagators = environ.get("OTEL_PROPAGATORS", "tracecontext").lower()
    propagates = "tracecontext" in [name.strip() for name in propagators.split(",")]
    return OtelTraces(provider, exporter, ids, consumer=consumer, group=group, propagates=propagates)


class OtelTraces:
    """What `streamhooks.observe.traces.Traces` asks for."""

    def __init__(
        self,
        provider: TracerProvider,
        exporter: "_Told",
        ids: "_Ids",
        *,
        consumer: str,
        group: str,
        propagates: bool,
    ) -> None:
        self._provider = provider
        self._exporter = exporter
        self._tracer = provider.get_tracer("streamhooks", __version__)
        self._ids = ids
        self._propagates = propagates
        self._propagator = TraceContextTextMapPropagator()
        self._same: dict[str, str | int] = {
            "messaging.system": "redis",
            "messaging.operation.name": "deliver",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
            "messaging.client.id": consumer,
        }
        self._failed = False

    def begin(self, event: Event, handler: str, webhook_id: str, stream: str, partition: int) -> "OtelSpan | None":
        try:
            return self._begin(event, handler, webhook_id, stream, partition)
        except Exception:
            if not self._failed:  # a bug or a sampler's fault: told once, not with every event
                self._failed = True
                log.exception("tracing_failed", entry=event.id, effect="events are delivered without traces")
            return None

    def _begin(self, event: Event, handler: str, webhook_id: str, stream: str, partition: int) -> "OtelSpan":
        parent = self._parent(event.traceparent)
        if parent is None:
            parent = Context()
            self._ids.trace_id = _derived(event, webhook_id)
        attributes = self._same | {
            "messaging.destination.name": stream,
            "messaging.destination.partition.id": str(partition),
            "messaging.message.id": event.id,
            "streamhooks.handler": handler,
            "streamhooks.webhook_id": webhook_id,
            "streamhooks.event_type": event.type,
        }
        if event.api_id:
            attributes["streamhooks.api_id"] = event.api_id
        span = self._tracer.start_span(f"deliver {handler}", parent, SpanKind.CONSUMER, attributes)
        return OtelSpan(span, self._propagates)

    def _parent(self, traceparent: str) -> Context | None:
        """None where there is none, or where the standard asks to go on as if there were none.

        Trace Context, section 2.2.2 and 3.3: what cannot be parsed, version ff, and ids of zeros only are ignored.
        """
        if not traceparent or len(traceparent) > LONGEST:
            return None
        found = self._propagator.extract({HEADER: traceparent}, Context())
        return found if trace.get_current_span(found).get_span_context().is_valid else None

    def close(self) -> None:
        if self._exporter.failing:
            self._exporter.shutdown()  # else the SDK would try again and again, to no end
        self._provider.shutdown()


class OtelSpan:
    """What `streamhooks.observe.traces.Span` asks for."""

    __slots__ = ("_propagates", "_span")

    def __init__(self, span: trace.Span, propagates: bool) -> None:
        self._span = span
        self._propagates = propagates

    @property
    def trace_id(self) -> str:
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def carried(self, request: Request) -> Request:
        place = urlsplit(request.endpoint)
        self._span.set_attributes(
            {
                "http.request.method": request.method,
                "url.scheme": place.scheme,
                "server.address": place.hostname or "",
                "server.port": place.port or (443 if place.scheme == "https" else 80),
            }
        )
        if request.attempt > 1:
            self._span.set_attribute("http.request.resend_count", request.attempt - 1)
        # A header of the configuration wins: whoever sets it there has a trace of their own.
        if not self._propagates or any(name.lower() == HEADER for name, _ in request.headers):
            return request
        return replace(request, headers=(*request.headers, (HEADER, self._traceparent)))

    @property
    def _traceparent(self) -> str:
        own = self._span.get_span_context()
        return f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"

    def attempted(self, attempt: int, answer: Reply | Failure) -> None:
        told: dict[str, str | int] = {"streamhooks.attempt": attempt, "streamhooks.ms": round(answer.elapsed * 1000)}
        if isinstance(answer, Reply):
            told["http.response.status_code"] = answer.status
            self._span.set_attribute("http.response.status_code", answer.status)
        else:
            told |= {"error.type": answer.kind, "streamhooks.message": answer.message}
        self._span.add_event("attempt", told)

    def ended(self, outcome: Outcome | None) -> None:
        match outcome:
            case None:
                self._tell("late")
            case Delivered():
                self._tell("delivered")
            case Suppressed(by):
                self._tell("suppressed", by=by)
            case Retry(_, attempt, why):
                self._tell("stored", why=why, next_attempt=attempt)
            case Dead(reason, why):
                self._tell("dead", reason=reason)
                self._span.set_attribute("error.type", reason)
                self._span.set_status(Status(StatusCode.ERROR, reason))
            case _:
                assert_never(outcome)
        self._span.end()

    def _tell(self, outcome: str, **more: str | int) -> None:
        told = {f"streamhooks.{name}": value for name, value in {"outcome": outcome, **more}.items()}
        self._span.set_attributes(told)


class _Ids(IdGenerator):
    """Span ids by chance; trace ids as they were derived for the span that is about to begin."""

    def __init__(self) -> None:
        self.trace_id = 0
        self._by_chance = RandomIdGenerator()

    def generate_span_id(self) -> int:
        return self._by_chance.generate_span_id()

    def generate_trace_id(self) -> int:
        return self.trace_id or self._by_chance.generate_trace_id()


def _derived(event: Event, webhook_id: str) -> int:
    """The same for every attempt and for a replay with the same `webhook-id`, other for everything else.

    The event is in it because a `webhook-id` alone is not unique among several installations of the same handlers:
    with a thousand events a second in each, entries share their milliseconds.
    """
    return int.from_bytes(sha256(webhook_id.encode() + b"\n" + wire.pack_event(event)).digest()[:16], "big")


class _Said(logging.Handler):
    """What the SDK says, as records of ours; of what its exporter says, the last reason is kept and not repeated."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("opentelemetry.exporter"):
            self.reason = _reason(record) or self.reason
        else:
            # Its text without what stands in the places of its `%s`, which may be a header with a token.
            log.warning("tracing_trouble", source=record.name, message=str(record.msg))


_SAID = _Said()
"""One for the process: the SDK's loggers are, too."""


def _reason(record: logging.LogRecord) -> str:
    """A status, or the class of an error: its text has the whole URL of the collector."""
    words = record.args if isinstance(record.args, tuple) else ()
    return next(
        (type(word).__name__ if isinstance(word, Exception) else f"status {word}"
         for word in words if isinstance(word, int | Exception)),
        "",
    )  # fmt: skip


class _Told(SpanExporter):
    """Tells once that the collector takes no spans, and once that it takes them again. Runs in the SDK's thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    @property
    def failing(self) -> bool:
        return self._lost > 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.warning("traces_taken_again", lost_spans=self._lost)
                self._lost = 0
        else:
            if not self._lost:
                log.warning("traces_not_taken", error=_SAID.reason or "no answer",
                            effect="deliveries go on; spans are lost",
                            way_out="see that the collector of OTEL_EXPORTER_OTLP_ENDPOINT answers")  # fmt: skip
            self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)
