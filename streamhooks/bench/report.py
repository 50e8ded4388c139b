"""What was measured, as the JSON document shows it: a member for each section that ran.

Times carry their unit in their name: `us` is a millionth of a second, `ms` a thousandth. Memory is in MiB. CPU is user
and system time of the worker's process alone.
"""

from msgspec import UNSET, Struct, UnsetType


class Machine(Struct, frozen=True):
    """Where it was measured: figures of two machines do not compare."""

    streamhooks: str
    python: str
    server: str
    cores: int
    system: str


class Cpu(Struct, frozen=True):
    """The slope between a short and a long run, so that the start of a process is not in it."""

    events: int
    """In all rounds together; every one of them arrived, or there would be no figure."""
    us_per_event: float
    events_per_second: int
    rounds: tuple[float, ...]
    """`us_per_event` of each."""


class Latency(Struct, frozen=True):
    """From the moment before XADD was written to the moment at which the request had arrived at the endpoint."""

    rate: int
    """Events a second that were asked for."""
    per_second: float
    """That were added indeed."""
    events: int
    arrived: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    most_ms: float
    us_per_event: float | None
    """CPU of the worker; None where the system does not tell."""


class Waiting(Struct, frozen=True):
    """A worker that has begun to deliver a backlog."""

    waiting: int
    delivered: int
    peak_mib: float


class Parked(Struct, frozen=True):
    """A worker that has nothing to do beside stored retries that are not due."""

    parked: int
    peak_mib: float
    cpu_ms_per_second: float


class Memory(Struct, frozen=True):
    waiting: tuple[Waiting, ...]
    growth_mib: float
    """From the smallest backlog to the largest."""
    idle: tuple[Parked, ...]


class Startup(Struct, frozen=True):
    """Medians, seconds since the process was started."""

    ready: float
    """Its record `ready`: Redis was reached and the group exists."""
    first_arrival: float
    """The first webhook was at the endpoint."""
    starts: int


class Stopped(Struct, frozen=True):
    """One worker stopped in the middle of its work, as by SIGSTOP: what the others did meanwhile."""

    events: int
    held: int
    """Deliveries that the stopped one had in hand."""
    by_others: int
    """Delivered by the others while it was stopped."""
    arrived: int
    """In the end, after it went on."""


class Workers(Struct, frozen=True):
    """Several workers on one stream, against one."""

    workers: int
    events: int
    us_per_event_alone: float
    us_per_event: float
    ratio: float
    events_per_second_alone: int
    events_per_second: int
    shares: tuple[int, ...]
    """What each of them delivered of a long run."""
    stopped: Stopped


class Handler(Struct, frozen=True):
    """Every event fires one handler; what a second one costs for each of its deliveries. All have a breaker."""

    us_alone: float
    us_more_plain: float
    us_more_signed: float
    """A second handler that signs as Standard Webhooks has it."""
    us_signing: float


class Report(Struct, frozen=True):
    machine: Machine
    cpu: Cpu | UnsetType = UNSET
    latency: tuple[Latency, ...] | UnsetType = UNSET
    memory: Memory | UnsetType = UNSET
    startup: Startup | UnsetType = UNSET
    workers: Workers | UnsetType = UNSET
    handler: Handler | UnsetType = UNSET
