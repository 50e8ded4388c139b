"""Functions beyond Sprig's vectors: Tyk's, ours, and what they say of values that they do not take."""

import pytest

from streamhooks.template import Template, TemplateError
from streamhooks.template.functions.catalogue import CATALOGUE, SUBJECTS

DATA = {
    "t": "2026-11-23T10:00:05.5+02:00",
    "tyk": "2026-11-23 10:00:05.123456789 +0000 UTC m=+12.345",
    "key": "abcdef123456",
    "short": "abc",
    "n": 3,
    "none": None,
    "m": {"b": 1, "a": {"c": [1, 2]}},
    "l": ["b", "a"],
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{as_rfc3339 .t}}", "2026-11-23T10:00:05+02:00"),
        ("{{.tyk | as_rfc3339}}", "2026-11-23T10:00:05Z"),
        ('{{as_rfc3339_from_string "2026-02-15 10:11:12 +0200 EET"}}', "2026-02-15T10:11:12+02:00"),
        ("{{as_rfc3339_from_string .t}}", "2026-11-23T10:00:05.5+02:00"),
        ("{{mask .key}} {{mask .short}} {{mask .none}} {{mask .nope}}", "abcd*** *** *** ***"),
        ('{{date "2006-01-02 15:04" .t}}', "2026-11-23 08:00"),
        ("{{unixEpoch .t}} {{htmlDate 0}}", "1795420805 1970-01-01"),
        ('{{dateModify "-90m" .t}}', "2026-11-23 08:30:05.5 +0200 +0200"),
        ('{{(toDate "2006-01-02" "2026-03-04").Weekday}}', "Wednesday"),
        ("{{keys .m}} {{values .m}}", "[a b] [map[c:[1 2]] 1]"),
        ('{{dig "a" "x" "d" .m}} {{get .m "b"}} {{hasKey .m "z"}}', "d 1 false"),
        ("{{toPrettyJson .m.a}}", '{\n  "c": [\n    1,\n    2\n  ]\n}'),
        ('{{join ", " .l}} {{sortAlpha .l}} {{uniq (list 1 1 2)}}', "b, a [a b] [1 2]"),
        ("{{add 1 .n}} {{div -7 2}} {{mod -7 3}} {{max 1 .n}}", "4 -3 -1 3"),
        ('{{default "d" .none}} {{coalesce .none .nope .n}} {{ternary 1 2 true}}', "d 3 1"),
        ('{{b64enc .short}} {{b64dec "YWJj"}} {{sha256sum "" | trunc 8}}', "YWJj abc e3b0c442"),
        ('{{upper "straße"}} {{title "a b"}} {{trunc 5 "héllo"}}', "STRAßE A B héll"),
        ('{{(urlParse "https://u@h:8/p?q=1#f").hostname}}', "h"),
        ("{{typeOf .n}} {{kindOf .l}} {{typeOf 1}}", "int64 slice int"),
        ('{{repeat 3 "ab"}} {{until 3}} {{nindent 2 "a"}}', "ababab [0 1 2] \n  a"),
    ],
)  # fmt: skip  # one case a line
def test_a_function_gives(source: str, expected: str) -> None:
    template = Template.parse(source)
    assert template.render(DATA) == expected
    assert template.walk(DATA) == expected.encode()


@pytest.mark.parametrize(
    ("source", "column", "node", "fault"),
    [
        ("{{as_rfc3339 .n}}", 13, ".n", "wrong type for value; expected time.Time; got int64"),
        ('{{as_rfc3339 "soon"}}', 13, '"soon"', "wrong type for value; expected time.Time; got string"),
        ("{{as_rfc3339 .nope}}", 13, ".nope", "invalid value; expected time.Time"),
        ("{{first .n}}", 2, "first .n", "error calling first: Cannot find first on type int64"),
        ('{{printf "%p" .m}}', 2, 'printf "%p" .m', "error calling printf: %p would print an address"),
        ('{{fail "no"}}', 2, 'fail "no"', "error calling fail: no"),
        (
            '{{htmlDate "x"}}',
            2,
            'htmlDate "x"',
            "error calling htmlDate: not a time: 'x'; give a time, RFC 3339 text or seconds since 1970",
        ),
        (
            '{{dateInZone "2006" .t "Europe/Berlin"}}',
            2,
            'dateInZone "2006" .t "Europe/Berlin"',
            "error calling dateInZone: the zone Europe/Berlin is not available; only UTC is",
        ),
    ],
)
def test_a_function_says_what_it_does_not_take(source: str, column: int, node: str, fault: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source).render(DATA)
    message = caught.value.message.split("\n")[0]
    assert message == f'template: t:1:{column}: executing "t" at <{node}>: {fault}'


def test_every_function_has_a_subject_and_says_what_it_takes() -> None:
    listed = {name for calls in SUBJECTS.values() for name in calls}
    builtins = set(CATALOGUE) - listed
    assert builtins == {
        *("and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or"),
        *("print", "printf", "println", "slice", "urlquery"),
    }


def test_no_function_changes_the_event() -> None:
    data = {"l": ["b", "a"], "m": {"a": 1}}
    source = (
        '{{append .l 1}}{{reverse .l}}{{sortAlpha .l}}{{concat .l .l}}{{omit .m "a"}}{{without .l "a"}}{{dict "a" .m}}'
    )
    Template.parse(source).render(data)
    assert data == {"l": ["b", "a"], "m": {"a": 1}}
