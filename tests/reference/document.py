"""The references as files: `scripts/reference` writes docs/reference/ from the code, a test compares them with it."""

from collections.abc import Callable

from tests.pages.links import DOCS
from tests.reference import commands, configuration, functions, http, metrics

FOLDER = DOCS / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "configuration.md": configuration.page,
    "functions.md": functions.page,
    "http.md": http.page,
    "metrics.md": metrics.page,
}
"""What each file holds, by its name."""

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in PAGES.items():
        (FOLDER / name).write_text(text())
