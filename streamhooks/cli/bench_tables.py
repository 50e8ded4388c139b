"""What `bench` has measured, on one screen: a block for each section that ran."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from streamhooks.bench.report import (
    Cpu,
    Handler,
    Latency,
    Machine,
    Memory,
    Partitioned,
    Report,
    Served,
    Startup,
    Stored,
    Workers,
)
from streamhooks.cli.table import Cell, facts, table


def told(report: Report) -> str:
    return "\n\n".join(_blocks(report))


def _blocks(report: Report) -> Iterator[str]:
    yield _machine(report.machine)
    if report.cpu is not UNSET:
        yield _cpu(report.cpu)
    if report.latency is not UNSET:
        yield _latency(report.latency)
    if report.memory is not UNSET:
        yield _memory(report.memory)
    if report.startup is not UNSET:
        yield _startup(report.startup)
    if report.workers is not UNSET:
        yield _workers(report.workers)
    if report.handler is not UNSET:
        yield _handler(report.handler)
    yield from _scaling(report)


def _scaling(report: Report) -> Iterator[str]:
    if report.redis is not UNSET:
        yield from _redis(report.redis)
    if report.stored is not UNSET:
        yield _stored(report.stored)
    if report.partitions is not UNSET:
        yield _partitions(report.partitions)


def _machine(of: Machine) -> str:
    return f"streamhooks {of.streamhooks}, Python {of.python}, {of.server}, {of.cores} cores, {of.system}"


def _cpu(of: Cpu) -> str:
    return facts(
        (
            ("CPU of an event", f"{of.us_per_event:.1f} µs"),
            ("events a second", f"{of.events_per_second:,}"),
            ("events in all", f"{of.events:,}, all of which arrived"),
        )
    )


def _latency(of: Sequence[Latency]) -> str:
    headings = ("XADD TO ARRIVAL", "P50 MS", "P99 MS", "P99.9 MS", "MOST MS", "CPU µS", "REDIS µS", "ARRIVED")
    return table(
        headings,
        (
            (
                f"{one.rate:,} a second",
                *(f"{ms:.2f}" for ms in (one.p50_ms, one.p99_ms, one.p999_ms, one.most_ms)),
                None if one.us_per_event is None else f"{one.us_per_event:.0f}",
                f"{one.redis_us_per_event:.0f}",
                f"{one.arrived:,} of {one.events:,}",
            )
            for one in of
        ),
    )


def _memory(of: Memory) -> str:
    rows: list[Sequence[Cell]] = [
        (f"{one.waiting:,} waiting, {one.delivered:,} delivered", f"{one.peak_mib:.1f}", None) for one in of.waiting
    ]
    rows += [
        (f"{one.parked:,} stored retries, idle", f"{one.peak_mib:.1f}", f"{one.cpu_ms_per_second:.1f}")
        for one in of.idle
    ]
    return table(("WORKER BESIDE", "PEAK MIB", "CPU MS A SECOND"), rows)


def _startup(of: Startup) -> str:
    return facts((("start to ready", f"{of.ready:.2f} s"), ("start to the first webhook", f"{of.first_arrival:.2f} s")))


def _workers(of: Workers) -> str:
    rows = (
        ("1 worker", f"{of.us_per_event_alone:.1f}", of.events_per_second_alone, None),
        (f"{of.workers} workers", f"{of.us_per_event:.1f}", of.events_per_second, f"{of.ratio:.2f}"),
    )
    shares = " ".join(f"{share:,}" for share in of.shares)
    one = of.stopped
    return "\n".join(
        (
            table(("", "CPU µS", "A SECOND", "RATIO"), rows),
            f"delivered by each: {shares}",
            (
                f"while one was stopped with {one.held:,} in hand, the others delivered {one.by_others:,}; "
                f"in the end {one.arrived:,} of {one.events:,} arrived"
            ),
        )
    )


def _handler(of: Handler) -> str:
    return facts(
        (
            ("one handler", f"{of.us_alone:.1f} µs an event"),
            ("one more, plain", f"+{of.us_more_plain:.1f} µs a delivery"),
            ("one more, signed", f"+{of.us_more_signed:.1f} µs a delivery"),
            ("its signature", f"{of.us_signing:.1f} µs"),
        )
    )


def _redis(of: Served) -> Iterator[str]:
    added = (
        (f"{one.bytes:,} bytes, {_by(one.together)}", f"{one.redis_us:.1f}", one.received, one.sent)
        for one in of.adding
    )
    delivered = (
        (
            f"{one.bytes:,} bytes{one.how and f', {one.how}'}",
            f"{one.redis_us:.1f}",
            one.received,
            one.sent,
            f"{one.worker_us:.1f}",
        )
        for one in of.delivering
    )
    costs = ("REDIS µS", "BYTES IN", "BYTES OUT", "WORKER µS")
    yield table(("ADDING AN EVENT", *costs[:-1]), added)
    yield table(("DELIVERING IT", *costs), delivered)
    last = of.afterwards
    yield facts(
        (
            ("its entry trimmed", f"{last.trimmed_us:.1f} µs of Redis"),
            ("its cool-down expired", f"{last.expired_us:.1f} µs of Redis"),
        )
    )


def _by(together: int) -> str:
    return "each by itself" if together == 1 else f"{together} at once"


def _stored(of: Sequence[Stored]) -> str:
    rows = ((one.state if one.bytes is None else f"{one.state}, {one.bytes:,} bytes", one.redis_bytes) for one in of)
    return table(("REDIS HOLDS FOR AN EVENT", "BYTES"), rows)


def _partitions(of: Sequence[Partitioned]) -> str:
    first, *_ = of
    rate = f"AT {first.rate:,} A SECOND"
    headings = (
        "PARTITIONS", "WORKER µS", "REDIS µS", rate, "REDIS µS", "IDLE MS/S", "REDIS MS/S", "CONNECTIONS", "MIB"
    )  # fmt: skip
    return table(
        headings,
        (
            (
                one.partitions,
                f"{one.worker_us:.1f}",
                f"{one.redis_us:.1f}",
                f"{one.worker_us_at_rate:.1f}",
                f"{one.redis_us_at_rate:.1f}",
                f"{one.idle_worker_ms:.1f}",
                f"{one.idle_redis_ms:.1f}",
                one.connections,
                f"{one.peak_mib:.1f}",
            )
            for one in of
        ),
    )
