"""Where an event is now, for one handler: one place for its own message, and one for each replay from history. Pure.

What is found alive (stored, carried, a letter) is where it is. Where nothing is, the entry itself says: not read yet,
or pending at somebody. Else it has ended, and the last note tells how; where there is none, the mark of the cool-down
does, and where that is gone too, that nothing was noted tells something wherever the journal reaches back so far.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from streamhooks.flow.noting import Mode
from streamhooks.flow.story.holders import Hands, carried_by, pending_at, unread
from streamhooks.flow.story.lines import line_of, owner_of, replay_words
from streamhooks.flow.story.steps import Hide
from streamhooks.flow.story.words import Place, moment, span
from streamhooks.store.dead import Letter
from streamhooks.store.journal import Written
from streamhooks.store.life import Life, Mark
from streamhooks.store.parked import Stored
from streamhooks.store.pauses import HELD


class View(Struct, frozen=True):
    """What is looked at, and by which light."""

    life: Life
    hands: Hands
    mode: Mode
    """What workers note, as far as the configuration at hand says."""
    hide: Hide
    """Masks credentials."""
    endings: Mapping[str, str] = {}
    """By owner, what became of the requests that this event is a duplicate of."""


def places(seen: View, handler: str, mark: Mark | None, *, fires: bool) -> list[Place]:
    """`fires`: the event itself, not only replays of it, concerns the handler."""
    life = seen.life
    notes = [one for one in life.notes if one.note.handler == handler]
    found = [_letter(seen, one) for one in life.letters if one.record.handler == handler]
    found += [_stored(seen, one) for one in life.stored if owner_of(one.owner).handler == handler]
    found += [carried_by(seen.hands, one) for one in life.carried if one.record.handler == handler]
    alive = {place.run for place in found}
    lines = dict.fromkeys(line_of(one.note.run, life.notes) for one in notes)
    for line in ({"": None} if fires else {}) | lines:
        if line not in alive:
            own = [one for one in notes if line_of(one.note.run, life.notes) == line]
            found.append(_of_line(seen, handler, line, own, mark))
    return [replace(place, handler=handler, text=replay_words(place.run) + place.text) for place in found]


def of_entry(seen: View) -> Place:
    """Where the entry itself is, for what no handler has a part in."""
    ended = _bare(seen)
    if ended is not None:
        return ended
    waits = _on_its_way(seen, "")
    return waits if waits is not None else _silent(seen, "")


def ended_bare(life: Life) -> bool:
    """Whether the entry has come to an end that no handler had a part in, whatever handlers would say now."""
    letters = any(not one.record.handler for one in life.letters)
    return letters or any(not one.note.handler for one in life.notes)


def _bare(seen: View) -> Place | None:
    for letter in seen.life.letters:
        if not letter.record.handler:
            return _letter(seen, letter)
    notes = [one for one in seen.life.notes if not one.note.handler]
    return _ended(notes[-1]) if notes else None


def _of_line(seen: View, handler: str, line: str, notes: Sequence[Written], mark: Mark | None) -> Place:
    place = None if line else _on_its_way(seen, handler, mark)
    if place is None and (not notes or notes[-1].note.what == "retry"):
        place = _marked(seen.life, handler, line, mark)
    if place is None:
        place = _ended(notes[-1]) if notes else _silent(seen, handler)
    return replace(place, run=line)


def _on_its_way(seen: View, handler: str, mark: Mark | None = None) -> Place | None:
    """What the entry itself says; None: it is acknowledged, or this handler has its receipt."""
    life = seen.life
    if life.unread:
        if life.entry is None:
            said = "it was trimmed or deleted before any worker had read it: lost"
            return Place(state="lost", text=said)
        return unread(seen.hands, life)
    if life.holder is None or handler in life.receipts:
        return None
    if life.entry is None:
        said = f"it was deleted from the stream while {life.holder.consumer} had it: lost"
        return Place(state="lost", text=said, worker=life.holder.consumer, deliveries=life.holder.deliveries)
    return pending_at(seen.hands, life.holder, _before_it(life, handler, mark))


def _before_it(life: Life, handler: str, mark: Mark | None) -> str:
    """The entry whose request is under way, so that this one must wait for its end; empty: none."""
    if mark is None or mark.state != "c":
        return ""
    owner = owner_of(mark.owner)
    return "" if (owner.entry, owner.handler) == (life.id, handler) else owner.entry


def _letter(seen: View, letter: Letter) -> Place:
    record = letter.record
    attempts = "1 attempt" if record.attempt == 1 else f"{record.attempt} attempts"
    made = f" after {attempts}" if record.handler and record.attempt else ""
    at = int(letter.id.partition("-")[0])
    said = f"dead letter {letter.id} since {moment(at)}, reason {record.reason}{made}: {seen.hide(record.why)}"
    return Place(
        state="dead", text=said, since=at, letter=letter.id, reason=record.reason, run=record.id_run
    )  # fmt: skip


def _stored(seen: View, stored: Stored) -> Place:
    life, record = seen.life, stored.record
    run, why = record.id_run, seen.hide(record.why)
    if stored.due >= HELD:
        return replace(_held(life, owner_of(stored.owner).handler), since=stored.due - HELD, run=run)
    if stored.due <= life.now:
        said = f"due since {moment(stored.due)} ({why}): {seen.hands.soon}"
        return Place(state="due", text=said, since=stored.due, run=run)
    left = span(stored.due - life.now)
    said = f"stored ({why}): attempt {record.attempt} is due at {moment(stored.due)}, in {left}"
    return Place(state="parked", text=said, since=record.last, until=stored.due, run=run)


def _held(life: Life, handler: str) -> Place:
    note = life.pauses.get(handler)
    if note is None:
        return Place(state="held", text="held for a pause that is over: a worker lets it out")
    why = f" ({note.why})" if note.why else ""
    if note.state == "resuming":
        return Place(state="held", text=f"held; its handler is being resumed, {note.rate:g} a second at most")
    ending = f"until {moment(note.until)}" if note.until else "until it is resumed"
    said = f"held: its handler is paused since {moment(note.since)}, {ending}{why}"
    return Place(state="held", text=said, until=note.until)


def _ended(last: Written) -> Place:
    """By the last note, where nothing is alive any more."""
    note, at = last.note, last.at
    when = moment(at)
    match note.what:
        case "delivered":
            return Place(state="delivered", text=f"delivered at {when}, attempt {note.attempt}", since=at)
        case "suppressed":
            by = owner_of(note.by).entry if "|" in note.by else note.by
            return Place(state="suppressed", text=f"suppressed at {when}, and not delivered", since=at, by=by)
        case "dead":
            said = f"a dead letter at {when}, reason {note.reason}, that was purged since then, or was too old to keep"
            return Place(state="dead", text=said, since=at, reason=note.reason)
        case "unmatched":
            return Place(state="unmatched", text=f"acknowledged at {when}: no handler wanted it", since=at)
        case "retry" if note.sent:
            return Place(state="acknowledged", text="acknowledged; its end was not noted")
        case "retry":
            # A first attempt that is delivered after a deferral is none of the problems that are noted.
            return Place(state="acknowledged", text="acknowledged, no further problem recorded: delivered")
        case _:
            assert_never(note.what)


def _marked(life: Life, handler: str, line: str, mark: Mark | None) -> Place | None:
    """How it ended as its own cool-down has it; None: that is another's, or gone."""
    if mark is None or mark.state not in {"d", "x"}:
        return None
    owner = owner_of(mark.owner)
    if (owner.entry, owner.handler, line_of(owner.run, life.notes)) != (life.id, handler, line):
        return None
    when = moment(mark.stamp)
    if mark.state == "d":
        return Place(state="delivered", text=f"delivered at {when}, as its cool-down says", since=mark.stamp)
    said = f"a dead letter at {when}, as its cool-down says, that was purged since then"
    return Place(state="dead", text=said, since=mark.stamp)


def _silent(seen: View, handler: str) -> Place:
    """Acknowledged, and no note tells how."""
    life = seen.life
    if seen.mode == "off":
        return Place(state="acknowledged", text="acknowledged; how it ended is not recorded, worker.journal is off")
    if reaches(life) and seen.mode == "all":
        said = "acknowledged; nothing is recorded of it: the workers' configuration may have been another then"
        return Place(state="acknowledged", text=said)
    if reaches(life):
        what = ": delivered at the first attempt" if handler else ""
        return Place(state="acknowledged", text=f"acknowledged, no problem recorded{what}")
    said = "acknowledged; how it ended is not recorded, for the journal does not reach back so far"
    return Place(state="acknowledged", text=said)


def reaches(life: Life) -> bool:
    """Whether the journal goes back to the time when the event was added."""
    journal = life.journal
    return journal.whole or bool(journal.first and int(journal.first.partition("-")[0]) <= life.added)
