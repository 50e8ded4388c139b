"""What a new user trips over first: one line that names the place, what is wrong there, and the way out."""

import asyncio
import json
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.doors.command import Ran, command

SEED = {"method": "POST", "target_path": "https://example.com/x", "template_path": "slack.json"}
WANTED = '"eh_web_hook_handler", "eh_log_handler", "eh_dynamic_handler", "cp_dynamic_handler"'
OWN = {"id": "mine", "on": ["AuthFailure"], "target_path": "https://example.com/x", "template_path": "slack.json"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration without faults, in the folder that the commands run in."""
    monkeypatch.chdir(tmp_path)
    return written({"handlers": [OWN]})


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that somebody listens on already."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


def written(configuration: Mapping[str, object]) -> Path:
    path = Path("streamhooks.json")
    path.write_text(json.dumps(configuration))
    return path


async def stumbled(*words: str) -> list[str]:
    """What was said of wrong usage or a wrong configuration, but for the count of faults."""
    ran = await command(*words)
    assert (ran.code, ran.out) == (2, "")
    return ran.err.splitlines()[:-1]


async def served(config: Path, redis_url: str) -> Ran:
    """`serve --until-idle` in a process of its own, whose signals are."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "serve", "--until-idle", "--config", str(config), "--redis-url", redis_url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), err.decode())


@pytest.mark.usefixtures("config")
async def test_without_a_configuration() -> None:
    said = (
        "configuration: there is neither streamhooks.yaml nor /etc/streamhooks; name a file by --config, or write one "
    )
    for words in (("serve",), ("check",), ("render", "--handler", "mine"), ("fire", "--handler", "mine")):
        assert await stumbled(*words) == [said + "by streamhooks init"]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("name", ["gone.yaml", "gone"])
async def test_a_configuration_that_is_not_there(name: str) -> None:
    said = f"{name}: is not there; name another, or write one by streamhooks init"
    assert await stumbled("check", "--config", name) == [said]


@pytest.mark.usefixtures("config")
async def test_a_handler_name_of_tyk_that_is_none() -> None:
    event = [{"handler_name": "eh_web_hook", "handler_meta": SEED}]
    path = written({"event_handlers": {"events": {"AuthFailure": event}}})
    place = f"{path}: event_handlers.events.AuthFailure[0].handler_name"
    assert await stumbled("check", "--config", str(path)) == [f'{place}: is "eh_web_hook"; must be one of {WANTED}']


@pytest.mark.usefixtures("config")
async def test_a_template_that_is_not_there(tmp_path: Path) -> None:
    path = written({"handlers": [{**OWN, "template_path": "mine.json"}]})
    (said,) = await stumbled("serve", "--config", str(path))
    assert said.startswith(f'{path}: handlers[0].template_path: "mine.json" was not found; looked for {tmp_path}/mine')


async def test_a_handler_that_is_none(config: Path) -> None:
    said = 'command line: --handler: "mien" is no handler of the configuration; it has mine'
    assert await stumbled("render", "--handler", "mien", "--config", str(config)) == [said]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("door", ["admin", "ingest"])
async def test_a_port_that_is_taken(door: str, taken: str, redis: Redis, redis_url: str) -> None:
    path = written({"handlers": [OWN], "admin": {"listen": ""}} | {door: {"listen": taken}})
    ran = await served(path, redis_url)
    assert ran.code == 2
    record = json.loads(ran.err.splitlines()[-1])
    assert record["path"] == f"{door}.listen"
    said = f"cannot listen on {taken}: the port is taken; name another address, or end what listens there"
    assert record["message"] == said


async def test_a_key_of_another_program(config: Path, redis: Redis, redis_url: str) -> None:
    await redis.set("gateway:events", "no stream", ex=60)
    said = ": the key is there already and is somebody else's, so choose another stream.key"
    worker = await served(config, redis_url)
    assert (worker.code, said in worker.err) == (3, True)
    for words in (("status",), ("pending",), ("publish", "AuthFailure")):
        ran = await command(*words, "--config", str(config), "--redis-url", redis_url)
        assert (ran.code, said in ran.err) == (1, True), words


async def test_a_stream_that_no_worker_has_read_yet(config: Path, redis: Redis, redis_url: str) -> None:
    options = ("--config", str(config), "--redis-url", redis_url)
    assert (await command("publish", "AuthFailure", *options)).code == 0
    ran = await command("status", *options)
    assert ran.code == 1
    said = "stream gateway:events has no consumer group streamhooks: start a worker with streamhooks serve"
    assert ran.err.splitlines()[-1] == said


async def test_an_endpoint_that_nobody_listens_at(config: Path) -> None:
    written({"handlers": [{**OWN, "target_path": "http://127.0.0.1:1/x", "allow_cidrs": ["127.0.0.1/32"]}]})
    ran = await command("fire", "--handler", "mine", "--config", str(config))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("no answer from http://127.0.0.1:1 after 0.")
    assert ran.err.endswith(" s (connect): connection refused\n")


@pytest.mark.usefixtures("config")
async def test_a_pause_where_nobody_can_know_whether_there_is_such_a_handler(redis: Redis, redis_url: str) -> None:
    ran = await command("handlers", "pause", "mien", "--redis-url", redis_url)
    assert ran.code == 0
    assert ran.err == "there is no configuration here to look for such a handler in; name one by --config\n"
