"""The examples of docs/publishing.md, as they stand there: each publishes the same event, into the same partition."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from streamhooks.model import Event
from streamhooks.partitioning import stream_names, stream_of
from tests.faults.server import Server
from tests.ports import free_port
from tests.publisher.reading import STREAM, published
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "scripts/gateways/examples"
PAGE = (ROOT / "docs/publishing.md").read_text()
META = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}
PARTITIONS = 5
LUA = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in {".sh", ".py", ".lua", ".go"})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_page_shows_the_examples_as_they_are(file: Path) -> None:
    assert file.read_text().strip() in PAGE


async def ran(*words: str | Path, folder: Path = ROOT, **environment: str) -> str:
    """What a program says that ends well."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=folder, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def arrived(server: Server, said: str, *, partitions: int = 1) -> None:
    """The event of the example is in its stream, once for each id that was printed."""
    stream = stream_of("AuthFailure", "payments", stream_names(STREAM, partitions))
    async with server.client() as redis:
        found = await published(redis, stream)
    assert [event.id for event in found] == said.split()
    assert found
    for event in found:
        assert event == Event(event.id, "AuthFailure", META, event.timestamp, "payments")


@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="redis-cli is not installed")
async def test_redis_cli_publishes_it_in_each_form(server: Server) -> None:
    said = await ran(EXAMPLES / "publish.sh", "-h", "127.0.0.1", "-p", str(server.port))
    assert len(said.split()) == 3
    await arrived(server, said)


@pytest.mark.parametrize("file", ["publisher.py", "publisher_sync.py", "plain_redis.py"])
async def test_python_publishes_it(file: str, server: Server) -> None:
    await arrived(server, await ran(sys.executable, EXAMPLES / file, server.url))


async def test_plain_redis_py_chooses_the_same_partition(server: Server) -> None:
    said = await ran(sys.executable, EXAMPLES / "plain_redis.py", server.url, str(PARTITIONS))
    await arrived(server, said, partitions=PARTITIONS)


async def built(folder: Path) -> Path:
    """The Go example as a program. No module is fetched: tests ask nobody on the network."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not installed")
    process = await asyncio.create_subprocess_exec(
        go, "build", "-o", folder / "publish", ".", cwd=EXAMPLES / "go",
        env={**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly"}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    if process.returncode and b"module lookup disabled by GOPROXY=off" in err:
        pytest.skip("go-redis is not in Go's module cache")
    assert process.returncode == 0, err.decode()
    return folder / "publish"


@pytest.mark.parametrize("partitions", [1, PARTITIONS])
async def test_go_publishes_it_into_the_same_partition(partitions: int, server: Server, tmp_path: Path) -> None:
    program = await built(tmp_path)
    said = await ran(program, f"127.0.0.1:{server.port}", str(partitions))
    await arrived(server, said, partitions=partitions)


@pytest.mark.skipif(shutil.which("gofmt") is None, reason="go is not installed")
async def test_the_go_example_is_written_as_go_is() -> None:
    assert await ran("gofmt", "-l", EXAMPLES / "go") == ""


NGINX = """
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module {lua};
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  lua_package_path "{examples}/?.lua;/usr/share/lua/5.1/?.lua;;";
  server {{
    listen 127.0.0.1:{port};
    location / {{
      content_by_lua_block {{
        local publish = require "publish"
        local members = {{ message = "Auth Failure", path = "/orders/7", origin = "203.0.113.7", key = "abc" }}
        local id, err = publish("127.0.0.1", {redis}, "AuthFailure", "payments", members, tonumber(ngx.var.arg_n))
        ngx.print(id or err)
      }}
    }}
  }}
}}
"""


@pytest.mark.skipif(not (LUA.exists() and shutil.which("nginx")), reason="nginx with Lua is not installed")
@pytest.mark.parametrize("partitions", [1, PARTITIONS])
async def test_lua_in_nginx_publishes_it_into_the_same_partition(
    partitions: int, server: Server, tmp_path: Path
) -> None:
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(lua=LUA, folder=tmp_path, examples=EXAMPLES, port=port, redis=server.port))
    nginx = await asyncio.create_subprocess_exec("nginx", "-c", config, "-e", tmp_path / "error.log")
    try:
        said = await eventually(lambda: asked(port, partitions), 10, "NGINX answers")
    finally:
        nginx.terminate()
        await nginx.wait()
    await arrived(server, said, partitions=partitions)


async def asked(port: int, partitions: int) -> str:
    """The body of one answer; empty while nobody listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return ""
    writer.write(b"GET /?n=%d HTTP/1.0\r\n\r\n" % partitions)
    answer = await reader.read()
    writer.close()
    return answer.decode().partition("\r\n\r\n")[2]
