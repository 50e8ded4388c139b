"""Every experiment by name. A file here is a subject; each function in it that bears `@experiment` is one of them."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from tests.faults.checker import Verdict
from tests.faults.lab import Lab

Run: TypeAlias = Callable[[Lab], Awaitable[Verdict]]


class Experiment(Struct, frozen=True):
    """One fault, and what must hold in spite of it."""

    name: str
    run: Run
    smoke: bool
    """Part of every test run; the others run by scripts/faults."""
    needs: tuple[str, ...] = ()
    """Programs or packages without which it cannot run."""
    anywhere: bool = False
    """It needs nothing of the server, and so runs on a cluster, behind sentinels and by TLS."""


class CannotRunError(Exception):
    """This experiment is not possible with this server or in this place; why."""


_all: dict[str, Experiment] = {}


def experiment(
    name: str, *, smoke: bool = False, needs: tuple[str, ...] = (), anywhere: bool = False
) -> Callable[[Run], Run]:
    """Registers an experiment; `name` is a phrase as the table shows it."""

    def register(run: Run) -> Run:
        assert name not in _all, f"two experiments are called {name!r}"
        _all[name] = Experiment(name, run, smoke, needs, anywhere)
        return run

    return register


def experiments() -> dict[str, Experiment]:
    """All of them, in the order of their files and lines."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(_all)
