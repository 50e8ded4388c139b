"""Which stream an event goes into: chosen by whoever publishes, so that all of them must choose alike.

Law: two equal events meet in one partition, because a cool-down lives in one. So it is chosen by what equal events have
in common, never at random and never in turn. Publishers in other languages compute the same, see docs/publishing.md.
"""

from zlib import crc32


def stream_names(key: str, count: int) -> tuple[str, ...]:
    """The streams of a configuration: the key itself, or `key:0 ... key:N-1` where there are several."""
    return (key,) if count == 1 else tuple(f"{key}:{number}" for number in range(count))


def stream_of(type: str, api_id: str, streams: tuple[str, ...]) -> str:
    """The stream that an event belongs to.

    CRC-32 (that of zlib) of type, line feed and API id in UTF-8, modulo the number of streams.
    """
    if len(streams) == 1:
        return streams[0]
    return streams[crc32(f"{type}\n{api_id}".encode()) % len(streams)]
