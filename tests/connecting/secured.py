"""A Redis that speaks TLS and wants a client certificate, for tests: Debian's, for not every build can."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec import Struct

from tests.faults.engines import Engine, engines
from tests.faults.server import Server
from tests.ports import free_port
from tests.sender.certificates import Authority, Certificate


def engine_with_tls() -> Engine:
    engine = engines().get("redis7")
    if engine is None:
        pytest.skip("redis-server with TLS is not installed")
    return engine


def tls_options(authority: Authority, serving: Certificate, port: int) -> dict[str, str]:
    """Of a server that listens for TLS at `port`, beside the plain port that the tests look in by."""
    return {
        "tls_port": str(port), "tls_cert_file": serving.cert, "tls_key_file": serving.key,
        "tls_ca_cert_file": authority.ca_file, "tls_auth_clients": "yes",
    }  # fmt: skip


@asynccontextmanager
async def secured(folder: Path, authority: Authority, *names: str, **options: str) -> AsyncIterator[tuple[Server, int]]:
    """The server, whose certificate is for `names`, and its port for TLS."""
    port = free_port()
    given = tls_options(authority, authority.issue(*names), port) | options
    async with Server(engine_with_tls(), folder / "server", aof=False, **given) as server:
        yield server, port


class Secured(Struct, frozen=True):
    """Such a server, and what a client of it says."""

    server: Server
    url: str
    files: Mapping[str, str]
    """What redis.tls says."""


@asynccontextmanager
async def secured_for_a_client(folder: Path) -> AsyncIterator[Secured]:
    """One whose certificate is for 127.0.0.1, and a certificate for its client."""
    authority = Authority(folder, "authority")
    own = authority.issue("client.example")
    async with secured(folder, authority, "127.0.0.1") as (server, port):
        files = {"ca_file": authority.ca_file, "cert_file": own.cert, "key_file": own.key}
        yield Secured(server, f"rediss://127.0.0.1:{port}/0", files)
