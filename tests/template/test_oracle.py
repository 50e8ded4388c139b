"""Against the real Go, where it is: random templates must give the same output or the same error text.

vectors/oracle.go answers line by line. What differs by design is left out of the comparison: our limits are smaller
(steps, depth, output), and html mode refuses where it cannot be exact.
"""

import base64
import random
from pathlib import Path
from typing import Any

import pytest

from streamhooks.template import Template, TemplateError
from tests.template.cases import first_line
from tests.template.grammar import SCALARS, Grammar, printf_format
from tests.template_oracle.go import ORACLE, asked, built, go

TEMPLATES = 1000
"""Of each mode."""


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oracle, built."""
    if go() is None:
        pytest.skip("go is not installed")
    return built(ORACLE, tmp_path_factory.mktemp("oracle"))


def _asked(oracle: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return asked(oracle, cases, "-timeout", "2s")


def _answer(case: dict[str, Any]) -> tuple[str, str]:
    """The kind of the answer and the answer."""
    try:
        template = Template.parse(case["template"], escape=case["mode"], missingkey=case["missingkey"], catalogue=False)
        return "output", template.render_bytes(case["data"]).decode("utf-8", "surrogateescape")
    except TemplateError as error:
        return error.kind, first_line(error.message).encode("utf-8", "replace").decode()


def _gos(answer: dict[str, Any]) -> str:
    if "output_b64" in answer:
        return base64.b64decode(answer["output_b64"]).decode("utf-8", "surrogateescape")
    text = answer.get("error", answer.get("output"))
    assert isinstance(text, str)
    return text if "output" in answer else first_line(text)


@pytest.mark.timeout(300)
def test_random_formats_print_what_go_prints(oracle: Path) -> None:
    source = random.Random("formats")
    cases: list[dict[str, Any]] = []
    for _ in range(3 * TEMPLATES):
        arguments = source.choice((".a", ".a .b", ".b .a", ".a .a", ""))
        data = {
            "a": source.choice((*SCALARS, [1, "a", None, 2.5], {"k": 1, "b": "x"}, [])),
            "b": source.choice((3, -6, "s")),
        }
        template = f"{{{{printf `{printf_format(source)}` {arguments}}}}}"
        cases.append({"template": template, "data": data, "mode": "text", "missingkey": "default"})
    for case, answer in zip(cases, _asked(oracle, cases), strict=True):
        kind, ours = _answer(case)
        if kind != "limit":
            assert ours == _gos(answer), case


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["text", "html"])
def test_random_templates_give_what_go_gives(oracle: Path, mode: str) -> None:
    cases = []
    for seed in range(TEMPLATES):
        grammar = Grammar(random.Random(f"{mode} {seed}"))  # the same templates every time
        missingkey = ("default", "default", "zero", "error")[seed % 4]
        case = {"template": grammar.template(), "data": grammar.data(), "missingkey": missingkey, "mode": mode}
        cases.append(case)
    compared = 0
    for case, answer in zip(cases, _asked(oracle, cases), strict=True):
        kind, ours = _answer(case)
        gos = _gos(answer)
        if kind in ("limit", "escape") or "ORACLE" in gos:
            continue
        compared += 1
        assert ours == gos, case
    assert compared > TEMPLATES * 0.6
