"""The page of licences is that of the packages that are installed, and none of them asks for more than we can give."""

import re

import pytest

from tests.release.licences import FREE, PAGE, locked, page, rows, told

NAMES = locked()
LICENCES = rows(PAGE.read_text())


def test_the_page_names_every_package_of_the_lock_files_and_nothing_else() -> None:
    assert list(LICENCES) == list(NAMES), "run scripts/licences"
    assert PAGE.read_text() == page(NAMES, LICENCES), "run scripts/licences"


def test_what_is_installed_here_has_the_licence_of_the_page() -> None:
    here = told(list(NAMES))
    assert len(here) > len(NAMES) / 2
    assert here == {name: LICENCES[name] for name in here}, "run scripts/licences"


@pytest.mark.parametrize("name", NAMES)
def test_a_package_may_be_given_away_with_ours(name: str) -> None:
    assert set(re.split(r" AND | OR |; ", LICENCES[name])) <= FREE
