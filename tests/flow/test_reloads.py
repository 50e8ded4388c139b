"""What a running worker takes over of files that change: all of them, or only its secrets."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from streamhooks.files import Held, Loaded, load
from streamhooks.reload import FILES_EVERY
from tests.flow.rig import Rig
from tests.servers import Received
from tests.waiting import eventually

OLD = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk"
NEW = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3"
NO_SECRET = (
    "a secret begins with whsec_ and goes on in base64: "
    'make one with `echo "whsec_$(openssl rand -base64 32)"`'
)  # fmt: skip


class Files:
    """A configuration on disk: one handler that signs, with its secrets in files of their own."""

    def __init__(self, rig: Rig) -> None:
        self.path = rig.base / "streamhooks.json"
        self.first, self.second = rig.base / "first", rig.base / "second"
        self.exchange(OLD)
        self._rig = rig

    def exchange(self, *secrets: str) -> None:
        """Writes the secrets, the current one first, as `echo` does it."""
        for path, text in zip((self.first, self.second), (*secrets, secrets[-1]), strict=False):
            path.write_text(f"{text}\n")

    def write(self, *, reload: bool = True, **others: Any) -> None:
        handler = self._rig.handler(sign={"secrets": [f"file://{self.first}", f"file://{self.second}"]}, **others)
        data = {
            "redis": {"url": self._rig.url, "tls": dict(self._rig.tls)},
            "admin": {"listen": ""},
            "defaults": {"allow_cidrs": ["127.0.0.0/8"], "retry": {"delays": [0.05, 0.1], "jitter": 0}},
            "reload": reload,
            "handlers": [handler],
        }
        self.path.write_text(json.dumps(data))

    def read(self, held: Held | None = None) -> Loaded:
        return load([self.path], {}, held=held)


@pytest.fixture
def files(rig: Rig) -> Files:
    return Files(rig)


@asynccontextmanager
async def serving(rig: Rig, files: Files) -> AsyncIterator[None]:
    async with rig.running(files.read(), files.read):
        yield


async def told(rig: Rig, event: str, count: int = 1) -> list[dict[str, Any]]:
    await eventually(lambda: len(rig.records.of(event)) >= count, 10, f"{count} times {event}")
    return [
        {name: value for name, value in record.items() if name not in ("timestamp", "level", "event")}
        for record in rig.records.of(event)
    ]


def verifies(request: Received, secret: str) -> bool:
    """Whether a receiver that holds `secret` accepts the body as it came."""
    try:
        Webhook(secret).verify(request.body, request.headers, json_parse=False)
    except WebhookVerificationError as error:
        assert str(error) == "No matching signature found"  # noqa: PT017  what else it says is a fault of ours
        return False
    return True


async def delivered(rig: Rig, key: str) -> Received:
    before = len(rig.endpoint.received)
    await rig.publish(key)
    return (await rig.endpoint.wait_for(before + 1))[-1]


# Secrets.


@pytest.mark.parametrize("reload", [True, False], ids=["reload", "no reload"])
async def test_secrets_are_exchanged_under_way_and_verify_with_both_meanwhile(
    rig: Rig, files: Files, reload: bool
) -> None:
    files.write(reload=reload)
    async with serving(rig, files):
        before = await delivered(rig, "before")
        files.exchange(NEW, OLD)
        assert await told(rig, "secrets_renewed") == [{"files": [str(files.first), str(files.second)]}]
        between = await delivered(rig, "between")
        files.exchange(NEW)
        await told(rig, "secrets_renewed", 2)
        after = await delivered(rig, "after")
        await rig.settled(delivered=3)
    held = [(verifies(request, OLD), verifies(request, NEW)) for request in (before, between, after)]
    assert held == [(True, False), (True, True), (False, True)]


async def test_every_attempt_is_signed_anew_and_keeps_its_id(rig: Rig, files: Files) -> None:
    files.write(retry={"delays": [1.1], "jitter": 0})
    rig.endpoint.script(503, 200)
    async with serving(rig, files):
        await rig.publish("k")
        first, second = await rig.endpoint.wait_for(2)
    assert verifies(first, OLD)
    assert verifies(second, OLD)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize("reload", [True, False], ids=["reload", "no reload"])
async def test_a_bad_new_secret_is_said_once_and_the_old_one_stays(rig: Rig, files: Files, reload: bool) -> None:
    files.write(reload=reload)
    async with serving(rig, files):
        files.first.write_text("hunter2-hunter2-hunter2")
        (refused,) = await told(rig, "secrets_refused")
        assert refused == {
            "faults": [f"{files.path}: handlers[0].sign.secrets[0]: {NO_SECRET}"],
            "effect": "old ones stay",
        }
        assert verifies(await delivered(rig, "k"), OLD)
        files.second.write_text(NEW)
        await told(rig, "secrets_refused", 2)  # it was looked at again, because the other one changed
        files.exchange(NEW)
        await told(rig, "secrets_renewed")
        assert verifies(await delivered(rig, "l"), NEW)
        await rig.settled(delivered=2)
    assert len(rig.records.of("secrets_refused")) == 2
    assert "hunter2" not in rig.records.text


async def test_a_secret_that_is_gone_for_a_moment_stays_in_force(rig: Rig, files: Files) -> None:
    files.write()
    async with serving(rig, files):
        files.first.unlink()
        (refused,) = await told(rig, "secrets_refused")
        (fault,) = refused["faults"]
        assert fault.endswith(f": {files.first} cannot be read: No such file or directory")
        assert verifies(await delivered(rig, "k"), OLD)
        files.exchange(NEW)
        await told(rig, "secrets_renewed")
        assert verifies(await delivered(rig, "l"), NEW)
        await rig.settled(delivered=2)


async def test_a_faulty_new_configuration_does_not_hold_up_a_secret(rig: Rig, files: Files) -> None:
    files.write()
    async with serving(rig, files):
        files.path.write_text('{"handlers": [{}]}')
        files.exchange(NEW)
        assert (await told(rig, "reload_refused"))[0]["effect"] == "old one stays"
        await told(rig, "secrets_renewed")
        assert verifies(await delivered(rig, "k"), NEW)
        await rig.settled(delivered=1)


async def test_a_file_that_was_only_touched_changes_nothing(rig: Rig, files: Files) -> None:
    files.write(reload=False)
    async with serving(rig, files):
        for path in (files.first, files.path):
            os.utime(path, ns=(1, 1))
        await told(rig, "restart_needed")  # said by the same look
    assert not rig.records.of("secrets_renewed", "secrets_refused", "reloaded")


async def test_a_secret_of_the_connection_needs_a_restart_and_is_said_to(rig: Rig, files: Files) -> None:
    token = rig.base / "token"
    token.write_text("one")
    files.write()
    files.path.write_text(json.dumps(json.loads(files.path.read_text()) | {"ingest": {"token": f"file://{token}"}}))
    async with serving(rig, files):
        token.write_text("two")
        message = "only handlers and templates are reloaded; the rest needs a restart"
        assert await told(rig, "restart_needed") == [{"settings": ["ingest"], "message": message}]


# The configuration.


async def test_a_changed_configuration_is_taken_over_by_itself(rig: Rig, files: Files) -> None:
    files.write()
    async with rig.running(files.read(), files.read, files_every=FILES_EVERY):
        files.write(target_path=f"{rig.endpoint.url}/moved")
        assert await told(rig, "reloaded") == [{"handlers": 1}]
        assert (await delivered(rig, "k")).path == "/moved"
        await rig.settled(delivered=1)
    assert len(rig.records.of("reloaded")) == 1


async def test_without_reload_a_changed_configuration_waits_and_secrets_do_not(rig: Rig, files: Files) -> None:
    template = rig.base / "body.txt"
    template.write_text("old {{ .Meta.Key }}")
    files.write(reload=False, template_path="body.txt")
    async with serving(rig, files):
        files.write(reload=False, target_path=f"{rig.endpoint.url}/moved")
        template.write_text("new")
        (waits,) = await told(rig, "restart_needed")
        assert waits["message"] == "reload is off: what changed waits for a restart, or for SIGHUP"
        assert set(waits["files"]) <= {str(files.path), str(template)}
        files.exchange(NEW)
        await told(rig, "secrets_renewed")
        request = await delivered(rig, "k")
        assert (request.path, request.body, verifies(request, NEW)) == ("/h", b"old k", True)
        await rig.settled(delivered=1)


async def test_a_signal_takes_everything_over_whatever_reload_says(rig: Rig, files: Files) -> None:
    files.write(reload=False)
    async with serving(rig, files):
        files.write(reload=False, target_path=f"{rig.endpoint.url}/moved")
        os.kill(os.getpid(), signal.SIGHUP)
        await told(rig, "reloaded")
        assert (await delivered(rig, "k")).path == "/moved"
        await rig.settled(delivered=1)


async def test_what_changed_before_the_worker_was_ready_is_seen(rig: Rig, files: Files) -> None:
    files.write()
    loaded = files.read()
    files.exchange(NEW)
    async with rig.running(loaded, files.read):
        await told(rig, "secrets_renewed")
        assert verifies(await delivered(rig, "k"), NEW)
        await rig.settled(delivered=1)


def test_what_is_held_answers_for_files_that_are_no_longer_there(rig: Rig, files: Files, tmp_path: Path) -> None:
    apis = tmp_path / "apps"
    apis.mkdir()
    (apis / "a.json").write_text('{"api_id": "a", "name": "a"}')
    files.write(template_path="t.txt")
    (tmp_path / "t.txt").write_text("hello")
    files.path.write_text(json.dumps(json.loads(files.path.read_text()) | {"tyk": {"apis": "apps/*.json"}}))
    before = files.read()
    for path in (apis / "a.json", tmp_path / "t.txt", files.path):
        path.unlink()
    (apis / "b.json").write_text("no JSON")
    files.exchange(NEW)
    after = files.read(before.held)
    assert (after.sources, after.secrets, after.settings) == (before.sources, before.secrets, before.settings)
    assert after.held.stamps.keys() == before.held.stamps.keys()
    assert [secret.reveal() for secret in after.handlers[0].secrets] == [NEW, NEW]
