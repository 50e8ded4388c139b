"""Templates grown from a grammar, answered by our engine and by the real Go: the same output, or the same error text.

Run by scripts/fuzz-templates. Every case has a seed of its own (the run's and its number), so that a run can be
repeated. A difference is made smaller, shown, and kept as a vector with Go's answer, which the tests hold from then on.
What differs by design is counted and not compared: our limits are smaller than Go's, and html mode refuses where it
cannot be exact.
"""

import argparse
import base64
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from streamhooks.template import Template, TemplateError
from tests.template.cases import VECTORS
from tests.template.grammar import Grammar
from tests.template_oracle import go
from tests.template_oracle.smaller import smaller

BATCH = 500
MISSING_KEYS = ("default", "default", "zero", "error")
MODES = ("text", "text", "text", "html")
SHOWN = 20
"""Differences that are shown in full and kept."""
KEPT = VECTORS / "fuzz.jsonl"
"""Where they are kept."""
Verdict: TypeAlias = Literal["agreed", "limited", "refused", "different"]


class Case(Struct, frozen=True):
    """A template with its data and options, as the oracle takes it."""

    template: str
    data: Any
    mode: str
    missingkey: str

    def request(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Answer(Struct, frozen=True):
    """What one of the two made of a case. `kind` is "output", else that of the error."""

    kind: str
    text: bytes


def grown(seed: str) -> Case:
    """The case of a seed."""
    source = random.Random(seed)
    grammar = Grammar(source)
    return Case(grammar.template(), grammar.data(), source.choice(MODES), source.choice(MISSING_KEYS))


def ours(case: Case) -> Answer:
    escape: Literal["html", "text"] = "html" if case.mode == "html" else "text"
    try:
        template = Template.parse(case.template, escape=escape, missingkey=case.missingkey, catalogue=False)
        return Answer("output", template.render_bytes(case.data))
    except TemplateError as error:
        return Answer(error.kind, error.message.encode("utf-8", "replace"))
    except Exception as error:  # noqa: BLE001  # an engine that breaks is a difference to be shown, too
        return Answer("broken", repr(error).encode("utf-8", "replace"))


def gos(reply: dict[str, Any]) -> Answer:
    if "output_b64" in reply:
        return Answer("output", base64.b64decode(reply["output_b64"]))
    if "output" in reply:
        return Answer("output", reply["output"].encode())
    return Answer("error", reply["error"].encode())


def verdict(mine: Answer, go_answer: Answer) -> Verdict:
    """Our errors may have a second line, which helps; Go's text stands before it."""
    if mine.kind == "limit" or b"ORACLE:" in go_answer.text:
        return "limited"
    if mine.kind == "output" or go_answer.kind == "output":
        same = mine == go_answer
    else:
        same = mine.text == go_answer.text or mine.text.startswith(go_answer.text + b"\n")
    if same:
        return "agreed"
    return "refused" if mine.kind == "escape" else "different"


class Fuzzer:
    """Batches of cases, and what came of them."""

    def __init__(self, oracle: Path, seed: str, engine: Callable[[Case], Answer] = ours) -> None:
        self.counts: Counter[Verdict] = Counter()
        self.outputs = 0
        """Of those that agreed, how many rendered; the others gave the same error."""
        self._oracle = oracle
        self._seed = seed
        self._engine = engine
        self._next = 0

    def batch(self, size: int) -> Iterator[Case]:
        """Runs `size` more cases; yields those that differ."""
        cases = [grown(f"{self._seed}/{number}") for number in range(self._next, self._next + size)]
        self._next += size
        for case, go_answer in zip(cases, self.answers(cases), strict=True):
            mine = self._engine(case)
            found = verdict(mine, go_answer)
            self.counts[found] += 1
            self.outputs += found == "agreed" and mine.kind == "output"
            if found == "different":
                yield case

    def replies(self, cases: list[Case]) -> list[dict[str, Any]]:
        """Go's answers, as the oracle writes them."""
        return go.asked(self._oracle, [case.request() for case in cases], "-timeout", "2s")

    def answers(self, cases: list[Case]) -> list[Answer]:
        return [gos(reply) for reply in self.replies(cases)]

    def made_small(self, case: Case) -> Case:
        """A difference, as small as it goes."""

        def differs(template: str, data: Any) -> bool:
            smaller_case = Case(template, data, case.mode, case.missingkey)
            return verdict(self._engine(smaller_case), self.answers([smaller_case])[0]) == "different"

        return Case(*smaller(case.template, case.data, differs), case.mode, case.missingkey)

    def shown(self, case: Case) -> str:
        """A difference for people, with both answers."""
        mine, (go_answer,) = self._engine(case), self.answers([case])
        return (
            f"\nDIFFERENCE mode {case.mode}, missingkey {case.missingkey}\n  template {json.dumps(case.template)}\n"
            f"  data     {json.dumps(case.data)}\n  go       {_told(go_answer)}\n  ours     {_told(mine)}"
        )

    def vector(self, case: Case) -> dict[str, Any]:
        """A difference as a vector: what Go says of it is what is right."""
        (reply,) = self.replies([case])
        name = f"fuzz/{self._seed}/{self.counts['different']}"
        return {"name": name, **case.request(), **{key: reply[key] for key in _ANSWERS if key in reply}}

    @property
    def total(self) -> int:
        return self.counts.total()


_ANSWERS = ("output", "output_b64", "error", "stage", "partial")
"""What of the oracle's answer a vector has."""


def _told(answer: Answer) -> str:
    return f"{answer.kind}: {answer.text.decode('utf-8', 'backslashreplace')!r}"


def fuzz(fuzzer: Fuzzer, count: int, seconds: float, kept: Path) -> int:
    """Until `count` cases or `seconds` are over; shows and keeps differences; returns how many there are."""
    started = said = time.monotonic()
    while fuzzer.total < count and time.monotonic() - started < seconds:
        for case in fuzzer.batch(min(BATCH, count - fuzzer.total)):
            if fuzzer.counts["different"] <= SHOWN:
                small = fuzzer.made_small(case)
                print(fuzzer.shown(small), flush=True)
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(fuzzer.vector(small)) + "\n")
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print(_line(fuzzer), flush=True)
    print(_line(fuzzer))
    return fuzzer.counts["different"]


def _line(fuzzer: Fuzzer) -> str:
    counts = fuzzer.counts
    return (
        f"{fuzzer.total} templates: {counts['agreed']} agree ({fuzzer.outputs} in output, the others in error text), "
        f"{counts['different']} differ; not compared: {counts['refused']} refused by html mode, "
        f"{counts['limited']} over a limit"
    )


def main() -> int:
    """0 where nothing differs, 1 where something does, 2 without Go."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz-templates", description=(__doc__ or "").split("\n", 1)[0])
    until = parser.add_mutually_exclusive_group()
    until.add_argument("--minutes", type=float, help="how long")
    until.add_argument("--count", type=int, help="how many templates (default 10000)")
    parser.add_argument("--seed", default="", help="repeats a run; printed at its start")
    args = parser.parse_args()
    seed = args.seed or str(random.SystemRandom().randrange(10**9))
    with tempfile.TemporaryDirectory(prefix="streamhooks-oracle-") as folder:
        try:
            oracle = go.built(go.ORACLE, Path(folder))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"against {go.version()}, seed {seed}", flush=True)
        count = args.count or (sys.maxsize if args.minutes else 10_000)
        if not fuzz(Fuzzer(oracle, seed), count, 60 * (args.minutes or float("inf")), KEPT):
            return 0
        print(f"kept in {KEPT.relative_to(VECTORS.parents[2])}; once they are mended, commit them with the mend")
        return 1


if __name__ == "__main__":
    sys.exit(main())
