"""docs/templates.md says what is: its tables, its configuration and its Python are read and tried."""

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from streamhooks import files
from streamhooks.files import SHIPPED
from streamhooks.template import Template, TemplateError, limits
from streamhooks.template.escape import MODES
from streamhooks.template.functions.builtins import BUILTINS
from streamhooks.template.functions.catalogue import CATALOGUE, SUBJECTS
from tests.templates_shipped.shipped import OWN

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "templates.md").read_text("utf-8")
VALUE = 'a"b\\c & <d>'
FAILS = "fails: "


def section(heading: str, page: str = PAGE) -> str:
    """The text below a heading, up to the next one of its level."""
    level, _, _ = heading.partition(" ")
    return page.split(f"\n{heading}\n", 1)[1].split(f"\n{level} ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables, without their heads; what is between backticks as it is."""
    lines = [line for line in text.split("\n") if line.startswith("|")]
    heads = {at for at, line in enumerate(lines[1:]) if re.fullmatch(r"[|:-]+", line)}
    kept = [line for at, line in enumerate(lines) if at not in heads and not re.fullmatch(r"[|:-]+", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in kept]


def code(cell: str) -> str:
    return cell.strip().removeprefix("`").removesuffix("`")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


FUNCTIONS = rows(section("## Functions"))


@pytest.mark.parametrize(("name", "example", "gives"), FUNCTIONS, ids=[code(row[0]) for row in FUNCTIONS])
def test_a_function_gives_what_the_page_says(name: str, example: str, gives: str) -> None:
    source = code(example)
    assert re.search(rf"[{{(\s]{code(name)}\b", source), "the example uses another function"
    if gives.startswith(FAILS):
        with pytest.raises(TemplateError, match=re.escape(code(gives.removeprefix(FAILS)))):
            Template.parse(source).render({})
        return
    assert Template.parse(source).render({}) == code(gives)


def test_every_function_is_on_the_page_under_its_subject() -> None:
    for subject, functions in SUBJECTS.items():
        names = [code(row[0]) for row in rows(section(f"### {subject.capitalize()}", section("## Functions")))]
        assert names == sorted(functions), subject
    assert {code(row[0]) for row in FUNCTIONS} == set(CATALOGUE) - set(BUILTINS)


def test_every_builtin_is_on_the_page() -> None:
    listed = section("## Functions").split("The others are", 1)[0]
    assert re.findall(r"`(\w+)`", listed) == sorted(BUILTINS)


@pytest.mark.parametrize(("mode", "source", "gives", "without"), rows(section("## Escape modes")))
def test_an_escape_mode_does_what_the_page_says(mode: Any, source: str, gives: str, without: str) -> None:
    template = Template.parse(code(source), escape=code(mode))  # type: ignore[arg-type]  # a mode that is none fails the test
    assert template.render({"v": VALUE}) == code(gives)
    assert template.render({}) == code(without)


def test_every_escape_mode_is_on_the_page() -> None:
    assert {code(row[0]) for row in rows(section("## Escape modes"))} == set(MODES)
    assert f"The value `{VALUE}`" in PAGE


def test_the_limits_are_those_of_the_page() -> None:
    assert rows(section("## Limits")) == [
        ["text of a template", f"{limits.SOURCE_BYTES // 1024} KiB"],
        ["steps of a rendering", f"{limits.STEPS}"],
        ["rendered text", f"{limits.OUTPUT_CHARS} characters"],
        ["templates that call each other", f"{limits.TEMPLATE_DEPTH} deep"],
        ["blocks inside each other", f"{limits.BLOCKS}"],
        ["parentheses inside each other", f"{limits.PARENTHESES}"],
        ["width and precision of `printf`", f"{limits.PRINTF_WIDTH}"],
        ["items of a list that a function makes", f"{limits.LIST_ITEMS}"],
        ["layout of a time", f"{limits.LAYOUT_CHARS} characters"],
    ]


def test_every_shipped_template_is_on_the_page() -> None:
    cells = [row[0] for row in rows(section("## The shipped templates"))]
    assert sorted(re.findall(r"`([^`]+)`", " ".join(cells))) == sorted(["default_webhook.json", *OWN])


@pytest.mark.parametrize("source", blocks("yaml"), ids=range(len(blocks("yaml"))))
def test_the_configurations_of_the_page_load(source: str, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "our-pagerduty.json").write_text((SHIPPED / "pagerduty.json").read_text("utf-8"))
    (tmp_path / "streamhooks.yaml").write_text(source)
    loaded = files.load([tmp_path / "streamhooks.yaml"], {"OPSGENIE_AUTHORIZATION": "GenieKey 1234"})
    assert [handler.body.escape for handler in loaded.handlers] == ["json"] * len(loaded.handlers)
    assert not loaded.warnings


def test_the_python_of_the_page_prints_what_stands_below_it() -> None:
    source = "\n".join(blocks("python"))
    examples = doctest.DocTestParser().get_doctest(source, {}, "docs/templates.md", None, 0)
    assert len(examples.examples) >= 6
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(examples, out=said.append)
    assert not said, "".join(said)
