"""Which handlers an event fires."""

from typing import Any

import pytest

from streamhooks.handlers import Catalogue, Handler
from streamhooks.handlers.catalogue import MAX_CACHED
from streamhooks.model import Event
from streamhooks.template import Template

BODY = Template.parse("x", name="x", escape="text")


def handler(name: str, *on: str, **keys: Any) -> Handler:
    return Handler(id=name, on=on, body=BODY, target="http://a/", origin="http://a", **keys)


def event(type: str, **keys: Any) -> Event:
    return Event(id="1-1", type=type, meta={}, timestamp="", **keys)


CATALOGUE = Catalogue(
    [
        handler("exact", "AuthFailure", "KeyExpired"),
        handler("prefix", "Auth*"),
        handler("all", "*"),
        handler("api", "AuthFailure", apis=frozenset({"a", "b"})),
        handler("org", "AuthFailure", orgs=frozenset({"o"})),
        handler("both", "*", apis=frozenset({"a"}), orgs=frozenset({"o"})),
    ]
)


@pytest.mark.parametrize(
    ("fired", "expected"),
    [
        (event("AuthFailure"), ["exact", "prefix", "all"]),
        (event("KeyExpired"), ["exact", "all"]),
        (event("Auth"), ["prefix", "all"]),
        (event("auth"), ["all"]),
        (event("AuthFailure", api_id="b"), ["exact", "prefix", "all", "api"]),
        (event("AuthFailure", api_id="a", org_id="o"), ["exact", "prefix", "all", "api", "org", "both"]),
        (event("AuthFailure", api_id="c", org_id="p"), ["exact", "prefix", "all"]),
    ],
)
def test_an_event_fires_what_listens_to_its_type_api_and_organisation(fired: Event, expected: list[str]) -> None:
    for _ in range(2):  # asked, then remembered
        assert [found.id for found in CATALOGUE.select(fired)] == expected


def test_a_retry_fires_the_one_handler_that_it_names_whatever_the_filters_say_now() -> None:
    assert [found.id for found in CATALOGUE.select(event("Other", only="api"))] == ["api"]
    assert CATALOGUE.select(event("AuthFailure", only="gone")) == ()


def test_a_star_inside_an_event_type_stands_for_itself() -> None:
    catalogue = Catalogue([handler("a", "A*")])
    assert len(catalogue.select(event("A*"))) == 1
    assert catalogue.select(event("B*")) == ()


def test_handlers_are_found_by_id_and_stay_in_order() -> None:
    assert CATALOGUE.get("all") is CATALOGUE.handlers[2]
    assert CATALOGUE.get("gone") is None
    assert repr(Catalogue([handler("a", "*")])) == "<Catalogue ['a']>"


def test_event_types_without_end_do_not_fill_the_memory() -> None:
    catalogue = Catalogue([handler("a", "*")])
    for number in range(MAX_CACHED + 10):
        assert len(catalogue.select(event(f"Type{number}"))) == 1
    assert len(catalogue._answers) <= MAX_CACHED
