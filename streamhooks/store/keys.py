"""Every key name, made in one place, with how long its key lives.

`T` is the hash tag that puts all keys of one stream into one slot of a cluster: `{<stream key>}`, or the stream key
as it stands where it holds a hash tag itself. The names are a contract: dashboards and other programs read them.
"""

from msgspec import Struct

from streamhooks.partitioning import stream_names


class Keys(Struct, frozen=True):
    """The key names of one stream (one partition)."""

    stream: str
    tag: str

    @classmethod
    def of(cls, stream: str) -> "Keys":
        return cls(stream, stream if "{" in stream else "{" + stream + "}")

    @property
    def retry(self) -> str:
        """Stream. Retries that are due, and replays; each entry is deleted as it is acknowledged."""
        return f"{self.tag}:retry"

    @property
    def parked(self) -> str:
        """Sorted set. Owners of stored records by the time they are due, in milliseconds; gone when none is left."""
        return f"{self.tag}:parked"

    @property
    def parked_data(self) -> str:
        """Hash. The stored records by owner; gone when none is left."""
        return f"{self.tag}:parked:data"

    @property
    def dead(self) -> str:
        """Stream. Dead letters, bounded by `dead.max_entries` and `dead.max_age`."""
        return f"{self.tag}:dead"

    @property
    def totals(self) -> str:
        """Hash, permanent. The account: accepted, delivered, suppressed, dead, stored, unmatched, lost."""
        return f"{self.tag}:totals"

    @property
    def position(self) -> str:
        """String, permanent. The oldest id that is not acknowledged: a lost group is made again there."""
        return f"{self.tag}:position"

    @property
    def handed(self) -> str:
        """Hash, permanent. What each group was handed and has done with, so that what was trimmed before is found."""
        return f"{self.tag}:handed"

    @property
    def journal(self) -> str:
        """Stream, bounded by `worker.journal_entries`."""
        return f"{self.tag}:journal"

    @property
    def handlers(self) -> str:
        """Hash, permanent. Handlers that are paused or being resumed, see pauses.py."""
        return f"{self.tag}:handlers"

    def cool(self, handler: str, fingerprint: str) -> str:
        """String with a TTL. The cool-down of one request of one handler: `state|owner|stamp`."""
        return f"{self.tag}:cool:{handler}:{fingerprint}"

    def done(self, entry: str) -> str:
        """Set, at most 24 h. Receipts: the handlers that have finished an entry which fires several."""
        return f"{self.tag}:done:{entry}"

    def held(self, handler: str, fingerprint: str) -> str:
        """String, twice the cool-down. How many duplicates a cool-down held back."""
        return f"{self.tag}:held:{handler}:{fingerprint}"

    def told(self, kind: str, handler: str) -> str:
        """String, a minute. An own event of this kind about this handler was told."""
        return f"{self.tag}:told:{kind}:{handler}"

    def rate(self, handler: str) -> str:
        """String, a second beyond the last turn. When a rate-limited handler may be called next."""
        return f"{self.tag}:rate:{handler}"

    def worker(self, consumer: str) -> str:
        """Hash, 60 s. A worker's snapshot of its own figures."""
        return f"{self.tag}:worker:{consumer}"

    def permanent(self) -> frozenset[str]:
        """The keys that may stand without a TTL; every other key of ours has one."""
        return frozenset(
            {
                self.stream,
                self.retry,
                self.parked,
                self.parked_data,
                self.dead,
                self.totals,
                self.position,
                self.handed,
                self.journal,
                self.handlers,
            }
        )


def tyk_mark(fingerprint: str) -> str:
    """String, the cool-down. Tyk's own mark of a request that it sent; not in the slot of any of our keys."""
    return f"webhook.cache.{fingerprint}"


def partitions(key: str, count: int) -> tuple[Keys, ...]:
    """The keys of each partition of a configuration, in their order."""
    return tuple(Keys.of(stream) for stream in stream_names(key, count))
