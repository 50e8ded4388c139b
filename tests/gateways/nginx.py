"""The real NGINX, with the documented configuration and only its places changed."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.ports import free_port
from tests.waiting import eventually

FOLDER = Path(__file__).parents[2] / "scripts/gateways/nginx"
PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")
MODULES = Path("/usr/lib/nginx/modules")
needs_nginx = pytest.mark.skipif(
    not (
        PROGRAM
        and (MODULES / "ngx_http_lua_module.so").exists()
        and Path("/usr/share/lua/5.1/nginx/redis.lua").exists()
    ),
    reason="nginx with Lua is not installed",
)
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx:
    """One that runs."""

    def __init__(self, folder: Path, port: int, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self.port = port
        self.session = session

    @property
    def log(self) -> str:
        return (self._folder / "error.log").read_text()

    async def says(self, text: str) -> None:
        """Returns when this is in the error log."""
        await eventually(lambda: text in self.log, saying=f"the log says {text}")

    async def get(self, path: str) -> int:
        """The status of a request."""
        async with self.session.get(f"http://127.0.0.1:{self.port}{path}") as reply:
            await reply.read()
            return reply.status

    async def raw(self, sent: bytes) -> bytes:
        """The status line that answers these bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return line


def configuration(folder: Path, port: int, options: str, places: Mapping[str, str]) -> str:
    """The documented one with these options, at these places. What is replaced must be there."""
    changed = {
        "include /etc/nginx/modules-enabled/*.conf;": f"load_module {MODULES}/ndk_http_module.so;\n"
        f"load_module {MODULES}/ngx_http_lua_module.so;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log notice;",
        "http {": "http {\naccess_log off;\n" + "\n".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY),
        "/etc/nginx/lua/": f"{FOLDER}/",
        '            host = "127.0.0.1",\n            port = 6379,\n': options,
        "listen 8080": f"listen 127.0.0.1:{port}",
        **places,
    }
    text = (FOLDER / "nginx.conf").read_text()
    for written, replaced in changed.items():
        assert written in text, written
        text = text.replace(written, replaced)
    return text


@asynccontextmanager
async def nginx(folder: Path, options: str, places: Mapping[str, str] = {}, user: str = "root") -> AsyncIterator[Nginx]:
    """NGINX in the foreground on a free port, with this inside of `setup`; it is stopped gracefully."""
    port = free_port()
    (folder / "nginx.conf").write_text(configuration(folder, port, options, places))
    words = ("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    assert PROGRAM
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *words, "-g", f"daemon off; worker_processes 2; user {user} {user};", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession() as session:
            running = Nginx(folder, port, session)
            await eventually(lambda: _listens(port), saying="NGINX listens")
            yield running
    finally:
        if process.returncode is None:
            process.send_signal(3)  # SIGQUIT: what is under way is finished
            await asyncio.wait_for(process.wait(), 10)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
