"""What people are asked for, and told to run, is there: issue forms, the pull request's list, and every script."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
TOLD = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / ".github").rglob("*.*"))]
SCRIPTS = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()}
ASKED = {"textarea", "input", "dropdown", "checkboxes"}
"""What a form can ask for; `markdown` only tells (GitHub's syntax of issue forms)."""


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FORMS, ids=_named)
def test_an_issue_form_is_one(path: Path) -> None:
    form: dict[str, Any] = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "labels"}
    asked = [element for element in form["body"] if element["type"] != "markdown"]
    assert {element["type"] for element in asked} <= ASKED
    assert len({element["id"] for element in asked}) == len(asked)
    assert all(element["attributes"]["label"] for element in asked)
    assert any(element.get("validations", {}).get("required") for element in asked)


def test_every_script_that_a_page_names_is_there_and_can_be_run() -> None:
    named = {(_named(page), name) for page in TOLD for name in re.findall(r"scripts/([a-z][a-z-]+)", page.read_text())}
    folders = {path.name for path in (ROOT / "scripts").iterdir() if path.is_dir()}
    assert {(page, name) for page, name in named if name not in SCRIPTS | folders} == set()
    assert {name for name in SCRIPTS if not os.access(ROOT / "scripts" / name, os.X_OK)} == set()


def test_every_script_is_told_of_where_a_new_hand_looks() -> None:
    pages = (ROOT / "CONTRIBUTING.md").read_text() + (ROOT / "README.md").read_text()
    assert {name for name in SCRIPTS if f"scripts/{name}" not in pages} == set()


def test_the_pull_request_asks_for_the_one_command() -> None:
    assert "`scripts/test`" in (ROOT / ".github/PULL_REQUEST_TEMPLATE.md").read_text()
    assert "\n    scripts/test\n" in (ROOT / "CONTRIBUTING.md").read_text()
