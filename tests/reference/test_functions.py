"""The reference of template functions: all of them are there, each with an example that uses it."""

import re

import pytest

from streamhooks.template.functions.catalogue import CATALOGUE
from tests.reference import functions

PAGE = functions.page()


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_function_is_told_with_what_it_does_and_an_example_of_it(name: str) -> None:
    assert re.search(rf"[{{(\s]{name}\b", functions.examples()[name])
    assert functions.meaning(CATALOGUE[name]).endswith((".", ")"))
    assert PAGE.count(f"\n| `{name}` | {functions.engine(name)} | ") == 1


def test_an_example_that_should_work_works() -> None:
    fails = [name for name, source in functions.examples().items() if functions.given(source).startswith("fails: ")]
    assert sorted(fails) == ["call", "fail"]
