"""Traces with workers at work: what a collector is sent, and what an endpoint."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streamhooks.delivery.request import webhook_id
from streamhooks.store.connection import ask
from streamhooks.store.dead import DeadLetters
from tests.collector import Collector
from tests.flow.rig import GROUP, STREAM, Rig
from tests.flow.test_replays import dead_replay, replay
from tests.servers import Answer, Received
from tests.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest_asyncio.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """One that the workers of this test send to, as soon as something is there to be sent."""
    async with Collector() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        yield listening


async def publish(rig: Rig, key: str = "abc", **fields: str) -> str:
    return await rig.add({"type": "AuthFailure", "message": "Auth Failure", "path": "/w", "key": key} | fields)


def sent(request: Received) -> tuple[str, str, str]:
    """Trace, span and flags that the endpoint was sent."""
    version, trace, span, flags = request.headers["traceparent"].split("-")
    assert version == "00"
    return trace, span, flags


def outcomes(collector: Collector) -> list[str]:
    return [span.attributes["streamhooks.outcome"] for span in collector.spans]


async def test_a_delivery_is_one_span_of_the_trace_that_the_event_names(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler("audit")):
        entry = await publish(rig, traceparent=TRACEPARENT, api_id="payments")
        await rig.settled(delivered=1)
    (span,) = collector.spans
    assert (span.trace, span.parent, span.name, span.consumer) == (TRACE, PARENT, "deliver audit", True)
    assert (span.failed, 0 < span.seconds < 10) == (False, True)
    port = int(rig.endpoint.url.rpartition(":")[2])
    consumer = span.attributes.pop("messaging.client.id")
    assert span.attributes == {
        "messaging.system": "redis",
        "messaging.operation.name": "deliver",
        "messaging.operation.type": "process",
        "messaging.destination.name": STREAM,
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": GROUP,
        "messaging.message.id": entry,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": port,
        "streamhooks.handler": "audit",
        "streamhooks.webhook_id": webhook_id(entry, 0, "audit"),
        "streamhooks.event_type": "AuthFailure",
        "streamhooks.api_id": "payments",
        "streamhooks.outcome": "delivered",
    }
    ((name, attempt),) = span.events
    assert (name, attempt.pop("streamhooks.ms") >= 0) == ("attempt", True)
    assert attempt == {"streamhooks.attempt": 1, "http.response.status_code": 200}
    assert (span.resource["service.name"], span.resource["service.instance.id"]) == ("streamhooks", consumer)


async def test_the_endpoint_is_sent_the_spans_own_traceparent(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1)
    (request,) = rig.endpoint.received
    assert sent(request) == (TRACE, collector.spans[0].id, "01")


async def test_each_handler_of_an_event_has_a_span_of_its_own(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler("chat"), rig.handler("audit")):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=2)
    assert sorted((span.name, span.trace, span.parent) for span in collector.spans) == [
        ("deliver audit", TRACE, PARENT),
        ("deliver chat", TRACE, PARENT),
    ]
    assert {sent(request)[1] for request in rig.endpoint.received} == {span.id for span in collector.spans}


@pytest.mark.parametrize("traceparent", [TRACEPARENT, ""], ids=["of the event", "of none"])
async def test_a_retried_delivery_is_a_span_for_each_handling_in_one_trace(
    rig: Rig, collector: Collector, traceparent: str
) -> None:
    rig.endpoint.script(503, 200)
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=traceparent)
        await rig.settled(delivered=1)
    first, second = collector.spans
    parent = PARENT if traceparent else ""
    assert (first.parent, second.parent, first.trace) == (parent, parent, second.trace)
    assert outcomes(collector) == ["stored", "delivered"]
    assert (first.attributes["streamhooks.why"], first.attributes["streamhooks.next_attempt"]) == ("status 503", 2)
    assert [span.attributes.get("http.request.resend_count") for span in (first, second)] == [None, 1]
    assert [span.events[0][1]["http.response.status_code"] for span in (first, second)] == [503, 200]
    assert not first.failed, "only what is lost to its receiver is an error"
    assert [sent(request)[:2] for request in rig.endpoint.received] == [(s.trace, s.id) for s in collector.spans]


async def test_another_worker_and_a_replayed_dead_letter_go_on_with_the_same_trace(
    rig: Rig, collector: Collector
) -> None:
    rig.endpoint.script(422, 200)
    async with rig.working(rig.handler()):
        await publish(rig)
        await rig.settled(dead=1)
    async with rig.working(rig.handler()):
        dead = DeadLetters(rig.redis, rig.keys)
        assert await dead.replay([letter async for letter in dead.letters()])
        await rig.settled(delivered=1)
    assert outcomes(collector) == ["dead", "delivered"]
    assert len({span.trace for span in collector.spans}) == 1


async def test_retries_dead_letters_and_replays_keep_the_events_trace(rig: Rig, collector: Collector) -> None:
    rig.endpoint.script(503, 422, 200)
    handler = rig.handler()
    async with rig.working(handler):
        entry = await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(dead=1)
        assert (await dead_replay(rig, entry)).code == 0
        await rig.settled(delivered=1)
        assert (await replay(rig, [handler], entry)).code == 0
        await rig.settled(delivered=2)
    assert outcomes(collector) == ["stored", "dead", "delivered", "delivered"]
    assert {(span.trace, span.parent) for span in collector.spans} == {(TRACE, PARENT)}
    assert len({span.attributes["streamhooks.webhook_id"] for span in collector.spans}) == 2


async def test_events_without_a_traceparent_have_traces_of_their_own(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler("chat"), rig.handler("audit")):
        await publish(rig)
        await publish(rig)
        await rig.settled(delivered=4)
    assert len({span.trace for span in collector.spans}) == 4


async def test_a_dead_letter_is_an_error(rig: Rig, collector: Collector) -> None:
    rig.endpoint.script(Answer(then="reset"))
    async with rig.working(rig.handler(retry={"delays": []})):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(dead=1)
    (span,) = collector.spans
    assert (span.failed, span.message, span.trace) == (True, "exhausted", TRACE)
    told = {name: value for name, value in span.attributes.items() if name in ("streamhooks.reason", "error.type")}
    assert told == {"streamhooks.reason": "exhausted", "error.type": "exhausted"}
    assert span.attributes["streamhooks.outcome"] == "dead"
    (_, attempt) = span.events[0]
    assert attempt["error.type"] == "connect"
    assert "http.response.status_code" not in span.attributes | attempt


async def test_what_dies_without_an_attempt_is_a_span_too(rig: Rig, collector: Collector) -> None:
    name = rig.template("bad.txt", "{{ index .Meta.list 3 }}")
    async with rig.working(rig.handler(on=["Custom"], template_path=name)):
        await rig.add({"type": "Custom", "meta": '{"list": ["secret"]}', "traceparent": TRACEPARENT})
        await rig.settled(dead=1)
    (span,) = collector.spans
    assert (span.trace, span.failed, span.message, span.events) == (TRACE, True, "template", [])
    assert not {name for name in span.attributes if name.startswith(("http.", "server."))}


async def test_a_suppressed_event_says_by_whom_and_was_not_attempted(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler(event_timeout=60)):
        first = await publish(rig)
        await rig.settled(delivered=1)
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1, suppressed=1)
    span = collector.spans[-1]
    assert (span.trace, span.failed, span.events) == (TRACE, False, [])
    assert span.attributes["streamhooks.outcome"] == "suppressed"
    assert span.attributes["streamhooks.by"] == f"{first}|h"


async def test_what_another_worker_has_taken_over_is_told_as_late(rig: Rig, collector: Collector) -> None:
    rig.endpoint.script(Answer(then="hang"))
    async with rig.working(rig.handler()) as worker:
        entry = await publish(rig)
        await rig.endpoint.wait_for(1)
        await ask(rig.redis, "XACK", STREAM, GROUP, entry)
        rig.endpoint.release()
        await eventually(lambda: worker.figures.late == 1)
    assert outcomes(collector) == ["late"]


MALFORMED = [
    "",
    "00",
    "nonsense",
    f"00-{TRACE}-{PARENT}",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE[1:]}-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-1",
    f"00-{TRACE}-{PARENT}-0g",
    f"00-{TRACE}-{PARENT}-01-more",
    f"ff-{TRACE}-{PARENT}-01",
    f"0-{TRACE}-{PARENT}-01",
    f"00_{TRACE}_{PARENT}_01",
    f"00-{TRACE}-{PARENT}-01\r\nX-Evil: yes",
    f"cc-{TRACE}-{PARENT}-01-" + "x" * 10_000,
    "\u0660\u0660-" + TRACE,
]


@pytest.mark.parametrize("traceparent", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_traceparent_is_as_good_as_none(rig: Rig, collector: Collector, traceparent: str) -> None:
    """Trace Context, sections 2.2 and 3.3: a new trace is begun, and nothing of the old value is passed on."""
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=traceparent)
        await rig.settled(delivered=1)
    (span,) = collector.spans
    assert (span.parent, span.trace != TRACE) == ("", True)
    (request,) = rig.endpoint.received
    assert sent(request) == (span.trace, span.id, "01")
    assert "x-evil" not in request.headers


async def test_a_later_version_is_continued_by_what_is_known_of_it(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=f"cc-{TRACE}-{PARENT}-01-what-is-to-come")
        await rig.settled(delivered=1)
    assert [(span.trace, span.parent) for span in collector.spans] == [(TRACE, PARENT)]
    assert sent(rig.endpoint.received[0])[0] == TRACE


async def test_who_did_not_sample_is_followed_and_the_endpoint_is_told_so(rig: Rig, collector: Collector) -> None:
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=f"00-{TRACE}-{PARENT}-00")
        await rig.settled(delivered=1)
    assert collector.spans == []
    trace, span, flags = sent(rig.endpoint.received[0])
    assert (trace, flags, span != PARENT) == (TRACE, "00", True)


async def test_a_sampler_of_the_environment_decides_on_events_without_a_trace(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    async with rig.working(rig.handler()):
        await publish(rig, "without")
        await publish(rig, "with", traceparent=TRACEPARENT)
        await rig.settled(delivered=2)
    assert [span.trace for span in collector.spans] == [TRACE]
    flags = {key: sent(request)[2] for key, request in zip(rig.arrived, rig.endpoint.received, strict=True)}
    assert flags == {"without": "00", "with": "01"}


async def test_a_header_of_the_configuration_wins(rig: Rig, collector: Collector) -> None:
    own = "00-11111111111111111111111111111111-2222222222222222-01"
    async with rig.working(rig.handler(header_map={"TraceParent": own})):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1)
    found = [value for name, value in rig.endpoint.received[0].raw_headers if name.lower() == b"traceparent"]
    assert found == [own.encode()]
    assert collector.spans[0].trace == TRACE


async def test_nothing_is_propagated_where_the_environment_says_so(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PROPAGATORS", "none")
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1)
    assert "traceparent" not in rig.endpoint.received[0].headers
    assert len(collector.spans) == 1


async def test_the_name_of_the_service_is_the_environments_if_it_has_one(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "hooks-eu")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=production")
    async with rig.working(rig.handler()):
        await publish(rig)
        await rig.settled(delivered=1)
    resource = collector.spans[0].resource
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("hooks-eu", "production")


async def test_traces_change_neither_the_fingerprint_nor_what_is_sent_otherwise(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = rig.handler(event_timeout=60)
    async with rig.working(handler):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1)
        assert list(await rig.cool_downs()) == [rig.cool_key(rig.loaded(handler), "abc").partition(":cool:")[2]]
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    await rig.redis.flushall()
    async with rig.working(handler):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(delivered=1)
    traced, plain = rig.endpoint.received
    assert traced.body == plain.body
    lines = [[name for name, _ in request.raw_headers] for request in (traced, plain)]
    assert [name for name in lines[0] if name != b"traceparent"] == lines[1]
    assert len(collector.spans) == 1


async def test_no_payload_url_or_secret_is_in_a_span(rig: Rig, collector: Collector) -> None:
    rig.endpoint.script(Answer(500, b"secret-of-the-answer", headers={"X-Back": "secret-of-the-answer"}))
    handler = rig.handler(
        target_path=f"{rig.endpoint.url}/services/secret-of-the-path?token=secret-of-the-query",
        header_map={"Authorization": "secret-of-the-header"},
        sign={"hmac": {"secrets": ["secret-of-the-signature"]}},
    )
    async with rig.working(handler):
        await publish(rig, "secret-of-the-event")
        await rig.settled(dead=1)
    assert len(collector.spans) == 3
    assert not [span for span in collector.spans if b"secret" in span.raw]


async def test_the_log_names_the_trace_of_a_problem(rig: Rig, collector: Collector) -> None:
    rig.endpoint.script(503, 422)
    async with rig.working(rig.handler()):
        await publish(rig, traceparent=TRACEPARENT)
        await rig.settled(dead=1)
    records = rig.records.of("retry_stored", "dead_letter")
    assert [record["trace_id"] for record in records] == [TRACE, TRACE]
