"""The judgement from facts to a story, without a server: what a real worker brings about only by a rare chance."""

from typing import Any

import pytest
from msgspec import Struct

from streamhooks.flow.story.cooling import cool_down
from streamhooks.flow.story.holders import Hands
from streamhooks.flow.story.judging import judged
from streamhooks.flow.story.lines import line_of
from streamhooks.flow.story.telling import Known, absence, ending, story
from streamhooks.flow.story.words import Story, moment, span
from streamhooks.settings import Settings
from streamhooks.store.journal import Note, What, Written
from streamhooks.store.keys import Keys
from streamhooks.store.life import Carried, Extent, Life, Mark
from streamhooks.store.parked import Stored
from streamhooks.store.pauses import HELD
from streamhooks.store.pauses import Note as Pause
from streamhooks.store.record import Record
from streamhooks.store.status import Consumer, PendingEntry

ADDED = 1795428000000
ID = f"{ADDED}-0"
NOW = ADDED + 60_000
KEYS = Keys.of("gateway:events")
LIVE = Consumer("live", 0.5, 0)


def note(what: What, at: int = 1000, **others: Any) -> Written:
    """A note of handler `h`, so many milliseconds after the event was added."""
    known: dict[str, Any] = {"entry": ID, "worker": "live", "handler": "h", "attempt": 1}
    return Written(f"{ADDED + at}-0", Note(what=what, **known | others))


def record(**others: Any) -> Record:
    return Record(**{"origin": ID, "handler": "h", "owner": f"{ID}|h", "why": "status 503"} | others)


def life(**others: Any) -> Life:
    """An event that was read and acknowledged, without a trace; the stream does not hold it any more."""
    known: dict[str, Any] = {
        "id": ID, "keys": KEYS, "now": NOW, "extent": Extent(exists=True, first=f"{NOW}-0", whole=False),
        "journal": Extent(exists=True), "entry": None, "handed": f"{NOW}-0", "consumers": (LIVE,),
    }  # fmt: skip
    return Life(**known | others)


def told(found: Life, **marks: Mark) -> Story:
    return story(judged(found, 0, (), 1000), Known(marks), Settings())


class Case(Struct, frozen=True):
    found: Life
    state: str
    text: str
    command: str = ""
    mark: Mark | None = None


def mark(state: Any, owner: str = f"{ID}|h", stamp: int = ADDED + 5000) -> Mark:
    return Mark(state, owner, stamp, 1000)


def pause(state: Any, **others: Any) -> Pause:
    return Pause(**{"state": state, "kind": "operator", "why": "", "since": ADDED, "until": 0} | others)


def held(**pauses: Pause) -> Life:
    return life(stored=(Stored(f"{ID}|h", HELD + ADDED, record()),), pauses=pauses)


RETRIED = note("retry", sent=True, status=503, why="status 503", again=5.0)
CASES = {
    "held, to be resumed by hand": Case(
        held(h=pause("paused")),
        "held", f"held: its handler is paused since {moment(ADDED)}, until it is resumed",
        "streamhooks handlers resume h",
    ),
    "held, and being resumed": Case(
        held(h=pause("resuming", rate=50.0)), "held", "held; its handler is being resumed, 50 a second at most"
    ),
    "held for nothing any more": Case(held(), "held", "held for a pause that is over: a worker lets it out"),
    "due, and somebody is there": Case(
        life(stored=(Stored(f"{ID}|h", NOW - 1000, record(attempt=2)),)),
        "due", f"due since {moment(NOW - 1000)} (status 503): a worker puts it on its way within a second",
        "streamhooks status --watch",
    ),
    "due, in the retry stream": Case(
        life(carried=(Carried(f"{NOW}-0", record(attempt=2), None),)),
        "due", f"attempt 2 is due: in the retry stream since {moment(NOW)}, waiting to be read",
    ),
    "due, in the retry stream, at a dead worker": Case(
        life(
            carried=(Carried(f"{NOW}-0", record(attempt=2), PendingEntry("retry", f"{NOW}-0", "gone", 10.0, 2)),),
            consumers=(LIVE, Consumer("gone", 20.0, 1)),
        ),
        "pending", f"attempt 2 is due: pending at gone, handed out 2 times, last kept alive at {moment(NOW - 10_000)}; "
        "that worker has not been heard of for 20s: any other takes it over within the lease (30s)",
        f"streamhooks pending claim {NOW}-0",
    ),
    "replayed": Case(
        life(carried=(Carried(f"{NOW}-0", record(why="replayed", run="1-1", owner=f"{ID}~1-1|h"), None),)),
        "due", f"replayed: in the retry stream since {moment(NOW)}, waiting to be read",
    ),
    "handed back by a worker that stopped": Case(
        life(
            notes=(RETRIED,), entry=None,
            carried=(Carried(f"{NOW}-0", record(), PendingEntry("retry", f"{NOW}-0", "live", 10.0**6, 1)),),
        ),
        "pending", "attempt 1 is due: given up by its worker, handed out once: any worker takes it over within 5s",
    ),
    "a retry whose end was not noted": Case(
        life(notes=(RETRIED,)), "acknowledged", "acknowledged; its end was not noted"
    ),
    "a deferral that came back": Case(
        life(notes=(note("retry", why="breaker open", again=30.0),)),
        "acknowledged", "acknowledged, no further problem recorded: delivered",
    ),
    "delivered before a crash": Case(
        life(notes=(note("delivered"),)), "delivered", f"delivered at {moment(ADDED + 1000)}, attempt 1"
    ),
    "a deferral that came back, as its mark tells": Case(
        life(notes=(note("retry", why="breaker open"),)),
        "delivered", f"delivered at {moment(ADDED + 5000)}, as its cool-down says", mark=mark("d"),
    ),
    "a dead letter that only its mark tells of": Case(
        life(notes=(note("retry", why="breaker open"),)),
        "dead", f"a dead letter at {moment(ADDED + 5000)}, as its cool-down says, that was purged since then",
        mark=mark("x"),
    ),
    "trimmed before anybody read it": Case(
        life(handed=f"{ADDED - 5000}-0", notes=(note("retry"),)),
        "lost", "it was trimmed or deleted before any worker had read it: lost", "streamhooks publish --help",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_facts_tell_where_an_event_is(case: Case) -> None:
    of = told(case.found, **({"h": case.mark} if case.mark else {}))
    (place,) = of.now
    assert (place.state, place.text) == (case.state, case.text)
    assert place.handler == "h"
    assert case.command in {"", *(advice.command for advice in of.to_do)}


STEPS = {
    "delivered, telling of others": (
        note("delivered", sent=True, status=200, ms=1500, told=3),
        "attempt 1 was answered 200 after 2s: delivered, telling of 3 suppressed before it",
    ),
    "delivered before a crash": (
        note("delivered"), "found delivered by an attempt before a crash; acknowledged without another",
    ),
    "suppressed by Tyk": (
        note("suppressed", by="tyk"),
        "suppressed by the cool-down: Tyk has sent the same request inside its cool-down",
    ),
    "suppressed by a replay that is gone": (
        note("suppressed", by="1-1~ab12|h"),
        "suppressed by the cool-down: a duplicate of 1-1 (replay ab12)",
    ),
    "failed without an answer": (
        note("retry", sent=True, failure="timeout", why="timeout: no answer within 15s", ms=15_000, again=5.0),
        "attempt 1 failed after 15s: timeout: no answer within 15s; stored, again in 5s",
    ),
    "refused for good": (
        note("dead", sent=True, status=302, why="status 302, a redirect, which is not followed", reason="exhausted"),
        (
            "attempt 1 was answered 302 after 0s (status 302, a redirect, which is not followed); "
            "dead letter, reason exhausted"
        ),
    ),
    "dead without an attempt": (
        note("dead", why="no handler h in the configuration any more", reason="handler_removed"),
        "dead letter, reason handler_removed: no handler h in the configuration any more",
    ),
    "of a replay": (
        note("retry", why="handler paused", again=-1.0, run="ab12"),
        "replay ab12: stored without an attempt, until its handler is resumed: handler paused",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "said"), STEPS.values(), ids=STEPS.keys())
def test_a_note_becomes_a_sentence(written: Written, said: str) -> None:
    assert told(life(notes=(written,))).steps[-1].text == said


ENDINGS = {
    "is under way": (life(carried=(Carried(f"{NOW}-0", record(), PendingEntry("retry", "1-1", "live", 0, 1)),)), None),
    "is stored until its handler is resumed": (held(h=pause("paused")), None),
    "is stored and due": (life(stored=(Stored(f"{ID}|h", 5, record()),)), None),
    "was a dead letter": (life(notes=(note("dead", reason="gone"),)), None),
    "was suppressed itself": (life(notes=(note("suppressed", by="tyk"),)), None),
    "was lost": (life(handed="5-0", notes=(note("retry"),)), None),
    f"was delivered at {moment(ADDED + 5000)}, as its cool-down says": (life(), mark("d")),
    "is not kept any more": (life(), mark("d", "9-9|h")),
}


@pytest.mark.parametrize(("found", "mark"), ENDINGS.values(), ids=ENDINGS.keys())
def test_the_end_of_another_event_in_a_word(found: Life, mark: Mark | None, request: pytest.FixtureRequest) -> None:
    known = Known({"h": mark} if mark else {})
    said = ending(judged(found, 0, (), 1000), known, Settings(), f"{ID}|h")
    assert said == request.node.callspec.id


def test_a_replay_from_history_has_a_place_of_its_own() -> None:
    replay = record(run="ab12", id_run="ab12", owner=f"{ID}~ab12|h", attempt=2)
    of = told(life(notes=(note("delivered"),), stored=(Stored(f"{ID}~ab12|h", NOW + 1000, replay),)))
    assert [(place.run, place.state) for place in of.now] == [("ab12", "parked"), ("", "delivered")]
    assert of.now[0].text.startswith("replay ab12: stored (status 503): attempt 2 is due at ")


def test_a_letter_that_is_replayed_goes_on_with_the_message_that_died() -> None:
    died = note("dead", at=5, run="ab12")
    assert line_of("", [died]) == ""
    assert line_of("ab12", [died]) == "ab12"
    assert line_of(f"{ADDED + 5}-0", [died]) == "ab12"
    assert line_of(f"{ADDED + 6}-0", [died]) == "", "of a letter that no note tells of"
    again = f"{ADDED + 5}-0"
    assert line_of(again, [note("dead", at=5, run=again)]) == "", "no endless search"


def test_a_worker_is_missed_after_half_a_lease_and_two_seconds_at_least() -> None:
    hands = Hands(NOW, 30.0, (Consumer("a", 14.9, 0), Consumer("b", 15.0, 0)))
    assert (hands.silent("a"), hands.silent("b"), hands.silent("c"), hands.alive) == (None, 15.0, None, True)
    quick = Hands(NOW, 1.0, (Consumer("a", 1.9, 0), Consumer("b", 2.0, 0)))
    assert (quick.silent("a"), quick.silent("b")) == (None, 2.0)
    assert not Hands(NOW, 30.0, ()).alive


COOLING = {
    "none is in force: an equal event would be delivered now": None,
    "the request of event 9-9 is under way: an equal event waits for its end": mark("c", "9-9|h"),
    "the request of this event is stored: equal events are suppressed": mark("r"),
    f"this event was delivered at {moment(NOW - 1000)}; "
    f"equal events are suppressed until {moment(NOW + 9000)}, for 9s": mark("d", stamp=NOW - 1000),
    f"event 9-9 (replay ab12) was dead-lettered at {moment(NOW - 11_000)}; "
    "its time is over: an equal event would be delivered now": mark("x", "9-9~ab12|h", stamp=NOW - 11_000),
}


@pytest.mark.parametrize(("said", "found"), COOLING.items(), ids=range(len(COOLING)))
def test_a_cool_down_is_told_of(said: str, found: Mark | None) -> None:
    assert cool_down(found, 10.0, "md5", ID, NOW).text == said


def test_how_long_a_cool_down_suppresses_is_not_said_of_a_handler_that_is_not_known() -> None:
    said = cool_down(mark("d"), None, "md5", ID, NOW)
    assert said.text.endswith("; how long that suppresses, its configuration would say")
    assert said.until == 0


@pytest.mark.parametrize(
    ("extent", "why"),
    [
        (Extent(), "there is no stream s: nothing was ever published to it"),
        (Extent(exists=True, newest="1-1"), "s has not given this id yet: its newest is 1-1"),
    ],
)
def test_why_a_stream_does_not_hold_an_entry(extent: Extent, why: str) -> None:
    assert absence(extent, ID, "s") == why


def test_times_of_any_id_can_be_told() -> None:
    assert moment(2**64 - 1) == f"{2**64 - 1} ms"
    assert span(-5) == "0s"
