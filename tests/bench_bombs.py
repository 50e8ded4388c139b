"""How long hostile templates and events block the loop: `scripts/bench templates --bombs`.

Each bomb goes both ways: as it is rendered (the compiled form, and the walker where that gives up), and by the walker
alone. The best of three runs counts, since others use the machine too. Limits are counts, so that the ends are the
same on every machine; the times show whether the counts are right.
"""

import time
from collections.abc import Callable
from functools import partial

from streamhooks.template import Template, TemplateError
from tests.template.bombs import BOMBS, DATA, SOURCES

GOAL = 50
"""Milliseconds that one render may block."""
RUNS = 3


def blocked(render: Callable[[], object]) -> tuple[float, str]:
    """Milliseconds of the quickest run, and how it ended."""
    times, end = [], ""
    for _ in range(RUNS):
        started = time.perf_counter()
        try:
            render()
            end = "rendered"
        except TemplateError as error:
            end = error.message.split("\n", 1)[0]
        times.append(1e3 * (time.perf_counter() - started))
    return min(times), end if len(end) <= 60 else f"{end[:60]}..."


def main() -> int:
    """0 where all stay below the goal, 1 where one does not."""
    rows = []
    for data, made in DATA.items():
        event = made()  # only one of them at a time: they are large
        for bomb in BOMBS:
            if bomb.data == data:
                template = bomb.parse()
                rendered, end = blocked(partial(template.render, event))
                walked, _ = blocked(partial(template.walk, event))
                rows.append((max(rendered, walked), rendered, walked, bomb.name, end))
    print(f"| bomb | rendered, ms | by the walker, ms | how it ends |\n|{'---|--:|--:|---|'}")
    for _, rendered, walked, name, end in sorted(rows, reverse=True):
        print(f"| {name} | {rendered:.1f} | {walked:.1f} | {end} |")
    print("\n| text, read at the start | ms |\n|---|--:|")
    for name, source in SOURCES.items():
        print(f"| {name} | {blocked(partial(Template.parse, source))[0]:.0f} |")
    worst = max(rows)
    print(f"\nThe worst of {len(rows)}: {worst[0]:.1f} ms ({worst[3]}); the goal is {GOAL} ms.")
    return 0 if worst[0] < GOAL else 1
