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
        ('{{upper "ßé"}} {{lower "ΑΣ"}} {{swapcase "aßΣ"}} {{title "ßa éb"}}', "ßÉ \u03b1\u03c3 Aß\u03c3 ßa Éb"),
        ('{{uniq (list 1 1.0 "1" "1" 0.0 -0.0)}} {{has (list 1) (list (list 1) 2)}}', "[1 1 1 0] true"),
        ('{{without (list "a" (dict "b" 1) (list)) (dict "b" 1) (list)}}', "[a]"),
        ('{{b64dec "a$b"}} {{b64dec "é"}}', "illegal base64 data at input byte 1 illegal base64 data at input byte 0"),
        ('{{with urlParse "http://u:p@h:8/p%20a?q=1"}}{{.userinfo}} {{.host}} {{.path}}{{end}}', "u:p h:8 /p a"),
        ('{{(urlParse "mailto:a@b.example").opaque}} {{(urlParse "http://[::1]:80/").hostname}}', "a@b.example ::1"),
        ('{{urlJoin (urlParse "https://u@h/p%20a?q=1#f")}} {{urlJoin (dict "path" "a")}}', "https://u@h/p%20a?q=1#f a"),
        ('{{printf "% X|%#x|%# x|%x" "az" "az" "az" ""}}', "61 7A|0x617a|0x61 0x7a|"),
        ('{{int64 "12.0"}} {{int "0x1F"}} {{float64 "1_000.5"}} {{float64 "1.5x"}}', "12 31 1000.5 0"),
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


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("2006-01-02T15:04:05Z07:00", "2026-11-23T1:00:05Z", "2026-11-23T01:00:05Z"),
        ("2006-01-02T15:04:05Z07:00", "2026-11-23T10:00:05.5+02:00", "2026-11-23T10:00:05.5+02:00"),
        ("2006-01-02T15:04:05Z07:00", "2026-11-23T10:00:05+25:00", ""),
        ("2006-01-02T15:04:05Z07:00", "2026-11-23T10:00:05Z and more", ""),
        ("Jan _2 2006", "Nov  3 2026", "2026-11-03T00:00:00Z"),
        ("Jan _2 2006", "NOV 13 2026", "2026-11-13T00:00:00Z"),
        ("Monday, 02-Jan-06 15:04:05 MST", "Monday, 23-Nov-26 10:00:00 UTC", "2026-11-23T10:00:00Z"),
        ("2006-01-02 15:04:05.000", "2026-11-23  10:00:05.123", "2026-11-23T10:00:05.123Z"),
        ("2006-01-02 15:04:05.000", "2026-11-23 10:00:05.12", ""),
        ("2006-01-02 15:04:05,999", "2026-11-23 10:00:05", "2026-11-23T10:00:05Z"),
        ("3:04PM 2006", "12:04AM 2026", "2026-01-01T00:04:00Z"),
        ("2006-01-02", "2026-02-30", ""),
    ],
)
def test_a_text_is_read_as_a_time_as_go_reads_it(layout: str, text: str, expected: str) -> None:
    """What Go 1.26's time.Parse gives; empty where it gives an error."""
    source = (
        "{{with toDate .layout .text}}{{if ne .Year 1}}{{.Format `2006-01-02T15:04:05.999999999Z07:00`}}{{end}}{{end}}"
    )
    assert Template.parse(source).render({"layout": layout, "text": text}) == expected


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("1h30m", "11:30:00"),
        ("-.5s1m", "09:58:59.5"),
        ("+1.s", "10:00:01"),
        ("0", "10:00:00"),
        *(("1", "10:00:00"), ("1d", "10:00:00"), ("9999999999h", "10:00:00"), ("1" * 100_000, "10:00:00")),
    ],
)
def test_a_time_moves_by_a_duration_of_gos_and_stays_for_anything_else(duration: str, expected: str) -> None:
    source = '{{date "15:04:05.999" (dateModify .d "2026-11-23T10:00:00Z")}}'
    assert Template.parse(source).render({"d": duration}) == expected


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{{trimAll .s .s}}", "trimAll: trimAll takes at most 64 different characters; these are 65"),
        ("{{date .s 0}}", "date: a layout of 650 characters; at most 128 are allowed"),
        ("{{toDate .s .s}}", "toDate: a layout of 650 characters; at most 128 are allowed"),
        ("{{dateInZone .s 0 `UTC`}}", "dateInZone: a layout of 650 characters; at most 128 are allowed"),
        ("{{(toDate `2006` `2026`).Format .s}}", "Format: a layout of 650 characters; at most 128 are allowed"),
        ("{{until 9223372036854775807}}", "until: a list of 9223372036854775807 items; at most 100000 are allowed"),
        ('{{splitList "" (repeat 200000 "a")}}', "splitList: a list of 200001 items; at most 100000 are allowed"),
        ("{{dig (list) `a` 1 (dict)}}", "dig: dig takes text as keys; one is []interface {}"),
        ("{{urlParse `http://a/%zz`}}", 'urlParse: unable to parse url: invalid URL escape "%zz"'),
        ("{{urlParse `http://a:b/`}}", 'urlParse: unable to parse url: invalid host or port "a:b"'),
        ("{{urlParse `1http://x`}}", "urlParse: unable to parse url: first path segment in URL cannot contain colon"),
        ('{{urlParse "http://a\x01"}}', "urlParse: unable to parse url: invalid control character in URL"),
    ],
)
def test_a_function_refuses_what_would_be_endless_or_is_wrong(source: str, fault: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source).render({"s": "".join(chr(0x100 + n) for n in range(65)) * 10})
    assert caught.value.message.split("\n")[0].endswith(f"error calling {fault}")


def test_spaces_before_deep_json_have_a_bound() -> None:
    inside: object = [1] * 15_000
    for _ in range(60):
        inside = [inside]
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{toPrettyJson .}}").render(inside)
    assert caught.value.message == ("a string of more than 1048576 characters\nPut less of the event into it.")


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
