"""values.schema.json and README.md are what values.yaml and the configuration's structs say."""

from collections.abc import Iterator

from tests.helm import generated
from tests.helm.generated import Value


def _all(values: tuple[Value, ...]) -> Iterator[Value]:
    for value in values:
        yield value
        yield from _all(value.inner)


def test_the_schema_and_the_page_are_up_to_date() -> None:
    assert generated.SCHEMA.read_text() == generated.schema_text(), "run scripts/chart"
    assert generated.README.read_text() == generated.readme_text(), "run scripts/chart"


def test_every_value_is_described_or_stands_in_a_section_that_is() -> None:
    described = {value.path for value in _all(generated.values()) if value.text}
    assert [
        value.path
        for value in _all(generated.values())
        if value.path not in described and value.path.rpartition(".")[0] not in described
    ] == []
