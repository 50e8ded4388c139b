"""What nearly every command begins with: the configuration and a connection to Redis.

A command that needs handlers asks for `configuration`; one that only asks Redis takes `settings`, which are those of
the configuration if there is one, else the defaults with what the environment says.
"""

import asyncio
import os
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks import files
from streamhooks.connecting.address import fault_of
from streamhooks.errors import ConfigError, Fault, StoreError
from streamhooks.files import Held, Loaded
from streamhooks.secret import Secret, shown_url
from streamhooks.settings import Settings
from streamhooks.settings.rules import REDIS_URL, RefusedError
from streamhooks.store.connection import connect

COMMAND_LINE = "command line"
"""Where a fault of the command line is, in the place of a file."""


def add_config(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        action="append",
        type=Path,
        metavar="FILE",
        help="a configuration file or a folder of them; may be given again (default: ./streamhooks.yaml, then "
        "/etc/streamhooks/)",
    )


def add_redis(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--redis-url",
        metavar="URL",
        help="the server, in the place of redis.url and redis.password (default of those: redis://127.0.0.1:6379/0)",
    )


def add_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def configuration(args: Namespace, held: Held | None = None) -> Loaded:
    """The configuration that the arguments name; with `held`, what it held when it was read. Raises ConfigError."""
    return _with_redis(files.load(args.config, os.environ, held=held), args)


def settings(args: Namespace) -> Settings:
    """The settings, of no configuration at all if none is named and none is found. Raises ConfigError."""
    return known(args).settings


def known(args: Namespace) -> Loaded:
    """The configuration if there is one, else one without handlers. Raises ConfigError."""
    if args.config or any(path.exists() for path in files.DEFAULT_SEARCH):
        return configuration(args)
    return _with_redis(files.load_mapping({}, Path(), os.environ), args)


@asynccontextmanager
async def reach(settings: Settings, *, connections: int = 8) -> AsyncIterator[Redis]:
    """A client for one command. Its StoreErrors name the server and, where there is one, the way out.

    Raises ConfigError for an address that is none.
    """
    url = settings.redis.url
    client = connect(settings.redis, connections=connections)
    try:
        yield client
    except StoreError as error:
        explained = _explained(error)
        if not explained:
            raise
        raise StoreError(error.kind, f"Redis at {shown_url(url)} {explained}") from error
    finally:
        await client.aclose()


def heed_interrupt() -> None:
    """Raises CancelledError where this task was cancelled and has not heard of it; for loops that ask Redis for ever.

    A Ctrl-C while the task runs is thrown at its next await. There redis-py looks for something to read, with a timeout
    of 0; asyncio keeps one cancellation at a time, takes this one for the timeout's, and it is lost.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _explained(error: StoreError) -> str:
    if error.kind == "away":
        return f"cannot be reached ({error.message}): start it, or name another server by --redis-url or redis.url"
    if error.kind == "denied":
        return f"does not let us in: {error.message}; see redis.url and redis.password"
    if error.kind == "forbidden":
        return f"forbids a command: {error.message}; docs/redis.md has what its user must be allowed"
    if error.kind == "refusing":
        return f"takes no writes ({error.message}): give it memory, disk or its primary back, then try again"
    return f"refused a command ({error.message})" if error.kind == "redis" else ""


def wrong(option: str, message: str) -> ConfigError:
    """Wrong usage that argparse cannot see."""
    return ConfigError([Fault(COMMAND_LINE, option, message)])


def redis_url(args: Namespace) -> str:
    """What --redis-url says; empty where nothing does. Raises ConfigError."""
    url: str = getattr(args, "redis_url", None) or ""  # not every command asks Redis
    if url:
        try:
            REDIS_URL.check(url)
        except RefusedError as refusal:
            raise wrong("--redis-url", str(refusal)) from None
        if said := fault_of(Secret(url)):
            raise wrong("--redis-url", said)
    return url


def _with_redis(loaded: Loaded, args: Namespace) -> Loaded:
    url = redis_url(args)
    if not url:
        return loaded
    redis = loaded.settings.redis.at(Secret(url))
    if redis.is_cluster and loaded.settings.cool.share_with_tyk:  # settings/together.py has seen another address
        raise wrong("--redis-url", "is a cluster, and cool.share_with_tyk needs a single server: take that out")
    return replace(loaded, settings=replace(loaded.settings, redis=redis))
