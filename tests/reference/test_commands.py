"""The commands' reference: every command and action has its example, which is understood, and its options are told."""

import shlex

import pytest

from streamhooks.cli import main
from tests.reference import commands

PARSERS = commands.parsers()


@pytest.mark.parametrize("name", PARSERS)
def test_every_option_has_a_help_text(name: str) -> None:
    assert [action.dest for action in commands.options(PARSERS[name]) if not action.help] == []


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_told_is_what_the_command_tells_of_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*name.split(), "--help"]) == 0
    assert capsys.readouterr().out == PARSERS[name].format_help()


@pytest.mark.parametrize("name", PARSERS)
def test_the_example_is_understood(name: str) -> None:
    words = shlex.split(commands.example(PARSERS[name]))
    assert words[:2] == ["streamhooks", name.split(maxsplit=1)[0]]
    given = PARSERS[words[1]].parse_args(words[2:])
    assert vars(given)


def test_the_page_has_them_in_the_order_of_their_first_use() -> None:
    heads = [line.lstrip("# ") for line in commands.page().splitlines() if line.startswith(("## ", "### "))]
    assert heads == ["Shared options", *PARSERS]
