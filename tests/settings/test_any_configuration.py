"""Whatever a file says, it is loaded or every fault is named: nothing else is raised."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamhooks.errors import ConfigError
from streamhooks.files import load
from streamhooks.handlers.definition import OwnDefinition
from streamhooks.settings import Settings
from streamhooks.settings.reading import rules_of

TEXT = st.text(alphabet=st.characters(exclude_characters="/"), max_size=20)
"""No paths of the machine: what a glob or a device there gives is not what is tried here."""
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from(["10s", "env://X", "file:///etc/hostname", "http://a/{{.B}}#", "http://[::1", "{{", "tyk", "*"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def is_an_answer(path: Path) -> bool:
    """Loaded and watched, or refused with at least one fault that prints on one line."""
    try:
        return path in load([path], {"X": "x"}).sources
    except ConfigError as error:
        return all(str(fault).encode() and "\n" not in fault.message for fault in error.faults) and bool(error.faults)


def filled(kind: Any, deep: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Sections of the right names with values of any kind."""
    fields = {
        name: filled(rule) | VALUES if isinstance(rule, type) and deep else VALUES
        for name, rule in rules_of(kind).items()
    }
    return st.fixed_dictionaries({}, optional=fields)


ENTRY = st.fixed_dictionaries({"handler_name": st.just("eh_web_hook_handler"), "handler_meta": filled(OwnDefinition)})
EVENTS = st.dictionaries(st.text(max_size=5), st.lists(ENTRY | VALUES, max_size=2) | VALUES, max_size=2)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(filled(Settings), st.lists(filled(OwnDefinition) | VALUES, max_size=3), EVENTS | VALUES)
def test_any_values_at_all_are_loaded_or_refused(
    tmp_path: Path, sections: dict[str, Any], handlers: list[Any], events: Any
) -> None:
    data = {**sections, "handlers": handlers, "event_handlers": {"events": events}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data))
    assert is_an_answer(path)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("ending", ["yaml", "json", "toml"])
@given(text=st.text(alphabet=st.sampled_from("ab:{}[]\"'\n -,#&*!|>%=\\u0\t?<~.1"), max_size=40))
def test_any_text_at_all_is_loaded_or_refused(tmp_path: Path, ending: str, text: str) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text(text)
    assert is_an_answer(path)
