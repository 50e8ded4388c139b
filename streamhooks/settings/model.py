"""Every setting, once: its name, its default and what it may be.

The structs are what the program reads. The rule beside each type is what reading.py checks the files against; what a
rule cannot see alone (two keys that exclude each other) is in policy.py and together.py.
All durations are seconds.
"""

from typing import Annotated, Literal

from msgspec import Struct

from streamhooks.secret import Secret
from streamhooks.settings import rules
from streamhooks.settings.rules import Many, duration, flag, number, one_of, whole

_DAY = 86400.0
_YEAR = 366 * _DAY
_COUNT = 1_000_000_000
NONE = Secret("")


class Tls(Struct, frozen=True):
    """Paths of PEM files, or, from env://, the PEM text itself, which is then a Secret; empty: the system's
    authorities, no certificate.
    """

    ca_file: Annotated[str | Secret, rules.PEM] = ""
    cert_file: Annotated[str | Secret, rules.PEM] = ""
    key_file: Annotated[str | Secret, rules.PEM] = ""


class EndpointTls(Tls, frozen=True):
    insecure_skip_verify: Annotated[bool, flag()] = False


class Redis(Struct, frozen=True):
    """`tls` is used with rediss://, and turns TLS on with sentinels and clusters."""

    url: Annotated[Secret, rules.REDIS_URL] = Secret("redis://127.0.0.1:6379/0")
    password: Annotated[Secret, rules.SECRET] = NONE
    """Wins over a password in the url; so that one can lie in a file of its own."""
    tls: Tls = Tls()

    @property
    def is_cluster(self) -> bool:
        return self.url.reveal().partition("://")[0].endswith("+cluster")

    @property
    def may_speak_tls(self) -> bool:
        """Whether `tls` can have an effect: not with redis:// and unix://, which say that nothing is encrypted."""
        return not self.url.reveal().startswith(("redis://", "unix://"))

    def at(self, url: Secret) -> "Redis":
        """Another server, whose url says its own password; the files of TLS where that speaks it."""
        other = Redis(url=url, tls=self.tls)
        return other if other.may_speak_tls else Redis(url=url)


class Retention(Struct, frozen=True):
    """How long acknowledged entries are kept for replay: whichever of the two is less."""

    age: Annotated[float, duration(0, _YEAR)] = _DAY
    entries: Annotated[int, whole(0, _COUNT)] = 100_000


class Stream(Struct, frozen=True):
    key: Annotated[str, rules.STREAM_KEY] = "gateway:events"
    group: Annotated[str, rules.NAME] = "streamhooks"
    start: Annotated[str, rules.STREAM_START] = "0"
    """Where a new group starts: "0", "$" or an entry id."""
    partitions: Annotated[int, whole(1, 1024)] = 1
    retention: Retention = Retention()


class Worker(Struct, frozen=True):
    in_flight: Annotated[int, whole(1, 100_000)] = 512
    batch: Annotated[int, whole(1, 10_000)] = 128
    lease: Annotated[float, duration(1, 600)] = 30.0
    max_deliveries: Annotated[int, whole(1, 1000)] = 5
    max_event_bytes: Annotated[int, whole(1, 524_288)] = 262_144
    max_parked: Annotated[int, whole(1, _COUNT)] = 1_000_000
    drain_timeout: Annotated[float, duration(0, 3600)] = 20.0
    journal: Annotated[Literal["off", "problems", "all"], one_of("off", "problems", "all")] = "problems"
    journal_entries: Annotated[int, whole(1, _COUNT)] = 100_000


class Dead(Struct, frozen=True):
    max_entries: Annotated[int, whole(1, _COUNT)] = 100_000
    max_age: Annotated[float, duration(60, 10 * _YEAR)] = 30 * _DAY


class Cool(Struct, frozen=True):
    share_with_tyk: Annotated[bool, flag()] = False


class Retry(Struct, frozen=True):
    """Either the delays one by one, or a geometric series, which `attempts` above 0 says."""

    delays: Annotated[tuple[float, ...], Many(duration(0, 30 * _DAY))] = (
        5,
        30,
        120,
        600,
        1800,
        3600,
        10800,
        21600,
        43200,
    )
    first: Annotated[float, duration(0, 30 * _DAY)] = 5.0
    factor: Annotated[float, number(1, 100)] = 2.0
    cap: Annotated[float, duration(0, 30 * _DAY)] = 3600.0
    attempts: Annotated[int, whole(1, 1000)] = 0
    jitter: Annotated[float, number(0, 1)] = 0.2
    max_age: Annotated[float, duration(1, _YEAR)] = _DAY
    permanent_statuses: Annotated[tuple[int, ...], Many(whole(300, 599))] = (410,)


class Breaker(Struct, frozen=True):
    consecutive: Annotated[int, whole(1, 1_000_000)] = 20
    ratio: Annotated[float, number(0.01, 1)] = 0.7
    window: Annotated[float, duration(1, 3600)] = 300.0
    min_calls: Annotated[int, whole(1, 1_000_000)] = 10
    open: Annotated[float, duration(0.1, _DAY)] = 30.0
    open_cap: Annotated[float, duration(0.1, _DAY)] = 600.0


class Defaults(Struct, frozen=True):
    """For every handler that does not say otherwise."""

    timeout: Annotated[float, duration(0.1, 60)] = 15.0
    concurrency: Annotated[int, whole(1, 10_000)] = 32
    rate_limit: Annotated[float, rules.RATE] = 0.0
    """Requests a second over all workers; 0.0: no limit."""
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    allow_cidrs: Annotated[tuple[str, ...], Many(rules.CIDR)] = ()
    proxy: Annotated[Secret, rules.PROXY] = NONE
    """May hold a user and password."""
    tls: EndpointTls = EndpointTls()


class Tyk(Struct, frozen=True):
    """Tyk's own files, read as they are."""

    config: Annotated[str, rules.PATH] = ""
    """A tyk.conf."""
    apis: Annotated[str, rules.PATH] = ""
    """A glob of API definitions, classic and OAS; a folder stands for the *.json in it."""
    compat: Annotated[str, one_of("", "tyk")] = ""
    """For every handler of these files that does not say otherwise."""


class Templates(Struct, frozen=True):
    path: Annotated[str, rules.PATH] = "templates"


class Admin(Struct, frozen=True):
    listen: Annotated[str, rules.LISTEN] = "127.0.0.1:8080"
    token: Annotated[Secret, rules.SECRET] = NONE
    hosts: Annotated[tuple[str, ...], Many(rules.HOST)] = ()
    """Further names that the API and the console may be asked for by, as those of a proxy; they need a token."""


class Ingest(Struct, frozen=True):
    listen: Annotated[str, rules.LISTEN] = ""
    token: Annotated[Secret, rules.SECRET] = NONE
    tokens: Annotated[tuple[Secret, ...], Many(rules.SECRET)] = ()
    """Further ones that are as good as `token`: one for each gateway, or the old beside the new one."""
    max_body_bytes: Annotated[int, whole(1024, 16_777_216)] = 1_048_576
    body_timeout: Annotated[float, duration(0.1, 60)] = 10.0
    max_stream_entries: Annotated[int, whole(1, _COUNT)] = 1_000_000
    """Beyond this length of a stream, acknowledged entries that `retention` keeps included, nothing more is taken."""


class Log(Struct, frozen=True):
    level: Annotated[str, one_of("debug", "info", "warning", "error")] = "info"
    format: Annotated[str, one_of("auto", "json", "console")] = "auto"


class Settings(Struct, frozen=True):
    """The whole configuration but the handlers."""

    redis: Redis = Redis()
    stream: Stream = Stream()
    worker: Worker = Worker()
    dead: Dead = Dead()
    cool: Cool = Cool()
    defaults: Defaults = Defaults()
    tyk: Tyk = Tyk()
    templates: Templates = Templates()
    admin: Admin = Admin()
    ingest: Ingest = Ingest()
    log: Log = Log()
    reload: Annotated[bool, flag()] = True
