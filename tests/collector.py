"""A collector of traces: takes OTLP over HTTP on 127.0.0.1 and keeps what came as plain values."""

import asyncio
import threading
from types import TracebackType
from typing import Any

from aiohttp import web
from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.waiting import eventually


class Collected(Struct, frozen=True):
    """One span as it came over the wire."""

    name: str
    trace: str
    id: str
    parent: str
    """Empty: it is a root."""
    consumer: bool
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    failed: bool
    message: str
    seconds: float
    resource: dict[str, Any]
    raw: bytes


class Collector:
    """`async with Collector() as collector:` at `collector.url`; it answers `status`, or nothing at all when silent.

    On leaving it answers everything, until nobody sends any more.
    """

    def __init__(self) -> None:
        self.spans: list[Collected] = []
        self.requests = 0
        self.status = 200
        self.silent = False
        self.url = ""
        self._left = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)

    async def __aenter__(self) -> "Collector":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        try:
            await nobody_sends()
        finally:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests += 1
        body = await request.content.read()
        if self.silent:
            await self._left.wait()
        if self.status == 200:
            assert (request.method, request.path) == ("POST", "/v1/traces")
            self._keep(ExportTraceServiceRequest.FromString(body))
        return web.Response(status=self.status)

    def _keep(self, told: ExportTraceServiceRequest) -> None:
        for resource in told.resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_collected(span, _values(resource.resource.attributes)) for span in scope.spans]


async def nobody_sends() -> None:
    """Returns when the threads have ended that send spans from this process.

    No worker waits for them long, and they go on for as long as a request may last. They draw random numbers for the
    moment of the next try, which Hypothesis takes for a fault of the test that comes next.
    """
    await eventually(lambda: not _sending(), within=15, saying="nobody sends spans any more")


def _sending() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name == "traces-close" or name.startswith("OtelBatch")]


def _collected(span: trace_pb2.Span, resource: dict[str, Any]) -> Collected:
    return Collected(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        consumer=span.kind == trace_pb2.Span.SPAN_KIND_CONSUMER,
        attributes=_values(span.attributes),
        events=[(event.name, _values(event.attributes)) for event in span.events],
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        message=span.status.message,
        seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        resource=resource,
        raw=span.SerializeToString(),
    )


def _values(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}
