"""`scripts/model`: the searches of the suite and deeper ones, and as many walks on a server as one has time for."""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from streamhooks.embedded import EmbeddedServer
from tests.model.scenes import DEEP
from tests.model.search import search
from tests.model.telling import told
from tests.model.test_against_the_server import WALKS, Walk, walk
from tests.served import One


def main(argv: Sequence[str] | None = None) -> int:
    """0: no law was broken; 1: one was, and how is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=1_000_000, metavar="N", help="states of a scene, at most")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenes with this in their name")
    parser.add_argument("--walks", type=int, default=1000, metavar="N", help="walks of each kind on a server; 0: none")
    parser.add_argument("--seed", type=int, default=0, help="of the walks")
    args = parser.parse_args(argv)
    well = _search(args.states, args.only)
    if args.walks:
        asyncio.run(_walk(args.walks, args.seed))
    return 0 if well else 1


def _search(most: int, only: str) -> bool:
    """Every scene, one line each."""
    well, states = True, 0
    print(f"{'scene':50} {'states':>10} {'steps':>11} {'seconds':>8}")
    for scene in DEEP:
        if only not in scene.name:
            continue
        began = time.monotonic()
        found = search(scene, most=most)
        seconds = time.monotonic() - began
        said = found.law or ("" if found.complete else "there are more")
        print(f"{scene.name:50} {found.states:>10,} {found.steps:>11,} {seconds:>8.1f} {said}", flush=True)
        states += found.states
        if found.law:
            well = False
            print(told(found))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{'together':50} {states:>10,}   at most {memory} MiB of memory")
    return well


async def _walk(walks: int, seed: int) -> None:
    """Raises what a walk that went wrong has raised, with the walk."""
    with tempfile.TemporaryDirectory(prefix="streamhooks-model-") as folder:
        async with EmbeddedServer(Path(folder), persist=False) as server:
            for kind in WALKS:
                await asyncio.to_thread(walk, kind, One(server.url), walks, seed)
                print(f"{walks:,} walks of {kind.__name__}: {Walk.steps_made:,} steps, all as the model has it")


if __name__ == "__main__":
    sys.exit(main())
