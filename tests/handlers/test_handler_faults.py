"""Every handler that cannot be used: the exact message, with file and key."""

from pathlib import Path
from typing import Any

import pytest

from streamhooks.errors import ConfigError
from streamhooks.files import load_mapping
from streamhooks.settings.documents import value

TARGET = "https://hooks.example.com/T1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.txt").write_text("hello")
    (tmp_path / "bad.json").write_text('{"a": {{ .A }')
    (tmp_path / "latin.txt").write_bytes(b"\xe4")
    return tmp_path


def faults(data: dict[str, Any], folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load_mapping(data, folder, name="a.yaml", shipped=folder / "shipped")
    return [str(fault).replace(str(folder), "DIR") for fault in raised.value.faults]


def own(**keys: Any) -> dict[str, Any]:
    return {"id": "x", "on": ["*"], "target_path": TARGET, "template_path": "t.txt", **keys}


def cases(name: str) -> list[tuple[Any, str]]:
    """Each line of YAML with the message that stands indented below it."""
    lines = (Path(__file__).parent / name).read_text().splitlines()
    pairs = [(lines[n - 1], line.strip()) for n, line in enumerate(lines) if line.startswith("    ")]
    return [(value(text), message) for text, message in pairs]


OWN = cases("own_faults.txt")
SEED = cases("seed_faults.txt")


@pytest.mark.parametrize(
    ("keys", "message"), OWN, ids=[f"{n}-{message.partition(':')[0]}" for n, (_, message) in enumerate(OWN)]
)
def test_a_faulty_handler_of_our_form_is_named(keys: dict[str, Any], message: str, folder: Path) -> None:
    assert faults({"handlers": [own(**keys)]}, folder) == [f"a.yaml: handlers[0].{message}"]


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "TE", "Proxy-Authorization", "webhook-id", "Cookie", "X A", ""],
)
def test_a_header_that_delivery_would_refuse_is_a_fault_at_the_start(name: str, folder: Path) -> None:
    said = faults({"handlers": [own(header_map={name: "v"})]}, folder)
    assert len(said) == 1
    assert said[0].startswith(f"a.yaml: handlers[0].header_map.{name}: ")


@pytest.mark.parametrize("value", ["a\nb", "ä", "v" * 8193])
def test_a_header_value_that_delivery_would_refuse_is_a_fault_at_the_start(value: str, folder: Path) -> None:
    said = faults({"handlers": [own(header_map={"X-A": value})]}, folder)
    assert len(said) == 1
    assert said[0].startswith("a.yaml: handlers[0].header_map.X-A: ")


@pytest.mark.parametrize("secret", ["abc", "whsec_c2hvcnQ=", "whsec_***", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
def test_a_secret_that_cannot_sign_is_a_fault_that_does_not_show_it(secret: str, folder: Path) -> None:
    said = faults({"handlers": [own(sign={"secrets": [secret]})]}, folder)
    assert len(said) == 1
    assert said[0].startswith("a.yaml: handlers[0].sign.secrets[0]: ")
    assert secret not in said[0]


def test_the_header_of_a_signature_is_not_set_twice(folder: Path) -> None:
    sign = {"hmac": {"secrets": ["0123456789abcdef"], "header": "X-Sig"}}
    said = faults({"handlers": [own(sign=sign, header_map={"x-sig": "v"})]}, folder)
    assert said == ["a.yaml: handlers[0].sign.hmac.header: X-Sig is sent already; name another one"]


def test_a_template_that_does_not_parse_is_told_once_with_its_file_and_gos_words(folder: Path) -> None:
    handlers = [own(id=name, template_path="bad.json") for name in "ab"]
    assert faults({"handlers": handlers}, folder) == ['DIR/bad.json: template: bad.json:1: unexpected "}" in operand']


def test_two_handlers_of_one_id_are_a_fault_that_names_both(folder: Path) -> None:
    meta = {key: item for key, item in own().items() if key != "on"}
    entry = {"handler_name": "eh_web_hook_handler", "handler_meta": meta}
    data = {"handlers": [own()], "event_handlers": {"events": {"A": [entry]}}}
    place = "a.yaml: event_handlers.events.A[0].handler_meta"
    expected = f'{place}: has the id "x", as has a.yaml: handlers[0]; give each an id of its own'
    assert faults(data, folder) == [expected]


def test_a_fault_of_the_defaults_is_not_repeated_by_every_handler(folder: Path) -> None:
    data = {"defaults": {"breaker": {"open": "1h"}}, "handlers": [own(), own(id="y")]}
    assert faults(data, folder) == ["a.yaml: defaults.breaker.open_cap: must be at least as long as breaker.open"]


def test_all_faults_of_one_handler_are_told(folder: Path) -> None:
    handler = own(
        id="X", method="HEAD", target_path="x", template_path="no", header_map={"Host": "x", "A": "{{"}, wen=1
    )
    assert len(faults({"handlers": [handler, 5]}, folder)) == 8


@pytest.mark.parametrize(
    ("data", "message"), SEED, ids=[f"{n}-{message.partition(':')[0]}" for n, (_, message) in enumerate(SEED)]
)
def test_a_faulty_block_of_the_seeds_form_is_named(data: Any, message: str, folder: Path) -> None:
    assert faults({"event_handlers": data}, folder) == [f"a.yaml: {message}"]
