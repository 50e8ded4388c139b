"""A worker under pyinstrument: `python -m streamhooks.bench.profiled FILE CONFIG`, which ends when it is idle.

Everything is imported before it begins: of interest is what a delivery does, not how Python starts. (pyinstrument's own
command begins within the import machinery, and with Python 3.11 then often samples no more after its first
milliseconds.)
"""

import os
import sys
from pathlib import Path
from typing import Final

from pyinstrument import Profiler
from pyinstrument.renderers import HTMLRenderer, SpeedscopeRenderer
from pyinstrument.renderers.base import Renderer

from streamhooks import app, files

INTERVAL: Final = 0.001
"""Seconds between two samples."""


def main(file: Path, config: Path) -> int:
    loaded = files.load([config], os.environ)
    renderer: Renderer = HTMLRenderer(show_all=True) if file.suffix == ".html" else SpeedscopeRenderer(show_all=True)
    profiler = Profiler(interval=INTERVAL, async_mode="disabled")  # a task is not of interest, the loop's thread is
    with profiler:
        code = app.serve(loaded, until_idle=True)
    file.write_text(profiler.output(renderer), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
