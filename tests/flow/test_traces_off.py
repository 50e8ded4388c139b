"""Traces that are off, cannot be had, or cannot be sent: nothing is imported, nothing is delayed, nothing is lost."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from streamhooks.observe.traces import wanted
from tests.collector import Collector, nobody_sends
from tests.flow.rig import Rig
from tests.waiting import eventually

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SERVE = """
import sys
if {missing}:
    sys.modules["opentelemetry"] = None
import redis.asyncio
before = set(sys.modules)
from streamhooks.cli import main
code = main(["serve", "--until-idle", "--config", sys.argv[1]])
ours = set(sys.modules) - before
print(sorted(name for name in ours if name.startswith("opentelemetry") or name == "streamhooks.observe.otel"))
sys.exit(code)
"""
"""redis-py imports what it finds of OpenTelemetry by itself, for metrics of its own: that is not counted as ours."""


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as listening:
        yield listening


async def publish(rig: Rig, key: str = "abc") -> str:
    fields = {"type": "AuthFailure", "message": "Auth Failure", "path": "/w", "key": key}
    return await rig.add(fields | {"traceparent": TRACEPARENT})


async def served(rig: Rig, environ: dict[str, str], *, missing: bool = False) -> tuple[str, list[dict[str, object]]]:
    """Serves in a process of its own: which modules of OpenTelemetry it imported, and its log."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE.format(missing=missing), rig.written(rig.handler()), env=clean | environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().strip(), [json.loads(line) for line in err.splitlines()]


def nobody_listens() -> str:
    """A URL at a port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
    ids=["not asked for", "the SDK disabled", "no exporter"],
)
async def test_nothing_is_imported_where_traces_are_off(rig: Rig, environ: dict[str, str]) -> None:
    await publish(rig)
    modules, said = await served(rig, environ)
    assert modules == "[]"
    assert [record["event"] for record in said] == ["ready", "stopped"]
    (request,) = rig.endpoint.received
    assert "traceparent" not in request.headers, "what an event brings is passed on by whoever takes part in the trace"


async def test_without_the_package_events_are_delivered_and_one_line_says_what_to_install(rig: Rig) -> None:
    await publish(rig)
    modules, said = await served(rig, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, missing=True)
    assert modules == "[]"
    assert [record["event"] for record in said] == ["tracing_off", "ready", "stopped"]
    assert (said[0]["level"], said[0]["asked_by"]) == ("warning", "OTEL_EXPORTER_OTLP_ENDPOINT")
    assert said[0]["why"] == "OpenTelemetry is not installed: pip install 'streamhooks[otel]'"
    assert len(rig.endpoint.received) == 1


async def test_switched_on_it_is_imported_and_told(rig: Rig, collector: Collector) -> None:
    await publish(rig)
    modules, said = await served(rig, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces"})
    assert "opentelemetry.sdk.trace" in modules
    assert [record["event"] for record in said] == ["tracing", "ready", "stopped"]
    assert [span.name for span in collector.spans] == ["deliver h"], "what was left was sent at the stop"


ASKED: list[tuple[Mapping[str, str], str, str]] = [
    ({}, "", ""),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "", ""),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, "OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""),
    ({"OTEL_TRACES_EXPORTER": "otlp"}, "OTEL_TRACES_EXPORTER", ""),
    ({"OTEL_TRACES_EXPORTER": "None", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, "", ""),
    ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": " TRUE "}, "", ""),
    (
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        "OTEL_TRACES_EXPORTER",
        "it names an exporter that is not known here: use otlp, or none",
    ),
    (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL names a protocol that is not spoken here: use http/protobuf, mostly at port 4318",
    ),
    (
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        },
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
    ),
]


@pytest.mark.parametrize(("environ", "by", "why"), ASKED, ids=range(len(ASKED)))
def test_the_environment_asks_for_traces_as_the_specification_has_it(
    environ: Mapping[str, str], by: str, why: str
) -> None:
    assert wanted(environ) == (by, why)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "0",
            "OpenTelemetry refuses its variables: ValueError max_queue_size must be a positive integer.",
        ),
        ("OTEL_TRACES_EXPORTER", "console", "it names an exporter that is not known here: use otlp, or none"),
    ],
)
async def test_variables_that_cannot_be_used_are_told_and_events_are_delivered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    async with rig.working(rig.handler()):
        await publish(rig)
        await rig.settled(delivered=1)
    (record,) = rig.records.of("tracing_off")
    assert (record["why"], record["effect"]) == (said, "events are delivered without traces")


async def test_a_collector_that_is_away_loses_no_event_and_is_told_of_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", nobody_listens())
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    async with rig.working(rig.handler()):
        await rig.publish_many(50)
        await rig.settled(delivered=50)
        (record,) = await eventually(lambda: rig.records.of("traces_not_taken"))
        await rig.publish_many(50, "later")
        await rig.settled(delivered=100)
    assert (record["level"], record["error"]) == ("warning", "ConnectionError")
    await nobody_sends()
    assert len(rig.records.of("traces_not_taken")) == 1
    assert sorted(rig.arrived) == sorted([f"k{n}" for n in range(50)] + [f"later{n}" for n in range(50)])


async def test_a_collector_that_never_answers_holds_neither_delivery_nor_the_stop_up(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.silent = True
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    async with rig.working(rig.handler(), worker={"drain_timeout": 2}):
        await publish(rig)
        await eventually(lambda: collector.requests == 1)
        await rig.publish_many(20)
        await rig.settled(delivered=21)
    (lost,) = rig.records.of("traces_lost")
    assert lost["waited_seconds"] == 0.5, "a quarter of drain_timeout"
    assert [record["event"] for record in rig.records.all][-2:] == ["stopped", "traces_lost"]


async def test_a_collector_that_takes_spans_again_is_told_of_with_what_was_lost(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://user:secret@{collector.url.removeprefix('http://')}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer secret,wrong")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    collector.status = 401
    async with rig.working(rig.handler()):
        await publish(rig)
        await rig.settled(delivered=1)
        (refused,) = await eventually(lambda: rig.records.of("traces_not_taken"))
        collector.status = 200
        await publish(rig, "later")
        (again,) = await eventually(lambda: rig.records.of("traces_taken_again"))
        await rig.settled(delivered=2)
    assert (refused["error"], again["lost_spans"]) == ("status 401", 1)
    assert len(collector.spans) == 1
    assert "secret" not in rig.records.text


async def test_more_spans_than_are_kept_are_dropped_and_events_are_not(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
    collector.silent = True
    async with rig.working(rig.handler(), worker={"drain_timeout": 1}):
        await rig.publish_many(50)
        await rig.settled(delivered=50)
    told = {record["message"] for record in rig.records.of("tracing_trouble")}
    assert told == {"Queue full, dropping %s."}
    assert len(rig.records.of("tracing_trouble")) == 1
