"""A canary in every place where a secret stands, a worker at DEBUG through every kind of fault, and no canary found.

Each canary is one of its kind, so what is found names its place. Looked through are all records, all output of the
commands, `/metrics`, the output of processes of their own, and what Redis keeps, but for the events themselves.
"""

import asyncio
import base64
import json
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.files import Held, Loaded, load
from streamhooks.flow.worker import Worker
from streamhooks.handlers import Handler
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.model import Failure, Reply, Request
from streamhooks.sender import Sender
from streamhooks.store.connection import ask
from tests.doors.command import command
from tests.flow.rig import Records, Rig
from tests.servers import Answer
from tests.skips import socket_of
from tests.waiting import eventually

USER = "canary-user"
FAILING = ("refused", "tls", "proxied", "echo", "template", "header")
"""Handlers that can deliver nothing."""


class Canaries:
    """The canaries by their place, and where they were met."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._seen: dict[str, str] = {}

    def of(self, place: str) -> str:
        """A text with a canary in it."""
        return self._texts.setdefault(place, f"{place}-{secrets.token_hex(12)}")

    def add(self, place: str, text: str) -> str:
        self._texts[place] = text
        return text

    def met(self, where: str, text: str) -> None:
        """Something that was printed, logged or stored."""
        self._seen[where] = self._seen.get(where, "") + text

    def found(self) -> list[str]:
        return [
            f"{place} in {where}"
            for where, text in self._seen.items()
            for place, canary in self._texts.items()
            if canary in text
        ]

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def looked_through(self) -> int:
        return sum(map(len, self._seen.values()))


class Birdcage:
    """A configuration with a canary in every place, and what is done with it."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rig = rig
        self.canaries = Canaries()
        self.path = rig.base / "streamhooks.json"
        self.event = rig.base / "event.json"
        self._monkeypatch = monkeypatch
        self.environ: dict[str, str] = {}
        caller = f"GET /w HTTP/1.1\r\nAuthorization: {self.canaries.of('caller')}\r\n\r\n"
        self.meta = {
            "Message": "Auth Failure",
            "Key": self.canaries.of("key"),
            "OriginatingRequest": self.canaries.add("request", base64.b64encode(caller.encode()).decode()),
        }

    def env(self, place: str, text: str = "") -> str:
        """A reference to a variable that holds a canary."""
        name = f"CANARY_{place.upper()}"
        self.environ[name] = text or self.canaries.of(place)
        self._monkeypatch.setenv(name, self.environ[name])
        return f"env://{name}"

    def file(self, place: str, text: str = "") -> str:
        path = self.rig.base / f"{place}.secret"
        path.write_text(text or self.canaries.of(place))
        return f"file://{path}"

    def key(self, place: str, prefix: str) -> str:
        made = base64.b64encode(secrets.token_bytes(32)).decode()
        self.canaries.add(place, made)
        return self.file(place, prefix + made)

    def certificate(self) -> dict[str, str]:
        made = trustme.CA().issue_cert("worker.example.com").private_key_and_cert_chain_pem.bytes().decode()
        line = made.split("\n")[1]
        self.canaries.add("pem", line)
        return {"cert_file": self.env("cert", made), "key_file": self.env("pem_key", made)}

    def handlers(self) -> list[dict[str, Any]]:
        headers = {
            "Authorization": self.env("header_env", f"Bearer {self.canaries.of('header_env')}"),
            "X-Door": self.file("header_file"),
            "X-Api-Key": self.canaries.of("header_literal"),
        }
        sign = {"secrets": [self.key("whsec", "whsec_"), self.key("whsk", "whsk_")]}
        sign |= {"hmac": {"secrets": [self.file("hmac")]}}  # type: ignore[dict-item]  # a map beside the list
        common = {"header_map": headers, "sign": sign}
        fails = self.rig.template("fails.txt", '{{ fail (print "no " .Meta.Key " of " .Meta.OriginatingRequest) }}')
        url, dead = self.rig.endpoint.url, "http://127.0.0.1:1/"
        proxy = self.env("proxy", f"http://u:{self.canaries.of('proxy')}@127.0.0.1:1")
        on = ["AuthFailure"]
        return [
            {"id": "good", "on": ["KeyExpired"], "target_path": f"{url}/good", **common},
            {"id": "echo", "on": on, "target_path": f"{url}/echo", **common},
            {"id": "refused", "on": on, "target_path": dead, **common},
            {"id": "tls", "on": on, "target_path": url.replace("http:", "https:"), "tls": self.certificate()},
            {"id": "proxied", "on": on, "target_path": dead, "proxy": proxy},
            {"id": "template", "on": on, "target_path": dead, "template_path": fails,
             "expose_originating_request": True},
            {"id": "header", "on": on, "target_path": dead, "header_map": {"X-A": "{{ fail .Meta.Key }}"}},
        ]  # fmt: skip

    def write(self) -> None:
        path = socket_of(self.rig.url)
        data = {
            "redis": {
                "url": self.env("url", f"unix://{USER}:{self.canaries.of('url')}@{path}"),
                "password": self.file("password"),
            },
            "worker": {"lease": 1, "drain_timeout": 5},
            "defaults": {"allow_cidrs": ["127.0.0.0/8"], "retry": {"delays": [0.05], "jitter": 0}},
            "admin": {"listen": "127.0.0.1:0", "token": self.env("admin")},
            "ingest": {"listen": "127.0.0.1:0", "token": self.file("ingest")},
            "log": {"level": "debug"},
            "handlers": self.handlers(),
        }
        self.path.write_text(json.dumps(data))
        self.event.write_text(json.dumps({"type": "AuthFailure", "meta": self.meta}))

    def read(self, held: Held | None = None) -> Loaded:
        return load([self.path], os.environ, held=held)

    async def run(self, *argv: str, code: int) -> None:
        ran = await command(*argv)
        assert ran.code == code, f"{argv}: {ran.code}\n{ran.out}\n{ran.err}"
        self.canaries.met(" ".join(word for word in argv if not word.startswith("/")), ran.out + ran.err)


@pytest.fixture
async def cage(rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Birdcage]:
    rig.records = Records("debug")
    made = Birdcage(rig, monkeypatch)
    made.write()
    await ask(redis, "ACL SETUSER", USER, "on", f">{made.canaries.of('password')}", "~*", "&*", "+@all")
    yield made
    await ask(redis, "ACL DELUSER", USER)


@asynccontextmanager
async def serving(cage: Birdcage) -> AsyncIterator[Worker]:
    async with cage.rig.running(cage.read(), cage.read) as worker:
        yield worker
    cage.canaries.met("the log", cage.rig.records.text)


async def every_fault_of_deliveries(cage: Birdcage) -> None:
    """Ends events in every way, and what is no event."""
    rig, canaries = cage.rig, cage.canaries
    headers = [f"Bearer {canaries.of('header_env')}", canaries.of("header_file"), canaries.of("header_literal")]
    rig.endpoint.script(Answer(500, "\n".join(headers).encode(), {"X-Echo": headers[0]}))
    packed = json.dumps({"type": "AuthFailure", "meta": cage.meta})
    await rig.add({"d": packed})
    await rig.add({"d": json.dumps({"type": "KeyExpired", "meta": cage.meta})})
    key = canaries.of("key")
    await rig.add({"d": packed[:-1]})
    await rig.add({"d": key})
    await rig.add({"type": "AuthFailure", "meta": f'{{"Key": "{key}", "n": NaN}}'})
    await rig.add({"d": json.dumps({"type": 5, "meta": cage.meta})})
    await rig.add({"d": json.dumps({"type": "AuthFailure", "ts": {"Key": key}, "meta": cage.meta})})
    await rig.add({"type": "", "key": key})
    ended = {"", "good", "echo", "refused", "template", "header"}
    await eventually(lambda: ended <= told(rig, "dead_letter"), 20, "all that can end is dead")
    await eventually(lambda: {"tls", "proxied"} <= told(rig, "dead_letter", "retry_stored"), 20, "the others failed")
    await eventually(lambda: undecodable(rig) == 6)


def told(rig: Rig, *events: str) -> set[str]:
    return {record["handler"] for record in rig.records.of(*events)}


def undecodable(rig: Rig) -> int:
    return sum(record["reason"] == "undecodable" for record in rig.records.of("dead_letter"))


def refused(cage: Birdcage) -> list[dict[str, Any]]:
    return cage.rig.records.of("reload_refused")


def more_than(count: int, records: Callable[[Birdcage], list[dict[str, Any]]], cage: Birdcage) -> bool:
    return len(records(cage)) > count


async def every_bad_reload(cage: Birdcage) -> None:
    """Writes canaries where they do not fit, and asks for a reload; then as it was."""
    good, canary = cage.path.read_text(), cage.canaries.of("typed")
    handler = {"id": "x", "on": ["*"], "target_path": f"http://{canary}@h/", "header_map": {"X-Token": f"{canary}\n"}}
    wrong = {
        "redis": {"url": f"http://:{canary}@h", "password": [canary]},
        "admin": {"token": {canary: 1}},
        "defaults": {"proxy": f"ftp://{canary}@h", "tls": {"key_file": f"-----BEGIN {canary}"}},
        "handlers": [
            handler | {"sign": {"secrets": [f"whsec_{canary}", f"whsk_{canary}"], "hmac": {"secrets": ["x"]}}}
        ],
    }
    texts = [json.dumps(wrong), good.replace('"on"', f'"sign": {{"secrets": ["{canary}"]}}, "on"', 1), good + canary]
    for text in texts:
        before = len(refused(cage))
        cage.path.write_text(text)
        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(partial(more_than, before, refused, cage), 10, "the reload is refused")
        await cage.run("check", "--config", str(cage.path), code=2)
    cage.path.write_text(good)
    place = cage.rig.base / "hmac.secret"
    kept = place.read_text()
    place.write_text(canary[:15])
    await eventually(lambda: cage.rig.records.of("secrets_refused"), 10)
    place.write_text(kept)


async def every_command(cage: Birdcage) -> None:
    config = ("--config", str(cage.path))
    for also in ([], ["--json"]):
        await cage.run("check", "--redis", *config, *also, code=2)  # two templates fail with examples, too
        await cage.run("status", *config, *also, code=0)
        await cage.run("pending", *config, *also, code=0)
        await cage.run("dead", "list", *config, *also, code=0)
        await cage.run("dead", "show", *config, *also, code=0)
        await cage.run("dead", "replay", "--handler", "echo", "--dry-run", *config, *also, code=0)
        event = ("--event", str(cage.event))
        for id in ("good", *FAILING):
            cannot = id in ("template", "header")
            await cage.run("render", "--handler", id, *event, *config, *also, code=1 if cannot else 0)
            await cage.run("fire", "--handler", id, *event, *config, *also, code=1)


async def what_redis_keeps(cage: Birdcage) -> None:
    """Everything but the events: what the gateways wrote, and what a record must have to be sent again."""
    redis, keys = cage.rig.redis, cage.rig.keys
    read: dict[bytes, Callable[[Any], Awaitable[object]]] = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda name: redis.zrange(name, 0, -1),
        b"stream": redis.xrange,
    }
    names = [name async for name in redis.scan_iter(count=1000)]
    for name in sorted(set(names) - {b"gateway:events", keys.parked_data.encode()}):
        kept: Any = await read[await ask(redis, "TYPE", name)](name)
        if name in (keys.dead.encode(), keys.retry.encode()):
            kept = [{n: v for n, v in fields.items() if n not in (b"event", b"raw")} for _, fields in kept]
        cage.canaries.met(f"Redis {name!r}", f"{name!r} {kept!r}")
    for owner, record in (await cage.rig.stored()).items():
        cage.canaries.met(f"Redis, stored {owner}", repr(replace(record, event=b"")))
    assert keys.dead.encode() in names


async def page_of_metrics(cage: Birdcage) -> None:
    (record,) = await eventually(lambda: cage.rig.records.of("admin_listens"))
    async with aiohttp.ClientSession() as client, client.get(f"http://{record['address']}/metrics") as reply:
        page = await reply.text()
    assert "streamhooks_account" in page
    cage.canaries.met("/metrics", page)


async def test_no_canary_gets_out_through_faults_commands_metrics_or_redis(cage: Birdcage) -> None:
    async with serving(cage):
        await every_fault_of_deliveries(cage)
        await page_of_metrics(cage)
        await what_redis_keeps(cage)
        await every_command(cage)
        await every_bad_reload(cage)
    reasons = {record["reason"] for record in cage.rig.records.of("dead_letter")}
    assert reasons == {"exhausted", "template", "undecodable"}
    assert cage.canaries.found() == []
    print(f"{len(cage.canaries)} canaries, none in {cage.canaries.looked_through:,} characters")


# What a worker does that is not well: in a process of its own, with what it says on stderr.


async def outcome(cage: Birdcage, format: str, until: str, *argv: str) -> None:
    """Runs `serve` until it says something, or until it ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streamhooks", "serve", "--config", str(cage.path), *argv,
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "STREAMHOOKS_LOG__FORMAT": format},
    )  # fmt: skip
    assert process.stderr is not None
    said = b""
    while until.encode() not in said:
        line = await process.stderr.readline()
        assert line, f"it ended without {until}: {said.decode()}"
        said += line
    if process.returncode is None:
        process.terminate()
    said += await process.stderr.read()
    await process.wait()
    cage.canaries.met(f"serve until {until}", said.decode())


@pytest.mark.parametrize("format", ["json", "console"])
async def test_no_canary_gets_out_of_a_worker_that_cannot_work(cage: Birdcage, format: str) -> None:
    password = cage.rig.base / "password.secret"
    password.write_text(cage.canaries.of("wrong_password"))
    await outcome(cage, format, "redis_unusable")
    await cage.run("status", "--config", str(cage.path), code=1)
    password.write_text(cage.canaries.of("password"))
    for place, url in {
        "port": "redis://h:{}/0",
        "scheme": "redis+none://:{}@h",
        "option": "redis://127.0.0.1:1/?x={}",
    }.items():
        cage.environ["CANARY_URL"] = url.format(cage.canaries.of(place))
        cage._monkeypatch.setenv("CANARY_URL", cage.environ["CANARY_URL"])
        await outcome(cage, format, "redis.url")
        await cage.run("status", "--config", str(cage.path), code=2)
    assert cage.canaries.found() == []


class Broken(Sender):
    """A bug in sending, whose text is all that it had in hand."""

    async def send(self, request: Request, handler: Handler) -> Reply | Failure:
        raise RuntimeError(request, request.headers, handler, handler.headers, handler.route, handler.secrets)


async def test_no_canary_gets_out_of_a_bug_that_shows_what_it_had_in_hand(cage: Birdcage) -> None:
    loaded = cage.read()
    async with Broken() as sender:
        worker = Worker(
            loaded.settings,
            Catalogue(loaded.handlers),
            sender=sender,
            consumer="broken",
            rng=random.Random(1),
        )
        async with worker:
            cage.rig.workers.append(worker)
            await cage.rig.add({"d": json.dumps({"type": "KeyExpired", "meta": cage.meta})})
            await eventually(lambda: cage.rig.records.of("sending_failed"))
            await cage.rig.hurry_readers()
    (record,) = cage.rig.records.of("sending_failed")[:1]
    assert "<Request POST" in json.dumps(record["exception"])
    cage.canaries.met("the log", cage.rig.records.text)
    assert cage.canaries.found() == []


async def test_a_canary_that_gets_out_is_found(cage: Birdcage, tmp_path: Path) -> None:
    await cage.run(
        "render", "--handler", "good", "--reveal", "--config", str(cage.path), "--event", str(cage.event), code=0
    )
    found = {one.partition(" in ")[0] for one in cage.canaries.found()}
    assert found == {"key", "header_env", "header_file", "header_literal"}
