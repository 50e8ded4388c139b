"""Sprig's answers for the functions that the catalogue has; what it leaves out is listed here by name."""

import re

import pytest

from streamhooks.template import Template, TemplateError
from streamhooks.template.functions.catalogue import CATALOGUE
from tests.template.cases import Case, first_line, read

CASES = read("sprig.jsonl")
LEFT_OUT = frozenset(
    (
        *("set", "unset", "merge", "mergeOverwrite", "deepCopy", "deepEqual"),
        *("regexMatch", "regexReplaceAll", "regexFind", "semverCompare", "seq", "wrap"),
        *("abbrevboth", "maxf", "duration", "durationRound", "b32enc", "adler32sum"),
    )
)


def _functions(case: Case) -> set[str]:
    return set(re.findall(r"[{(|]\s*([a-zA-Z]\w*)", case.template))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_function_gives_what_sprig_gives(case: Case) -> None:
    if _functions(case) & LEFT_OUT:
        with pytest.raises(TemplateError, match="not defined"):
            case.parse()
        return
    if case.error is not None:
        with pytest.raises(TemplateError) as caught:
            case.parse().render(case.values())
        assert first_line(caught.value.message) == case.error
        return
    assert case.parse().render_bytes(case.values()) == case.expected


@pytest.mark.parametrize(
    "name",
    [
        *("env", "expandenv", "getHostByName", "genPrivateKey", "genCA", "derivePassword", "bcrypt", "htpasswd"),
        *("encryptAES", "decryptAES", "set", "unset", "merge", "mergeOverwrite", "now", "ago", "randAlphaNum"),
        *("shuffle", "uuidv4", "regexMatch", "semver"),
    ],
)
def test_functions_that_are_dangerous_or_change_from_call_to_call_do_not_exist(name: str) -> None:
    assert name not in CATALOGUE
    with pytest.raises(TemplateError) as caught:
        Template.parse(f"{{{{{name}}}}}")
    assert first_line(caught.value.message) == f'template: t:1: function "{name}" not defined'
