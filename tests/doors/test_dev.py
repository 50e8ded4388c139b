"""`streamhooks dev`, as a person meets it: nothing is set up, and in a moment there is something to see."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.pictures import recording
from tests.pictures.document import RUN
from tests.servers import Endpoint


async def dev(folder: Path, *options: str, seconds: float = 30.0) -> tuple[int, str, str]:
    """Runs the command in a folder; its exit code and what it wrote."""
    process = await started(folder, *options)
    async with asyncio.timeout(seconds):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def started(folder: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "dev", *options,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_dev_shows_a_delivery_a_suppression_a_retry_and_a_dead_letter(tmp_path: Path) -> None:
    code, out, err = await dev(tmp_path, "--exit-after", "5")
    assert (code, err) == (0, "")
    assert re.match(r"console   http://127\.0\.0\.1:\d+/\n", out), "the console comes first"
    assert "POST /ok/alerts  answered 200" in out
    assert '"event": "AuthFailure"' in out
    assert re.search(
        r"AuthFailure (\S+) -> alerts  suppressed\n +the same request was delivered for event \d+-\d+\n", out
    )
    assert re.search(r"HostDown (\S+) -> operations  put off: attempt 2 in \S+ s\n +status 503\n", out)
    assert re.search(
        r"QuotaExceeded (\S+) -> billing  dead letter \(exhausted\)\n +status 500; attempt 2 was the last", out
    )
    assert "deliveries answered 2xx: done" in out
    assert "\x1b[" not in out, "no colours in a pipe"
    assert _shapes(out) == _shapes(recording.read(RUN).text), "the README shows an older run: scripts/pictures --record"
    assert max(len(line) for line in out.splitlines()) <= 120, "nothing is broken where a terminal ends"


def _shapes(printed: str) -> set[str]:
    """The lines of a run, in which numbers and what differs in every run do not count."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    lines = [line.rstrip() for line in plain.splitlines() if not line.startswith("$ ") and "--redis-url" not in line]
    return {re.sub(r"\b[0-9a-f]{6,}\b|/tmp/streamhooks\S*|[0-9]+", "#", line) for line in lines}


async def test_dev_can_be_run_again_on_what_the_last_run_left(tmp_path: Path) -> None:
    assert (await dev(tmp_path, "--exit-after", "2"))[0] == 0
    assert (await dev(tmp_path, "--exit-after", "2"))[0] == 0


async def test_a_second_dev_on_the_same_folder_says_who_has_it(tmp_path: Path) -> None:
    first = await started(tmp_path)
    assert first.stdout is not None
    await first.stdout.readline()
    code, out, err = await dev(tmp_path)
    first.terminate()
    await first.communicate()
    assert (code, out) == (2, "")
    assert f".streamhooks: is in use by another streamhooks (process {first.pid})" in err
    assert first.returncode == 0


async def test_dev_runs_your_handlers_with_loopback_opened_and_publishes_no_samples(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    handler = {"id": "mine", "on": ["*"], "target_path": f"{endpoint.url}/hook"}
    (tmp_path / "mine.json").write_text(json.dumps({"handlers": [handler]}))
    running = await started(tmp_path, "--config", "mine.json")
    assert running.stdout is not None
    told = b""
    while b"--redis-url " not in told:
        told = await running.stdout.readline()
    url = told.decode().split("--redis-url ")[1].strip()
    publish = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "publish", "AuthFailure", "Path=/mine", "--redis-url", url,
        cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await publish.wait() == 0
    await endpoint.wait_for(1)
    rest = (await running.stdout.readuntil(b"Ctrl-C\n")).decode()
    assert f"tail --since 10m --redis-url {url}\n  stop" in rest, "it says where deliveries are seen"
    tail = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "tail", "--since", "10m", "--redis-url", url,
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert tail.stdout is not None
    assert "delivered" in (await tail.stdout.readline()).decode()
    tail.terminate()
    await tail.communicate()
    running.terminate()
    await running.communicate()
    assert running.returncode == 0
    assert [json.loads(body)["path"] for body in endpoint.bodies] == ["/mine"]


async def test_the_console_is_open_to_this_machine_without_a_token_whatever_the_configuration_says(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    handler = {"id": "mine", "on": ["*"], "target_path": f"{endpoint.url}/hook"}
    admin = {"listen": "0.0.0.0:1", "token": "sesame"}
    (tmp_path / "mine.json").write_text(json.dumps({"handlers": [handler], "admin": admin}))
    running = await started(tmp_path, "--config", "mine.json")
    assert running.stdout is not None
    url = (await running.stdout.readline()).decode().split()[1]
    async with aiohttp.ClientSession() as client, client.get(f"{url}api/v1/handlers") as reply:
        told = await reply.json()
    running.terminate()
    await running.communicate()
    assert url.startswith("http://127.0.0.1:")
    assert [one["id"] for one in told["handlers"]] == ["mine"]


@pytest.mark.parametrize("shown", ["samples", "own handlers"])
async def test_dev_ends_when_nobody_reads_it_any_more(shown: str, tmp_path: Path, endpoint: Endpoint) -> None:
    """As after `| head -1`; with handlers of one's own there is nothing more to write, and so nothing that fails."""
    handler = {"id": "mine", "on": ["*"], "target_path": f"{endpoint.url}/hook"}
    (tmp_path / "mine.json").write_text(json.dumps({"handlers": [handler]}))
    reading, writing = os.pipe()
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "dev", *(("--config", "mine.json") if shown == "own handlers" else ()),
        cwd=tmp_path, stdout=writing, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    os.close(writing)
    assert (await asyncio.to_thread(os.read, reading, 100)).startswith(b"console ")
    os.close(reading)
    async with asyncio.timeout(15):
        _, err = await running.communicate()
    assert (running.returncode, err) == (1, b"")


async def test_a_faulty_configuration_is_named_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"handlers": [{"id": "a", "on": ["X"]}]}')
    code, out, err = await dev(tmp_path, "--config", "bad.json")
    assert (code, out) == (2, "")
    assert err.startswith("bad.json: handlers[0].target_path: is missing")
