"""How long templates take to render and to compile, beside the real Go, Jinja2 and minijinja.

Run by `scripts/bench templates`. Every engine renders the same 5,000 different events, seven times over; the best
round counts, because everything that disturbs a round makes it slower. What is not installed is left out, and said.
"""

import argparse
import gc
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct, to_builtins

from streamhooks.template import Template
from tests import bench_bombs
from tests.template_oracle import go
from tests.template_oracle.workloads import EVENTS, Workload, workloads

ROUNDS = 7
MODES: tuple[Literal["text", "html", "json"], ...] = ("text", "html", "json")
ENGINES = ("streamhooks", "Go", "minijinja", "Jinja2")
Render: TypeAlias = Callable[[dict[str, Any]], str]


class Measured(Struct, frozen=True):
    """Microseconds of one engine for one template in one mode."""

    template: str
    mode: str
    engine: str
    render: float
    compile: float


class Engine(Struct, frozen=True):
    """A template engine of Python's: what makes a template of a workload, or None where it has none."""

    name: str
    compile: Callable[[Workload, str], Render | None]


def streamhooks(load: Workload, mode: str) -> Render:
    escape = next(known for known in MODES if known == mode)
    return Template.parse(load.go, escape=escape).render


def jinja2(load: Workload, mode: str) -> Render | None:
    source = _jinja(load, mode)
    if not source:
        return None
    environment = import_module("jinja2").Environment(autoescape=mode == "html", keep_trailing_newline=True)
    render: Render = environment.from_string(source).render
    return render


def minijinja(load: Workload, mode: str) -> Render | None:
    source = _jinja(load, mode)
    if not source:
        return None
    escaping = "html" if mode == "html" else False
    environment = import_module("minijinja").Environment(
        templates={"t": source}, auto_escape_callback=lambda _name: escaping, keep_trailing_newline=True
    )

    def render(data: dict[str, Any]) -> str:
        text: str = environment.render_template("t", **data)
        return text

    render(load.events[0])  # it compiles at the first use
    return render


def _jinja(load: Workload, mode: str) -> str:
    return load.jinja_json if mode == "json" else load.jinja


def engines(said: list[str]) -> list[Engine]:
    """Ours and those that are installed; `said` gets a line for each that is not."""
    found = [Engine("streamhooks", streamhooks)]
    for name, module, compiles in (("minijinja", "minijinja", minijinja), ("Jinja2", "jinja2", jinja2)):
        try:
            import_module(module)
        except ImportError:
            said.append(f"{name} is left out: not installed (.venv/bin/pip install {module})")
        else:
            found.append(Engine(name, compiles))
    return found


def measure(loads: list[Workload], present: list[Engine]) -> list[Measured]:
    """Every engine, in rounds over all of them, so that a busy moment of the machine hits no single one."""
    cases = [
        (engine, load, mode, render)
        for load in loads
        for mode in MODES
        for engine in present
        if (render := engine.compile(load, mode)) is not None
    ]
    gc.collect()
    gc.disable()  # as timeit has it
    try:
        rounds = [[_round(render, load.events) for _, load, _, render in cases] for _ in range(ROUNDS)]
        compiled = [min(_once(engine, load, mode) for _ in range(20)) for engine, load, mode, _ in cases]
    finally:
        gc.enable()
    best = [min(times) for times in zip(*rounds, strict=True)]
    return [
        Measured(load.name, mode, engine.name, rendered / 1e3, once / 1e3)
        for (engine, load, mode, _), rendered, once in zip(cases, best, compiled, strict=True)
    ]


def _round(render: Render, events: list[dict[str, Any]]) -> float:
    """Nanoseconds per render."""
    started = time.perf_counter_ns()
    for event in events:
        render(event)
    return (time.perf_counter_ns() - started) / len(events)


def _once(engine: Engine, load: Workload, mode: str) -> float:
    started = time.perf_counter_ns()
    engine.compile(load, mode)
    return time.perf_counter_ns() - started


def measure_go(loads: list[Workload], said: list[str]) -> list[Measured]:
    """Go's answers; its bytes must be ours, or the race would not be one."""
    if go.go() is None:
        said.append(f"Go is left out. {go.MISSING}")
        return []
    cases = [(load, mode) for load in loads for mode in ("text", "html")]
    asked = [{"template": load.go, "mode": mode, "events": load.events, "rounds": ROUNDS} for load, mode in cases]
    with tempfile.TemporaryDirectory(prefix="streamhooks-clock-") as folder:
        answers = go.asked(go.built(go.CLOCK, Path(folder)), asked)
    made = []
    for (load, mode), answer in zip(cases, answers, strict=True):
        render = streamhooks(load, mode)
        ours = sum(len(render(event).encode()) for event in load.events)
        if ours != answer["bytes"]:
            raise AssertionError(f"{load.name} in {mode} mode: Go renders {answer['bytes']} bytes, we {ours}")
        made.append(Measured(load.name, mode, "Go", answer["render"] / 1e3, answer["compile"] / 1e3))
    return made


def table(measured: list[Measured], unit: Literal["render", "compile"]) -> str:
    """As Markdown, for the documentation."""
    by_case = {(one.template, one.mode, one.engine): getattr(one, unit) for one in measured}
    names = [name for name in ENGINES if any(one.engine == name for one in measured)]
    lines = [f"| {unit}, µs | mode | {' | '.join(names)} |", f"|---|---|{'--:|' * len(names)}"]
    for template, mode in dict.fromkeys((one.template, one.mode) for one in measured):
        figures = [by_case.get((template, mode, name)) for name in names]
        cells = ["" if figure is None else f"{figure:.2f}" if figure < 10 else f"{figure:.0f}" for figure in figures]
        lines.append(f"| {template} | {mode} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench templates", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--bombs", action="store_true", help="how long hostile templates and events block instead")
    arguments = parser.parse_args()
    if arguments.bombs:
        return bench_bombs.main()
    said: list[str] = []
    loads = workloads()
    measured = [*measure(loads, engines(said)), *measure_go(loads, said)]
    machine = (
        f"Python {platform.python_version()}, {go.version() or 'no Go'}, {os.cpu_count()} cores, {platform.machine()}"
    )
    if arguments.json:
        print(json.dumps({"machine": machine, "events": EVENTS, "left_out": said, "measured": to_builtins(measured)}))
        return 0
    print(f"{machine}; {EVENTS} different events, best of {ROUNDS} rounds\n")
    print(table(measured, "render"), table(measured, "compile"), sep="\n\n")
    for line in said:
        print(f"\n{line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
