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
    """Whose certificates are trusted; empty: the authorities of the system."""
    cert_file: Annotated[str | Secret, rules.PEM] = ""
    """Our own certificate, where the other side asks for one."""
    key_file: Annotated[str | Secret, rules.PEM] = ""
    """The key of that certificate; empty: it lies in the same file."""


class EndpointTls(Tls, frozen=True):
    insecure_skip_verify: Annotated[bool, flag()] = False
    """Do not check the certificate of the endpoint. Of one handler only, never in `defaults`."""


class Redis(Struct, frozen=True):
    """`tls` is used with rediss://, and turns TLS on with sentinels and clusters."""

    url: Annotated[Secret, rules.REDIS_URL] = Secret("redis://127.0.0.1:6379/0")
    """Where Redis is: one server, a socket, sentinels or a cluster."""
    password: Annotated[Secret, rules.SECRET] = NONE
    """Wins over a password in the url, so that it can lie in a file of its own."""
    tls: Tls = Tls()
    """For `rediss://`, and with sentinels and clusters."""

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
    """Acknowledged entries that are older are trimmed."""
    entries: Annotated[int, whole(0, _COUNT)] = 100_000
    """Acknowledged entries beyond so many are trimmed."""


class Stream(Struct, frozen=True):
    key: Annotated[str, rules.STREAM_KEY] = "gateway:events"
    """The stream that gateways write to; it may hold one hash tag `{x}`."""
    group: Annotated[str, rules.NAME] = "streamhooks"
    """The consumer group; workers of one group share the work."""
    start: Annotated[str, rules.STREAM_START] = "0"
    """Where a new group begins: `"0"` at the oldest entry, `"$"` at new ones only, or an entry id."""
    partitions: Annotated[int, whole(1, 1024)] = 1
    """Into how many streams the events are spread; with N above 1 they are `<key>:0` to `<key>:N-1`."""
    retention: Retention = Retention()
    """What is kept for `replay`."""


class Worker(Struct, frozen=True):
    in_flight: Annotated[int, whole(1, 100_000)] = 512
    """Deliveries under way at once in this process, all endpoints together."""
    batch: Annotated[int, whole(1, 10_000)] = 128
    """Entries that one read brings at most."""
    lease: Annotated[float, duration(1, 600)] = 30.0
    """An entry whose worker has been silent for so long is taken over by another."""
    max_deliveries: Annotated[int, whole(1, 1000)] = 5
    """An entry that is handed out more often, because each worker died of it, is a dead letter."""
    max_event_bytes: Annotated[int, whole(1, 524_288)] = 262_144
    """A larger event is a dead letter, reason `undecodable`."""
    max_parked: Annotated[int, whole(1, _COUNT)] = 1_000_000
    """Stored retries and deferred events of a partition; beyond: dead letter, reason `overflow`."""
    drain_timeout: Annotated[float, duration(0, 3600)] = 20.0
    """How long a stop waits for deliveries that are under way."""
    journal: Annotated[Literal["off", "problems", "all"], one_of("off", "problems", "all")] = "problems"
    """What `explain` and `tail` can see: nothing, whatever is no delivery at the first attempt, or everything."""
    journal_entries: Annotated[int, whole(1, _COUNT)] = 100_000
    """Notes that the journal of a partition keeps."""


class Dead(Struct, frozen=True):
    max_entries: Annotated[int, whole(1, _COUNT)] = 100_000
    """Dead letters of a partition that are kept; the oldest go first, and are counted."""
    max_age: Annotated[float, duration(60, 10 * _YEAR)] = 30 * _DAY
    """Older dead letters are dropped, and counted."""


class Cool(Struct, frozen=True):
    share_with_tyk: Annotated[bool, flag()] = False
    """Heed the cool-downs of a Tyk that uses the same Redis, and set them for it. Not on a cluster."""


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
    """The wait after each failed attempt, one by one."""
    first: Annotated[float, duration(0, 30 * _DAY)] = 5.0
    """Of a series: the wait after the first attempt."""
    factor: Annotated[float, number(1, 100)] = 2.0
    """Of a series: each wait is so many times the one before."""
    cap: Annotated[float, duration(0, 30 * _DAY)] = 3600.0
    """Of a series: the longest wait."""
    attempts: Annotated[int, whole(1, 1000)] = 0
    """Of a series: attempts in all; it must be said, and `delays` must not."""
    jitter: Annotated[float, number(0, 1)] = 0.2
    """The part of each wait by which it is made shorter or longer at random."""
    max_age: Annotated[float, duration(1, _YEAR)] = _DAY
    """Time since the first attempt after which an event is given up; a pause of its handler does not count."""
    permanent_statuses: Annotated[tuple[int, ...], Many(whole(300, 599))] = (410,)
    """Statuses that are never tried again: dead letter, reason `permanent_status`. 410 always is, reason `gone`."""


class Breaker(Struct, frozen=True):
    consecutive: Annotated[int, whole(1, 1_000_000)] = 20
    """Failures in a row that open the breaker."""
    ratio: Annotated[float, number(0.01, 1)] = 0.7
    """The part of the calls in `window` that must fail to open it."""
    window: Annotated[float, duration(1, 3600)] = 300.0
    """The time over which `ratio` is taken."""
    min_calls: Annotated[int, whole(1, 1_000_000)] = 10
    """Fewer calls in `window` do not open it by `ratio`."""
    open: Annotated[float, duration(0.1, _DAY)] = 30.0
    """How long it stays open before a probe; each opening in a row lasts twice as long."""
    open_cap: Annotated[float, duration(0.1, _DAY)] = 600.0
    """The longest that it stays open."""


class Defaults(Struct, frozen=True):
    """For every handler that does not say otherwise."""

    timeout: Annotated[float, duration(0.1, 60)] = 15.0
    """For one attempt, from the look-up of the name to the end of the answer; 5 s of it for connecting."""
    concurrency: Annotated[int, whole(1, 10_000)] = 32
    """Requests to the endpoint under way at once in each worker."""
    rate_limit: Annotated[float, rules.RATE] = 0.0
    """Requests a second, minute or hour, over all workers (`10/s`, `30/m`); empty: no limit."""
    retry: Retry = Retry()
    """When a failed delivery is tried again."""
    breaker: Breaker = Breaker()
    """When an endpoint that keeps failing is left alone."""
    allow_cidrs: Annotated[tuple[str, ...], Many(rules.CIDR)] = ()
    """Networks that are no public ones and may be reached all the same."""
    proxy: Annotated[Secret, rules.PROXY] = NONE
    """`http://host:port` or `https://host:port` of a proxy, which may hold a user and password; empty: none."""
    tls: EndpointTls = EndpointTls()
    """For endpoints with `https://`."""


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
    """The folder in which a `template_path` is looked for."""


class Admin(Struct, frozen=True):
    listen: Annotated[str, rules.LISTEN] = "127.0.0.1:8080"
    """Address of health, metrics, API and console; empty: none."""
    token: Annotated[Secret, rules.SECRET] = NONE
    """What API and console ask for; needed where `listen` is no loopback address. Where it is not said, it is taken
    from the variable `STREAMHOOKS_ADMIN_TOKEN`."""
    hosts: Annotated[tuple[str, ...], Many(rules.HOST)] = ()
    """Further names that the API and the console may be asked for by, as those of a proxy; they need a token."""


class Ingest(Struct, frozen=True):
    listen: Annotated[str, rules.LISTEN] = ""
    """Address of the HTTP door for gateways that cannot speak Redis; empty: off."""
    token: Annotated[Secret, rules.SECRET] = NONE
    """What gateways send as `Authorization: Bearer`; needed where `listen` is no loopback address."""
    tokens: Annotated[tuple[Secret, ...], Many(rules.SECRET)] = ()
    """Further ones that are as good as `token`: one for each gateway, or the old beside the new one."""
    max_body_bytes: Annotated[int, whole(1024, 16_777_216)] = 1_048_576
    """The largest body of a request."""
    body_timeout: Annotated[float, duration(0.1, 60)] = 10.0
    """How long the body of a request may take to come."""
    max_stream_entries: Annotated[int, whole(1, _COUNT)] = 1_000_000
    """Beyond this length of a stream, acknowledged entries that `retention` keeps included, nothing more is taken."""


class Log(Struct, frozen=True):
    level: Annotated[str, one_of("debug", "info", "warning", "error")] = "info"
    """The least important records that are written."""
    format: Annotated[str, one_of("auto", "json", "console")] = "auto"
    """`auto` is for people on a terminal, and JSON elsewhere."""


class Settings(Struct, frozen=True):
    """The whole configuration but the handlers."""

    redis: Redis = Redis()
    """The server that holds the events."""
    stream: Stream = Stream()
    """Where the events lie."""
    worker: Worker = Worker()
    """How one worker works."""
    dead: Dead = Dead()
    """What is kept of dead letters."""
    cool: Cool = Cool()
    """Cool-downs beyond this program."""
    defaults: Defaults = Defaults()
    """What holds for every handler that does not say otherwise."""
    tyk: Tyk = Tyk()
    """Files of Tyk that are read as they are."""
    templates: Templates = Templates()
    """Where templates lie."""
    admin: Admin = Admin()
    """Health, metrics, API and console."""
    ingest: Ingest = Ingest()
    """The HTTP door."""
    log: Log = Log()
    """What is logged."""
    reload: Annotated[bool, flag()] = True
    """Handlers and templates are read again when their files change; SIGHUP does it in any case."""
