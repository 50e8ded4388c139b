"""YAML, JSON and TOML as plain values, and what is wrong with a text that is none of them."""

import datetime
from typing import Any

import pytest

from streamhooks.errors import Fault
from streamhooks.settings.documents import parse

QUOTES = "a text that begins with * or ! needs quotes"
OTHERWISE = "is indented otherwise than what stands around it, which begins in"
TEMPLATE = "a text that begins with { or [ needs quotes, such as '{{ eq .X 1 }}'"
TAG = f"could not determine a constructor for the tag; {QUOTES}"


def parsed(text: str, file: str = "a.yaml") -> Any:
    faults: list[Fault] = []
    data = parse(text, file, faults)
    assert faults == []
    return data


def faults_of(text: str, file: str) -> list[str]:
    faults: list[Fault] = []
    parse(text, file, faults)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on: [A]", {"on": ["A"]}),
        ("journal: off", {"journal": "off"}),
        ("flag: true", {"flag": True}),
        ("flag: yes", {"flag": "yes"}),
        ("at: 1:30", {"at": "1:30"}),
        ("day: 2026-01-02", {"day": "2026-01-02"}),
        ("n: 010", {"n": 10}),
        ("n: 0x1f", {"n": 31}),
        ("n: 0o17", {"n": 15}),
        ("n: 1e3", {"n": 1000.0}),
        ("n: 1_000", {"n": "1_000"}),
        ("n: .5", {"n": 0.5}),
        ("n: ~", {"n": None}),
        ("n:", {"n": None}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("", {}),
    ],
)
def test_yaml_is_read_by_the_core_schema_of_yaml_1_2(text: str, expected: object) -> None:
    assert parsed(text) == expected


def test_json_and_toml_are_told_by_the_ending() -> None:
    assert parsed('{"log": {"level": "info"}}', "a.json") == {"log": {"level": "info"}}
    assert parsed('[log]\nlevel = "info"', "a.TOML") == {"log": {"level": "info"}}


def test_a_date_of_toml_stays_a_date_for_the_walk_to_refuse() -> None:
    assert parsed("day = 2026-01-02", "a.toml") == {"day": datetime.date(2026, 1, 2)}


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("a.yaml", "!x y", [f"a.yaml: line 1, column 1: is not YAML: {TAG}"]),
        ("a.yaml", "a: *b", [f"a.yaml: line 1, column 4: is not YAML: found undefined alias; {QUOTES}"]),
        ("a.yaml", "a: \x00", ["a.yaml: is not YAML: the character U+0000 is not allowed in it"]),
        ("a.yaml", "[" * 5000, ["a.yaml: is nested too deep to be read; at most some hundred levels"]),
        ("a.json", '{"a" 1}', ["a.json: line 1, column 6: is not JSON: Expecting ':' delimiter"]),
        ("a.json", '{"a": NaN}', ["a.json: is not JSON: NaN is no JSON number"]),
        ("a.toml", "a = ", ["a.toml: is not TOML: Invalid value (at end of document)"]),
        ("a.toml", "a = 1\na = 2\n", ["a.toml: is not TOML: Cannot overwrite a value (at line 2, column 6)"]),
    ],
    ids=["tag", "alias", "nul", "deep", "colon", "nan", "toml", "toml-twice"],
)  # fmt: skip
def test_a_text_that_cannot_be_read_names_file_and_place(file: str, text: str, expected: list[str]) -> None:
    assert faults_of(text, file) == expected


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("on: [A", 1, 7, "the bracket that is opened in line 1, column 5 must be closed before this"),
        ("a: {b: c\nd: e", 2, 2, "the bracket that is opened in line 1, column 4 must be closed before this"),
        ("x:\n  - id: a\n   on: [X]", 3, 4, f"{OTHERWISE} line 2, column 3"),
        ("a:\n  b: 1\n c: 2", 3, 2, f"{OTHERWISE} line 1, column 1"),
        ("a: b\n- c", 2, 1, f"{OTHERWISE} line 1, column 1"),
        ("x:\n\t- id: a", 2, 1, "is indented by a tab; use spaces"),
        ("id: @a", 1, 5, "a text that begins with this character needs quotes"),
        ("a: b: c", 1, 5, 'stands behind a value already; a text that holds ": " needs quotes'),
        ("when: {{ eq .X 1 }}", 1, 8, TEMPLATE),
        ('a: "x\nb: c', 2, 5, "the quote that is opened in line 1, column 4 must be closed before this"),
        ("a: b\nc\n", 3, 1, 'the line before this has no "key: value"'),
        ("on: *", 1, 6, "a text that begins with * or & needs quotes"),
        ('a: "\\d"', 1, 6, "in double quotes a backslash is doubled; single quotes take it as it is"),
        ("a: 1\n---\nb: 2", 2, 1, "a file holds one document; a second begins here"),
    ],
)
def test_a_slip_in_yaml_is_told_in_words_with_the_way_out(text: str, line: int, column: int, said: str) -> None:
    assert faults_of(text, "a.yaml") == [f"a.yaml: line {line}, column {column}: is not YAML: {said}"]


def test_every_repeated_key_of_a_yaml_file_is_a_fault() -> None:
    text = "redis:\n  url: a\n  url: b\nhandlers:\n  - {id: x, id: y}\nredis: {}\n"
    assert faults_of(text, "a.yaml") == [
        "a.yaml: redis.url: is given twice, in lines 2 and 3; keep one of them",
        "a.yaml: handlers[0].id: is given twice, in lines 5 and 5; keep one of them",
        "a.yaml: redis: is given twice, in lines 1 and 6; keep one of them",
    ]


def test_every_repeated_key_of_a_json_file_is_a_fault() -> None:
    assert faults_of('{"a": [{"b": 1, "b": 2}], "c": 1, "c": 2}', "a.json") == [
        "a.json: c: is given twice; keep one of them",
        "a.json: a[0].b: is given twice; keep one of them",
    ]


def test_an_alias_to_itself_is_walked_once() -> None:
    faults: list[Fault] = []
    data = parse("a: &a [*a]", "a.yaml", faults)
    assert data["a"][0] is data["a"]
    assert faults == []
