"""Every setting that is wrong: the exact message, and all of them at once."""

from pathlib import Path
from typing import Any

import pytest

from streamhooks.errors import ConfigError
from streamhooks.files import load, load_mapping
from streamhooks.settings.documents import value

HANDLER = {"id": "a", "on": ["*"], "target_path": "https://hooks.example.com/", "template_path": "t.txt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.txt").write_text("hello")
    return tmp_path


def faults(data: Any, folder: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_mapping({"handlers": [HANDLER], **data}, folder, environ, name="a.yaml")
    return [str(fault).replace(str(folder), "DIR") for fault in raised.value.faults]


def cases(name: str) -> list[tuple[Any, str]]:
    """Each line of YAML with the message that stands indented below it."""
    lines = (Path(__file__).parent / name).read_text().splitlines()
    pairs = [(lines[n - 1], line.strip()) for n, line in enumerate(lines) if line.startswith("    ")]
    return [(value(text), message) for text, message in pairs]


CASES = cases("setting_faults.txt")


@pytest.mark.parametrize(("data", "message"), CASES, ids=[message.partition(":")[0] for _, message in CASES])
def test_a_wrong_setting_names_file_key_and_what_is_allowed(data: Any, message: str, folder: Path) -> None:
    (folder / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    assert faults(data, folder) == [f"a.yaml: {message}"]


def test_every_fault_is_told_at_once(folder: Path) -> None:
    data = {
        "redis": {"url": "x", "pasword": "y"},
        "worker": {"lease": 0, "batch": 0},
        "handlers": [{**HANDLER, "method": "HEAD", "apis": "x"}, {**HANDLER, "id": "B"}],
    }
    assert len(faults(data, folder)) == 7


def test_a_secret_is_never_shown(folder: Path) -> None:
    data = {
        "redis": {"url": "http://u:hunter2@x"},
        "admin": {"token": ["hunter2"]},
        "handlers": [{**HANDLER, "header_map": {"A": "hunter2\n"}, "sign": {"secrets": ["whsec_hunter2"]}}],
        "defaults": {"proxy": "ftp://hunter2@x"},
    }
    said = faults(data, folder)
    assert len(said) == 5
    assert "hunter2" not in "".join(said)


@pytest.mark.parametrize("text", ["*hunter2", "!hunter2 x", "!a!hunter2", "&hunter2 *hunter2x", '!!int "hunter2"'])
def test_a_password_that_stands_without_quotes_is_not_quoted_in_its_fault(text: str, folder: Path) -> None:
    (folder / "a.yaml").write_text(f"redis:\n  password: {text}\n")
    with pytest.raises(ConfigError) as raised:
        load([folder / "a.yaml"], {})
    assert "hunter2" not in str(raised.value)
    assert "is not YAML: " in str(raised.value)


KEY = "is not a known setting; the nearest is"
ENVIRONMENT = {
    "STREAMHOOKS_REDIS__URI=x": f'{KEY} "STREAMHOOKS_REDIS__URL"',
    "STREAMHOOKS_REDIS__URL__X=x": f'{KEY} "STREAMHOOKS_REDIS__URL"',
    "STREAMHOOKS_REDIS=x": "is a section; set one of its settings, such as STREAMHOOKS_REDIS__URL",
    "STREAMHOOKS_HANDLERS=x": "cannot be set by the environment; write handlers in a file",
    "STREAMHOOKS_WORKER__BATCH=x": 'is "x"; must be a whole number from 1 to 10000',
    "STREAMHOOKS_WORKER__BATCH=[": "is not a YAML value; put it in quotes",
    "STREAMHOOKS_ADMIN__TOKEN=env://X": "env://X names a variable that is not set",
}


@pytest.mark.parametrize(("variable", "message"), ENVIRONMENT.items(), ids=list(ENVIRONMENT))
def test_a_wrong_variable_is_named(variable: str, message: str, folder: Path) -> None:
    name, _, text = variable.partition("=")
    assert faults({}, folder, {name: text}) == [f"environment: {name}: {message}"]


def test_a_long_value_is_cut_in_its_message(folder: Path) -> None:
    said = f'log.format: is "{"x" * 56}...; must be one of "auto", "json", "console"'
    assert faults({"log": {"format": "x" * 80}}, folder) == [f"a.yaml: {said}"]


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800"])
def test_a_text_that_nothing_can_hold_is_refused(text: str, folder: Path) -> None:
    said = "must not hold a NUL character or half of a surrogate pair"
    data = {"log": {"level": text}, "redis": {"tls": {"ca_file": text}}, "handlers": [{**HANDLER, "target_path": text}]}
    assert faults(data, folder) == [
        f"a.yaml: log.level: {said}",
        f"a.yaml: redis.tls.ca_file: {said}",
        f"a.yaml: handlers[0].target_path: {said}",
    ]


def test_a_key_with_a_line_break_stays_on_one_line(folder: Path) -> None:
    known = "known are format, level"
    assert faults({"log": {"x\ny": 1}}, folder) == [f'a.yaml: log."x\\ny": is not a known key; {known}']
