"""What happened to an event, one sentence for each thing, the oldest first. Pure.

Notes of the journal tell it. Where there is none, stored records and dead letters tell of their last attempt.
"""

from collections.abc import Callable, Mapping
from typing import assert_never

from streamhooks.flow.story.lines import owner_of, replay_words
from streamhooks.flow.story.words import Step, What, span
from streamhooks.store.journal import Note, Written
from streamhooks.store.life import Life
from streamhooks.store.record import Record

Hide = Callable[[str], str]
SAME_STEP = 5
"""Milliseconds. A record and a note that lie no further apart were written in one step."""


def steps(life: Life, hide: Hide, endings: Mapping[str, str]) -> tuple[Step, ...]:
    """`hide` masks credentials; `endings` says, by owner, what became of what this is a duplicate of."""
    told = [_step(written, hide, endings) for written in life.notes]
    records = [stored.record for stored in life.stored] + [carried.record for carried in life.carried]
    records += [letter.record for letter in life.letters]
    told += [_recorded(record, hide) for record in records if record.last and not _noted(record, life)]
    told.sort(key=lambda step: step.at)
    return (Step(at=life.added, what="added", text=f"added to {life.keys.stream}"), *_read(life), *told)


def _read(life: Life) -> list[Step]:
    """Who read it and when, by the first note; there is none of an event whose first attempt was delivered."""
    first = next((one for one in life.notes if not one.note.run), None)
    if first is None or first.note.attempt > 1:
        return []
    worker = first.note.worker
    return [Step(at=first.at - first.note.waited, what="read", text=f"read by {worker}", worker=worker)]


def _noted(record: Record, life: Life) -> bool:
    return any(
        one.note.handler == record.handler and abs(one.at - record.last) <= SAME_STEP for one in life.notes
    )  # fmt: skip


def _step(written: Written, hide: Hide, endings: Mapping[str, str]) -> Step:
    note = written.note
    what, text = words(note, hide, endings)
    return Step(
        at=written.at,
        what=what,
        text=replay_words(note.run) + text,
        handler=note.handler,
        worker=note.worker,
        attempt=note.attempt if note.sent else 0,
        status=note.status,
        failure=note.failure,
        ms=note.ms,
        answer=hide(note.answer),
        by=owner_of(note.by).entry if "|" in note.by else note.by,
        reason=note.reason,
        run=note.run,
    )


def words(note: Note, hide: Hide, endings: Mapping[str, str]) -> tuple[What, str]:
    """What a note tells of, and its sentence; of what it is a duplicate of no more than `endings` says."""
    why = hide(note.why)
    match note.what:
        case "delivered" if note.sent:
            told = f", telling of {note.told} suppressed before it" if note.told else ""
            return "attempt", f"attempt {note.attempt} was answered {_answered(note, hide)}: delivered{told}"
        case "delivered":
            return "delivered", "found delivered by an attempt before a crash; acknowledged without another"
        case "suppressed":
            return "suppressed", f"suppressed by the cool-down: {_duplicate(note.by, endings)}"
        case "retry" if note.sent:
            return "attempt", f"attempt {note.attempt} {_failed(note, why, hide)}; stored, {_again(note)}"
        case "retry":
            return "deferred", f"stored without an attempt, {_again(note)}: {why}"
        case "dead" if note.sent:
            return "attempt", f"attempt {note.attempt} {_failed(note, why, hide)}; dead letter, reason {note.reason}"
        case "dead":
            return "dead", f"dead letter, reason {note.reason}: {why}"
        case "unmatched":
            return "unmatched", "no handler wanted it; acknowledged without a delivery"
        case _:
            assert_never(note.what)


def _answered(note: Note, hide: Hide) -> str:
    said = f', "{hide(note.answer)}"' if note.answer else ""
    return f"{note.status} after {span(note.ms)}{said}"


def _failed(note: Note, why: str, hide: Hide) -> str:
    if note.status:
        more = f" ({why})" if why != f"status {note.status}" else ""
        return f"was answered {_answered(note, hide)}{more}"
    return f"failed after {span(note.ms)}: {why}"


def _again(note: Note) -> str:
    return "until its handler is resumed" if note.again < 0 else f"again in {span(note.again * 1000)}"


def _duplicate(by: str, endings: Mapping[str, str]) -> str:
    if "|" not in by:
        return "Tyk has sent the same request inside its cool-down"
    owner = owner_of(by)
    replayed = f" (replay {owner.run})" if owner.run else ""
    which = f", which {endings[by]}" if by in endings else ""
    return f"a duplicate of {owner.entry}{replayed}{which}"


def _recorded(record: Record, hide: Hide) -> Step:
    """The last attempt, or deferral, of what no note tells of."""
    why = hide(record.why)
    answer = hide(record.answer[:200].decode("utf-8", "replace"))
    said = f', "{answer}"' if answer else ""
    made = record.attempt if record.reason else record.attempt - 1
    ending = f"; dead letter, reason {record.reason}" if record.reason else "; stored"
    attempt = f"attempt {made}: " if made and record.first else ""
    return Step(
        at=record.last,
        what="dead" if record.reason else "deferred",
        text=f"{replay_words(record.run)}{attempt}{why}{said}{ending}",
        handler=record.handler,
        attempt=made if record.first else 0,
        status=record.status,
        answer=answer,
        reason=record.reason,
        run=record.run,
    )
