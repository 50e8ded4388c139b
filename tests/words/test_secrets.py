"""A secret shows itself to nobody who does not ask for it by name."""

import copy
import io
import json
import logging
import pickle
import traceback

import msgspec
import pytest
import structlog
from msgspec import Struct

from streamhooks.secret import Secret, names_credential, revealed

TEXT = "hunter2-hunter2"
SECRET = Secret(TEXT)


class Holder(Struct, frozen=True):
    secret: Secret


def fail(*values: object) -> None:
    raise ValueError(*values)


@pytest.mark.parametrize(
    "printed",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>3}",
        "%s" % SECRET,  # noqa: UP031  one of the ways
        "{}".format(SECRET),  # noqa: UP032  as above
        SECRET.__format__(""),
        json.loads(json.dumps(SECRET, default=str)),
        repr(Holder(SECRET)).removeprefix("Holder(secret=").removesuffix(")"),
    ],
)
def test_every_way_of_printing_gives_the_same_three_stars(printed: str) -> None:
    assert printed == "***"


def test_a_width_is_filled_as_for_any_text() -> None:
    assert f"{SECRET:>5}|" == "  ***|"


def test_it_shows_in_no_log_and_no_traceback() -> None:
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=True)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    try:
        fail(SECRET, Holder(SECRET))
    except ValueError as error:
        log.exception("failed", secret=SECRET, holder=Holder(SECRET), many=[SECRET])
        printed = "".join(traceback.format_exception(error))
    assert "***" in out.getvalue()
    assert TEXT not in out.getvalue()
    assert TEXT not in printed


@pytest.mark.parametrize(
    "store",
    [msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins, json.dumps, pickle.dumps],
    ids=lambda store: f"{store.__module__}.{store.__name__}",
)
@pytest.mark.parametrize("value", [SECRET, Holder(SECRET)], ids=["bare", "held"])
def test_nothing_stores_it_by_accident(store: object, value: object) -> None:
    assert callable(store)
    with pytest.raises(TypeError) as raised:
        store(value)
    assert TEXT not in str(raised.value)


def test_it_is_revealed_by_name() -> None:
    assert SECRET.reveal() == TEXT
    assert (revealed(SECRET), revealed("plain")) == (TEXT, "plain")


def test_it_is_equal_by_value_and_never_to_a_text() -> None:
    assert Secret(TEXT) == SECRET
    assert hash(SECRET) == hash(Secret(TEXT))
    assert len({SECRET, Secret(TEXT), Secret("other")}) == 2
    assert Secret("other") != SECRET
    assert SECRET.__eq__(TEXT) is False


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert SECRET


def test_a_copy_is_itself() -> None:
    assert copy.copy(SECRET) is copy.deepcopy(SECRET) is SECRET


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Auth", "X-Auth-Key", "X-API-Key", "apikey", "X-Gitlab-Token", "DD-APPLICATION-SECRET",
     "X-Password", "ocp-apim-subscription-key", "x-functions-key", "Set-Cookie", "X-Hub-Signature"],
)  # fmt: skip
def test_a_header_is_a_credential_by_its_name(name: str) -> None:
    assert names_credential(name)


@pytest.mark.parametrize("name", ["X-Team", "X-Author", "Content-Type", "X-Key-Id", "X-Event", "webhook-id", ""])
def test_other_headers_are_none(name: str) -> None:
    assert not names_credential(name)
