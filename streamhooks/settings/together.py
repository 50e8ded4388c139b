"""What two settings say that cannot be true together, or hardly can, each fault at the place of the one to be changed.

What a setting may be by itself is said in model.py; what is inside one policy, in policy.py.
"""

from collections.abc import Iterator

from streamhooks.errors import Fault
from streamhooks.settings.model import Settings
from streamhooks.settings.policy import contradictions, for_one_handler, inner
from streamhooks.settings.reading import Known, Place
from streamhooks.settings.rules import host_of, is_loopback


def impossible(known: Known, settings: Settings) -> Iterator[Fault]:
    """Faults. `known` is what `settings` was made of."""
    yield from _in_defaults(known, settings)
    if settings.cool.share_with_tyk and settings.redis.is_cluster:
        said = "cannot be shared on a cluster, where Tyk's marks lie in other slots than ours; take it out"
        yield known[("cool", "share_with_tyk")].place.fault(said)
    files = next((name for name in ("ca_file", "cert_file", "key_file") if getattr(settings.redis.tls, name)), "")
    if files and not settings.redis.may_speak_tls:
        said = "is not used, for redis.url asks for no TLS; write rediss:// in it, or take the file out"
        yield known[("redis", "tls", files)].place.fault(said)
    if settings.admin.hosts and not settings.admin.token:
        said = "lets others than this machine ask, and there is no admin.token; set one, or take the hosts out"
        yield known[("admin", "hosts")].place.fault(said)
    yield from _of_the_door(known, settings)


def doubtful(known: Known, settings: Settings) -> Iterator[Fault]:
    """Warnings."""
    if settings.redis.is_cluster and settings.stream.partitions > 1 and "{" in settings.stream.key:
        said = "holds a hash tag, so all partitions are in one slot of the cluster, and on one node; take it out"
        yield known[("stream", "key")].place.fault(said)


def _in_defaults(known: Known, settings: Settings) -> Iterator[Fault]:
    policy = inner(known, "defaults")
    for path, message in (*contradictions(policy, settings.defaults), *for_one_handler(policy)):
        section = path.partition(".")[0]
        said = {".".join(key): given.place for key, given in policy.items() if key[0] == section}
        place = said.get(path) or Place(next(iter(said.values())).file, f"defaults.{path}")
        yield place.fault(message)


def _of_the_door(known: Known, settings: Settings) -> Iterator[Fault]:
    """What the HTTP door's settings cannot be together, and beside others."""
    door, listen = settings.ingest, known.get(("ingest", "listen"))
    if listen is None or not door.listen:
        return
    if not any((door.token, *door.tokens)) and not is_loopback(host_of(door.listen)):
        yield listen.place.fault(
            "is no loopback address, and there is no ingest.token: set one, or listen on 127.0.0.1"
        )
    if door.listen == settings.admin.listen and not door.listen.endswith(":0"):
        yield listen.place.fault("is the address of admin.listen, too; give the door another port")
    if door.max_stream_entries <= settings.stream.retention.entries:
        most = known.get(("ingest", "max_stream_entries"), listen)
        said = (
            f"ingest.max_stream_entries ({door.max_stream_entries}) must be more than stream.retention.entries "
            f"({settings.stream.retention.entries}), or the door is shut while nothing waits"
        )
        yield Fault(most.place.file, "ingest", said)
