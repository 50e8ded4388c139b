"""`import tyk` writes our own form: the same requests for the same events, and comments that say what was where."""

import re
from pathlib import Path

import pytest

from streamhooks.delivery.request import RequestMaker
from streamhooks.event_types import example
from streamhooks.files import Loaded, load
from streamhooks.handlers.handler import Handler
from streamhooks.secret import Secret
from tests.doors.command import command
from tests.tyk.conftest import DEFINITIONS
from tests.tyk.loading import TARGET, api, classic, conf, loaded, shipped

META = {"method": "POST", "target_path": TARGET}


async def imported(folder: Path, *paths: Path, compat: bool = False) -> Loaded:
    """What our own form gives, with loopback opened as its comment says."""
    output = folder / "streamhooks.yaml"
    flags = ["--compat", "tyk"] if compat else []
    ran = await command("import", "tyk", *map(str, paths), "--output", str(output), *flags)
    assert (ran.code, ran.out) == (0, f"{output}\n"), ran.err
    output.write_text(output.read_text() + "\ndefaults: {allow_cidrs: [127.0.0.1/32]}\n")
    return load([output], {})


def sent(handler: Handler) -> object:
    """What a handler makes of its event, and whose events it wants."""
    request = RequestMaker(handler).make(example(handler.on[0]))
    return handler.id, handler.apis, handler.event_timeout, request


@pytest.mark.parametrize("compat", [False, True])
async def test_the_imported_handlers_send_what_tyks_files_send(compat: bool, tmp_path: Path) -> None:
    own = await imported(tmp_path, DEFINITIONS / "tyk.conf", DEFINITIONS / "apps", compat=compat)
    read = shipped("tyk" if compat else "")
    assert [sent(handler) for handler in own.handlers] == [sent(handler) for handler in read.handlers]
    assert not own.tyk


async def test_each_handler_says_where_it_stood_and_what_changes(tmp_path: Path) -> None:
    path = api(tmp_path, classic({**META, "event_timeout": 0}))
    ran = await command("import", "tyk", str(path))
    (handler,) = loaded(tmp_path).handlers
    assert ran.code == 0
    assert ran.out.partition("handlers:\n")[2] == (
        f"  # {path}: event_handlers.events.AuthFailure[0].handler_meta\n"
        "  # event_timeout: is 0: Tyk then marks a request for ever and sends it once, ever; "
        "here there is no cool-down\n"
        f"  - id: {handler.id}\n"
        "    on: [AuthFailure]\n"
        "    apis: [orders]\n"
        "    method: POST\n"
        f'    target_path: "{TARGET}"\n'
    )
    assert ran.err == "1 handler; look it through, then: streamhooks check\n"


async def test_values_that_would_mean_something_else_here_are_turned_or_left_out(tmp_path: Path) -> None:
    headers = {"X-Ref": "env://HOME", "X-Shape": "a {{.Type}} b", "X-Quote": 'a "b" \\ c', "X-Yes": "yes"}
    path = api(tmp_path, classic({**META, "header_map": headers, "name": "it's: #1"}))
    (handler,) = (await imported(tmp_path, path)).handlers
    request = RequestMaker(handler).make(example("AuthFailure"))
    lines = dict(request.headers)
    assert (lines["X-Shape"], lines["X-Quote"], lines["X-Yes"]) == ("a {{.Type}} b", 'a "b" \\ c', "yes")
    assert "X-Ref" not in lines
    said = "# X-Ref: env://HOME would be followed here; Tyk sends it as it stands"
    assert said in (tmp_path / "streamhooks.yaml").read_text()


async def test_our_further_keys_and_the_way_out_go_along(tmp_path: Path) -> None:
    meta = {**META, "retry": {"delays": [1, 2]}, "rate_limit": "10/s", "when": '{{eq .APIID "orders"}}'}
    api(tmp_path, classic(meta))
    proxy = {"enabled": True, "http_proxy": "http://proxy:3128"}
    conf(tmp_path, {"external_services": {"webhooks": {"proxy": proxy}}})
    (handler,) = (await imported(tmp_path, tmp_path / "tyk.conf", tmp_path / "apps")).handlers
    assert (handler.retry.delays, handler.rate_limit, handler.route.proxy) == (
        (1.0, 2.0),
        10.0,
        Secret("http://proxy:3128"),
    )
    assert handler.when is not None
    (line,) = re.findall(r"^    proxy: .*$", (tmp_path / "streamhooks.yaml").read_text(), re.MULTILINE)
    at = f"{tmp_path}/tyk.conf: external_services.webhooks.proxy.http_proxy"
    assert line == f'    proxy: "http://proxy:3128"  # {at}'


async def test_private_targets_are_not_opened_but_named(tmp_path: Path) -> None:
    path = api(tmp_path, classic({"target_path": "http://10.0.0.9/x", "method": "POST"}))
    ran = await command("import", "tyk", str(path))
    assert '# defaults: {allow_cidrs: ["10.0.0.9/32"]}\n' in ran.out


@pytest.mark.parametrize(
    ("host", "cidrs"),
    [("localhost", ["127.0.0.0/8", "::1/128"]), ("127.0.0.1", ["127.0.0.1/32"]), ("[::1]", ["::1/128"])],
)
async def test_the_networks_that_are_named_open_the_targets(host: str, cidrs: list[str], tmp_path: Path) -> None:
    path = api(tmp_path, classic({"target_path": f"http://{host}:9000/x", "method": "POST"}))
    ran = await command("import", "tyk", str(path))
    (line,) = re.findall(r"^# (defaults: .*)$", ran.out, re.MULTILINE)
    (tmp_path / "own.yaml").write_text(f"{ran.out}\n{line}\n")
    (handler,) = load([tmp_path / "own.yaml"], {}).handlers
    assert list(handler.route.allow_cidrs) == cidrs


async def test_faults_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    api(tmp_path, classic({**META, "method": 7}))
    api(tmp_path, "{", "b.json")
    ran = await command("import", "tyk", str(tmp_path / "apps"), "--output", str(tmp_path / "out.yaml"))
    assert (ran.code, ran.out, ran.err.splitlines()[-1]) == (2, "", "2 faults")
    assert not (tmp_path / "out.yaml").exists()


async def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = api(tmp_path, classic(META))
    ran = await command("import", "tyk", str(path), "--output", str(path))
    said = f"command line: --output: {path} is there already: move it away, or name another file"
    assert (ran.code, ran.err.splitlines()[0]) == (2, said)


async def test_a_second_tyk_conf_is_a_fault(tmp_path: Path) -> None:
    first = conf(tmp_path, {"listen_port": 1})
    (tmp_path / "b").mkdir()
    second = conf(tmp_path / "b", {"listen_port": 2})
    ran = await command("import", "tyk", str(first), str(second))
    assert ran.err.splitlines()[0] == f"{second}: is a second tyk.conf beside {first}; name one of them"
