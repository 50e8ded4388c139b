"""The pictures of README.md as files: `scripts/pictures` draws them, and with `--record` runs what is recorded, too."""

import argparse
from collections.abc import Callable

from tests.pages.links import DOCS
from tests.pictures import drawing, recording, terminal
from tests.pictures.way import WAY

FOLDER = DOCS / "images"
RUN = FOLDER / "dev.cast"
COMMAND = ("scripts/dev", "--exit-after", "5")
TOLD = (
    "The command prints where its console is and how to publish an event. Then webhooks arrive at its receiver: most "
    "are answered 200; one is answered 503, put off, and delivered at the second attempt; a duplicate is suppressed; "
    "one that is only ever answered 500 becomes a dead letter. It ends after five deliveries."
)
PICTURES: dict[str, Callable[[], str]] = {
    "event.svg": lambda: drawing.svg(WAY),
    "dev.svg": lambda: terminal.svg(recording.read(RUN), TOLD),
    "dev-still.svg": lambda: terminal.svg(recording.read(RUN), TOLD, still=True),
}
"""What each file holds, by its name."""


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="scripts/pictures", description="Draws the pictures of README.md anew.")
    parser.add_argument("--record", action="store_true", help=f"run {' '.join(COMMAND)} and record it first")
    if parser.parse_args().record:
        RUN.write_bytes(recording.written(recording.record(COMMAND)))
    for name, picture in PICTURES.items():
        (FOLDER / name).write_text(picture())


if __name__ == "__main__":
    main()
