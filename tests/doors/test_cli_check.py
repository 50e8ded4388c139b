"""`check` and `init`: what is wrong before an event comes."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from streamhooks.cli.lookups import unreachable
from streamhooks.handlers.handler import Handler, Route
from streamhooks.secret import Secret
from streamhooks.template import Template
from tests.doors.command import command, handed_out

GOOD = """
handlers:
  - id: security
    on: [AuthFailure]
    target_path: http://127.0.0.1:8099/hooks
    allow_cidrs: [127.0.0.1/32]
    event_timeout: 10
"""
CLOSED = "a: target: 127.0.0.1 is not allowed: loopback (127.0.0.0/8); if that is meant, "
OPEN_IT = 'give this handler `allow_cidrs: ["127.0.0.1/32"]`'
OPEN_TYKS = 'write `defaults: {allow_cidrs: ["127.0.0.1/32"]}` into the configuration; Tyk\'s own files open nothing'


def written(folder: Path, text: str, **templates: str) -> str:
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(template)
    file = folder / "streamhooks.yaml"
    file.write_text(text)
    return str(file)


async def test_a_good_configuration_is_said_to_be_good(tmp_path: Path) -> None:
    ran = await command("check", "--config", written(tmp_path, GOOD))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].split() == ["HANDLER", "ON", "METHOD", "TARGET", "COOL-DOWN"]
    assert ran.out.splitlines()[1].split() == ["security", "AuthFailure", "POST", "http://127.0.0.1:8099", "10", "s"]
    assert ran.out.splitlines()[2:] == ["1 handler, no faults, no warnings"]


async def test_every_fault_of_every_file_is_told(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.json"
    one.write_text("worker: {batch: 0}\nhandlers:\n  - {id: A, on: [X], target_path: 'ftp://a'}\n")
    two.write_text('{"admin": {"listen": "here"}}')
    words = ["check", "--config", str(one), "--config", str(two)]
    plain, told = await command(*words), await command(*words, "--json")
    assert (plain.code, plain.out, told.code) == (2, "", 2)
    assert plain.err.splitlines()[-1] == "4 faults"
    assert f"{one}: worker.batch: is 0; must be a whole number from 1 to 10000" in plain.err
    assert [(fault["file"], fault["path"]) for fault in told.json["faults"]] == [
        (str(one), "worker.batch"),
        (str(two), "admin.listen"),
        (str(one), "handlers[0].id"),
        (str(one), "handlers[0].target_path"),
    ]


async def test_a_template_that_fails_on_an_example_event_is_a_fault(tmp_path: Path) -> None:
    text = GOOD.replace("on: [AuthFailure]", 'on: ["Breaker*", AuthFailure]\n    template_path: bad.json')
    file = written(tmp_path, text, bad='{"a": "{{ index .Meta.Key 3 5 }}"}')
    ran = await command("check", "--config", file)
    assert ran.code == 2
    assert ran.err.startswith(f"{file}: handlers[0]: with the example event of ")
    assert "BreakerTripped" in ran.err
    assert "the template fails: template: bad.json:1:" in ran.err


async def test_a_template_that_makes_no_json_is_a_fault(tmp_path: Path) -> None:
    text = GOOD.replace("on: [AuthFailure]", "on: [AuthFailure]\n    template_path: bad.json")
    file = written(tmp_path, text, bad='{"a": "{{ .Meta.Message }}",}')
    ran = await command("check", "--config", file)
    assert ran.code == 2
    assert ran.err.startswith(f"{file}: handlers[0]: with the example event of AuthFailure: ")
    assert ran.err.splitlines()[-1].startswith("1 fault, ")


@pytest.mark.parametrize("field", ["ID", "TimeStamp"])
async def test_a_cool_down_over_a_body_that_is_never_the_same_is_warned_of(field: str, tmp_path: Path) -> None:
    text = GOOD.replace("on: [AuthFailure]", "on: [AuthFailure, KeyExpired]\n    template_path: t.json")
    file = written(tmp_path, text, t=f'{{"a": "{{{{ .{field} }}}}"}}')
    ran = await command("check", "--config", file)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 handler, no faults, 1 warning")
    assert ran.err == (
        f"warning: {file}: handlers[0]: the request for AuthFailure, KeyExpired holds the event's .ID or .TimeStamp, "
        "so no two are equal and the event_timeout suppresses nothing; leave it out of the body, webhook-id tells "
        "events apart\n"
    )


async def test_a_time_in_a_branch_that_no_example_takes_is_warned_of_too(tmp_path: Path) -> None:
    text = GOOD.replace("on: [AuthFailure]", "on: [AuthFailure]\n    template_path: t.json")
    template = '{"a": {{ if .Meta.Rare }}"{{ .TimeStamp }}"{{ else }}1{{ end }}}'
    file = written(tmp_path, text, t=template)
    ran = await command("check", "--config", file)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "1 handler, no faults, 1 warning")
    assert ran.err == (
        f"warning: {file}: handlers[0]: the template reads .ID or .TimeStamp in a branch that no example event takes; "
        "where it is taken, the event_timeout suppresses nothing\n"
    )


async def test_without_a_cool_down_the_time_of_an_event_is_welcome(tmp_path: Path) -> None:
    text = GOOD.replace("event_timeout: 10", "template_path: t.json")
    ran = await command("check", "--config", written(tmp_path, text, t='{"a": "{{ .TimeStamp }}"}'))
    assert (ran.code, ran.err) == (0, "")


async def test_a_target_that_is_an_address_of_this_machine_is_a_fault(tmp_path: Path) -> None:
    ran = await command("check", "--config", written(tmp_path, GOOD.replace("allow_cidrs: [127.0.0.1/32]", "")))
    assert ran.code == 2
    assert "allow_cidrs" in ran.err


@pytest.mark.parametrize(
    ("opened", "of_tyk", "said"),
    [
        ((), "", CLOSED + OPEN_IT),
        ((), "a", CLOSED + OPEN_TYKS),
        (("127.0.0.0/8",), "", ""),
    ],
    ids=["closed", "of Tyk", "opened"],
)
def test_what_a_name_leads_to_is_told_with_the_way_to_open_it(opened: tuple[str, ...], of_tyk: str, said: str) -> None:
    # As a number, which every resolver reads without asking anybody; a configuration would not take it.
    handler = Handler(
        id="a", on=("X",), body=Template.parse(""), target="", origin="http://2130706433:80", route=Route(opened)
    )
    assert [str(warning) for warning in unreachable([handler], {of_tyk})] == ([said] if said else [])


def test_a_proxy_looks_names_up_itself() -> None:
    route = Route(proxy=Secret("http://10.0.0.1:3128"))
    handler = Handler(id="a", on=("X",), body=Template.parse(""), target="", origin="http://x.invalid", route=route)
    assert list(unreachable([handler])) == []


async def test_a_name_that_cannot_be_looked_up_is_a_warning(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD.replace("127.0.0.1:8099", "hooks.invalid"))
    ran = await command("check", "--config", file)
    assert ran.code == 0
    assert ran.err == f"warning: {file}: handlers[0]: target: hooks.invalid could not be looked up from here\n"


async def test_the_server_is_asked_on_demand(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    await handed_out(redis)
    words = ["check", "--redis", "--config", written(tmp_path, GOOD), "--redis-url", redis_url]
    plain, told = await command(*words), await command(*words, "--json")
    assert plain.code == 0
    server, group, *_ = plain.out.splitlines()
    assert server.endswith(", maxmemory-policy noeviction, appendonly off")
    assert group == "gateway:events: group streamhooks, consumers 1, pending 0, lag 0"
    assert plain.err == (
        "warning: redis: appendonly is off: what came since the last snapshot is lost when the server ends; "
        "set it to yes\n"
    )
    assert told.json["redis"]["groups"] == {
        "gateway:events": [{"name": "streamhooks", "consumers": 1, "pending": 0, "lag": 0}]
    }


async def test_a_server_that_does_not_answer_is_exit_3(tmp_path: Path) -> None:
    words = ["check", "--redis", "--config", written(tmp_path, GOOD), "--redis-url", "redis://127.0.0.1:1/0"]
    assert (await command(*words)).code == 3


# init


@pytest.mark.parametrize("name", ["check", "serve"])
async def test_a_cluster_on_the_command_line_does_not_share_marks_with_tyk_either(name: str, tmp_path: Path) -> None:
    path = tmp_path / "streamhooks.yaml"
    path.write_text(GOOD + "cool: {share_with_tyk: true}\n")
    ran = await command(name, "--config", str(path), "--redis-url", "redis+cluster://127.0.0.1:1")
    assert ran.code == 2
    assert "--redis-url: is a cluster, and cool.share_with_tyk needs a single server: take that out" in ran.err


async def test_init_writes_what_check_takes(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    ran = await command("init", str(folder))
    checked = await command("check", "--config", str(folder / "streamhooks.yaml"))
    rendered = await command("render", "--handler", "security", "--config", str(folder / "streamhooks.yaml"))
    assert (ran.code, ran.out) == (0, f"{folder}/streamhooks.yaml\n{folder}/templates/security.json\n")
    assert ran.err == f"now: streamhooks check --config {folder}/streamhooks.yaml\n"
    assert checked.code == 0
    assert '"key": "5d8e***"' in rendered.out


async def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "streamhooks.yaml").write_text("mine")
    ran = await command("init", str(tmp_path))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"{tmp_path}/streamhooks.yaml is there already: move it away, or name another folder\nnothing was written\n"
    )
    assert (tmp_path / "streamhooks.yaml").read_text() == "mine"
    assert not (tmp_path / "templates").exists()


async def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = await command("init", str(tmp_path / "file"))
    assert ran.code == 2
    assert ran.err.startswith(f"command line: DIR: {tmp_path}/file/streamhooks.yaml cannot be written: ")
