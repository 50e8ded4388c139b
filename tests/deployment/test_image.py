"""The container image: linted always; built, and tried as a pod would run it, where buildah is installed."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.embedded import EmbeddedServer
from tests.servers import Endpoint

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ISOLATION = ("--isolation", "chroot")
"""Needs neither namespaces nor cgroups, so that it works inside of a container as well."""


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_as_a_number_that_is_not_root_and_without_a_shell_in_between() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER ([1-9]\d*):([1-9]\d*)$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["streamhooks"\]\nCMD \["serve"\]$', last, re.MULTILINE)


@pytest.mark.parametrize("lock", ["image", "build"])
def test_every_package_of_the_image_has_its_version_and_its_hash(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert packages
    assert all("==" in line and "--hash=sha256:" in line for line in packages)


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """A container of the image as it is built now."""
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed")
    built = subprocess.run([ROOT / "scripts" / "image"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    name = _buildah("from", "--pull-never", "localhost/streamhooks").strip()
    yield name
    _buildah("rm", name)


def _buildah(*command: str) -> str:
    done = subprocess.run(["buildah", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _for_all(folder: Path, server: EmbeddedServer, endpoint: Endpoint) -> tuple[Path, Path]:
    """The worker's configuration and the folder of the server's socket, both for every user of this machine."""
    config = folder / "config"
    config.mkdir(mode=0o755)
    folder.chmod(0o755)
    socket = Path(server.url.removeprefix("unix://"))
    socket.chmod(0o777)
    socket.parent.chmod(0o755)
    (config / "streamhooks.yaml").write_text(f"""
redis: {{url: "unix://{socket}"}}
admin: {{listen: ""}}
handlers:
  - {{id: one, "on": [AuthFailure], target_path: "{endpoint.url}/hook", allow_cidrs: [127.0.0.0/8]}}
""")
    return config, socket.parent


@pytest.mark.timeout(300)
async def test_a_worker_of_the_image_delivers_what_is_in_the_stream(
    container: str, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with EmbeddedServer(tmp_path / "server", persist=False) as server:
        config, socket = _for_all(tmp_path, server, endpoint)
        async with Redis.from_url(server.url) as client:
            await client.xadd("gateway:events", {"type": "AuthFailure", "message": "from the image"})
        volumes = ("--volume", f"{config}:/etc/streamhooks:ro", "--volume", f"{socket}:{socket}")
        serve = ("streamhooks", "serve", "--until-idle")
        await asyncio.to_thread(_buildah, "run", *ISOLATION, *volumes, container, "--", *serve)
    assert [b"from the image" in request.body for request in endpoint.received] == [True]
