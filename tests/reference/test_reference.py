"""docs/reference/ is what the code says."""

import pytest

from tests.reference.document import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), "run scripts/reference"


def test_no_other_page_pretends_to_be_made() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
