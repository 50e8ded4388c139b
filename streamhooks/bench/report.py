"""What was measured, as the JSON document shows it: a member for each section that ran.

Times carry their unit in their name: `us` is a millionth of a second, `ms` a thousandth. Memory is in MiB. CPU is user
and system time of the worker's process alone, unless it is called that of Redis.
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
    redis_us_per_event: float
    """CPU of the server, adding included."""


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


class Adding(Struct, frozen=True):
    """What one event costs Redis to be added."""

    bytes: int
    """Of the event."""
    together: int
    """Events that are sent at once: 1, as gateways do it, or those of one `publish_many`."""
    redis_us: float
    received: int
    """Bytes that Redis was sent for it."""
    sent: int
    """Bytes that Redis sent, to replicas too."""


class Delivering(Struct, frozen=True):
    """What one event of a backlog costs after that: to be read, claimed and settled by one worker."""

    bytes: int
    how: str
    """What is other than usual: with a cool-down, and nothing in the journal."""
    redis_us: float
    received: int
    sent: int
    worker_us: float


class Afterwards(Struct, frozen=True):
    """What Redis spends for an event when it is over."""

    bytes: int
    trimmed_us: float
    """Its entry is trimmed."""
    expired_us: float
    """Its cool-down runs out."""


class Served(Struct, frozen=True):
    adding: tuple[Adding, ...]
    delivering: tuple[Delivering, ...]
    afterwards: Afterwards


class Stored(Struct, frozen=True):
    """What Redis holds for one event in a state, beside what it holds for it in the stream."""

    state: str
    bytes: int | None
    """Of the event; None where the state holds nothing of it."""
    events: int
    """Beside as many others."""
    redis_bytes: int


class Partitioned(Struct, frozen=True):
    """One worker that reads so many partitions."""

    partitions: int
    worker_us: float
    """CPU of an event of a backlog."""
    redis_us: float
    """The same of the server; adding not included."""
    rate: int
    """Events a second that come, to all partitions together."""
    worker_us_at_rate: float
    redis_us_at_rate: float
    """Adding included, each event by itself."""
    idle_worker_ms: float
    """CPU of a second in which nothing comes."""
    idle_redis_ms: float
    """The same of the server, what it does for itself included."""
    connections: int
    """That the worker has to Redis, to all nodes together."""
    peak_mib: float
    """The most memory that the worker has held."""


class Report(Struct, frozen=True):
    machine: Machine
    cpu: Cpu | UnsetType = UNSET
    latency: tuple[Latency, ...] | UnsetType = UNSET
    memory: Memory | UnsetType = UNSET
    startup: Startup | UnsetType = UNSET
    workers: Workers | UnsetType = UNSET
    handler: Handler | UnsetType = UNSET
    redis: Served | UnsetType = UNSET
    stored: tuple[Stored, ...] | UnsetType = UNSET
    partitions: tuple[Partitioned, ...] | UnsetType = UNSET
