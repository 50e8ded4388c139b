"""What every room's tests may ask for: a real server, emptied before each test, and an endpoint that listens.

`scripts/test` shares the tests among two processes of pytest-xdist; a third one gathers their reports. Each of the two
has its own session, and so its own server.
"""

import signal
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from streamhooks.store.connection import servers
from tests.figures import Figures, add, show, told
from tests.served import DEFAULT, SERVERS, Served
from tests.served import served as running
from tests.servers import Endpoint, lasting_keys
from tests.skips import unexpected

# A shell that starts the tests in the background has them ignore SIGINT, and so every command that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """--server: what the suites of scripts/matrix are run on."""
    parser.addoption("--server", choices=list(SERVERS), default=DEFAULT, help="which one the tests use")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip for a reason that is not on the list fails the run. Whoever does not report hands over its figures."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = told(session.config)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or session.exitstatus != pytest.ExitCode.OK:
        return
    if refused := unexpected(reporter.stats.get("skipped", ())):
        reporter.write_line("")  # with several processes the line of dots is not ended yet
    for skipped in refused:
        reporter.write_line(f"skipped for a reason that tests/skips.py does not allow: {skipped}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class Process(Protocol):
    """One of several, as the one that reports knows it; pytest-xdist has no types."""

    config: pytest.Config


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Process) -> None:
    """One of the processes has ended; one that crashed has handed over nothing."""
    output: dict[str, list[str]] = getattr(node, "workeroutput", {})
    add(node.config, output.get("figures", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was measured is told in every run."""
    show(terminalreporter, config)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Tells a figure at the end of the run."""
    return Figures(request.config, request.node.name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """What --server names, one for the whole session."""
    async with running(pytestconfig.getoption("server"), tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(served: Served) -> str:
    """As redis.url has it; `unix://...` unless --server says otherwise."""
    return served.url


@pytest_asyncio.fixture
async def redis(served: Served, request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    """A client of the emptied server. After the test no key may be left that would stay forever."""
    await served.made_ready(request.path)
    async with await served.client() as client:
        await client.flushall()
        yield client
        lasting = [name for server in await servers(client) for name in await lasting_keys(server)]
    assert not lasting, f"keys without a TTL that are not on the list of permanent ones (tests/servers.py): {lasting}"


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """A scripted HTTP endpoint on 127.0.0.1."""
    async with Endpoint() as listening:
        yield listening
