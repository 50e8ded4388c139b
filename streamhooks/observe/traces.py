"""Traces: whether they are wanted, and what the flow knows of them. OpenTelemetry itself is in otel.py.

They are switched on where OpenTelemetry is: by its own environment variables. Off, nothing of it is imported, and the
flow is given None. What asks for traces and cannot have them is said once at the start, and delivery goes on without:
no trace is worth an event.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog

from streamhooks.model import Event, Failure, Outcome, Reply, Request

log = structlog.get_logger("streamhooks")
PATIENCE = 3.0
"""Seconds that a stop waits at most until the last spans are sent."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
"""The more particular name wins; names and meanings are those of the OpenTelemetry specification, "Environment Variable
Specification" and "OpenTelemetry Protocol Exporter"."""
SPOKEN = "http/protobuf"


class Span(Protocol):
    """One handling of an event by one handler."""

    @property
    def trace_id(self) -> str:
        """32 hex digits."""

    def carried(self, request: Request) -> Request:
        """The request with its `traceparent`, where one is to be sent: nothing else of it is changed."""

    def attempted(self, attempt: int, answer: Reply | Failure) -> None:
        """An attempt was made at the endpoint, and just now ended."""

    def ended(self, outcome: Outcome | None) -> None:
        """Its end is durable. None: another worker had the entry by then, and has its end."""


class Traces(Protocol):
    """Begins spans."""

    def begin(self, event: Event, handler: str, webhook_id: str, stream: str, partition: int) -> Span | None:
        """None: it could not, which changes nothing for the event."""

    def close(self) -> None:
        """Sends what is left. May block, for as long as the collector lets it."""


@asynccontextmanager
async def tracing(
    environ: Mapping[str, str], *, consumer: str, group: str, patience: float
) -> AsyncIterator[Traces | None]:
    """What begins spans, None where none are wanted. On leaving, at most `patience` seconds are waited for the last."""
    traces = _open(environ, consumer, group)
    try:
        yield traces
    finally:
        if traces is not None:
            await _closed(traces, patience)


def wanted(environ: Mapping[str, str]) -> tuple[str, str]:
    """By which variable traces are asked for, empty: by none; and why they cannot be had, empty: they can."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return "", ""
    exporter = environ.get(EXPORTER, "").strip().lower()
    if exporter == "none":
        return "", ""
    by = EXPORTER if exporter else next((name for name in ENDPOINTS if environ.get(name)), "")
    if by and exporter not in ("", "otlp"):
        return by, "it names an exporter that is not known here: use otlp, or none"
    protocol = next((name for name in PROTOCOLS if environ.get(name, "").strip()), "")
    if by and protocol and environ[protocol].strip().lower() != SPOKEN:
        return by, f"{protocol} names a protocol that is not spoken here: use {SPOKEN}, mostly at port 4318"
    return by, ""


def _open(environ: Mapping[str, str], consumer: str, group: str) -> Traces | None:
    by, why = wanted(environ)
    if not by:
        return None
    if not why:
        try:
            from streamhooks.observe.otel import open_traces  # noqa: PLC0415  what is not switched on is not imported

            traces = open_traces(environ, consumer, group)
        except ImportError:
            why = "OpenTelemetry is not installed: pip install 'streamhooks[otel]'"
        except Exception as error:  # noqa: BLE001  whatever the SDK raises for a variable of its own, delivery goes on
            why = f"OpenTelemetry refuses its variables: {type(error).__name__} {error}"
        else:
            log.info("tracing", asked_by=by)
            return traces
    log.warning("tracing_off", asked_by=by, why=why, effect="events are delivered without traces")
    return None


async def _closed(traces: Traces, patience: float) -> None:
    """A thread of its own, and a daemon: a collector that does not answer must not hold up the end of the process."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def close() -> None:
        traces.close()
        with suppress(RuntimeError):  # nobody waits any more, and the loop is closed
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=close, name="traces-close", daemon=True).start()
    try:
        async with asyncio.timeout(patience):
            await done.wait()
    except TimeoutError:
        log.warning("traces_lost", effect="the last spans were not sent", waited_seconds=patience)
