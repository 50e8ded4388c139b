"""From what was judged to the whole story. Pure: the same facts make the same story."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from streamhooks.delivery.masking import masked, withheld
from streamhooks.delivery.request import WebhookId, webhook_id
from streamhooks.flow.story.cooling import cool_down
from streamhooks.flow.story.holders import Hands
from streamhooks.flow.story.judging import Judged, records
from streamhooks.flow.story.lines import line_of, owner_of
from streamhooks.flow.story.places import View, ended_bare, of_entry, places, reaches
from streamhooks.flow.story.steps import steps
from streamhooks.flow.story.ways_out import filtered, ways_out
from streamhooks.flow.story.words import Advice, Part, Place, Story, Summary, moment
from streamhooks.settings import Settings
from streamhooks.store.ids import order
from streamhooks.store.life import Extent, Life, Mark

MISSES = 3
"""Handlers that nearly fired, for which somebody is told what to do."""


class Known(Struct, frozen=True):
    """What was looked up for a story, beside the event's own traces."""

    marks: Mapping[str, Mark] = {}
    """By handler: the cool-down of its request."""
    endings: Mapping[str, str] = {}
    """By owner: what became of a request that this one is a duplicate of."""


def story(
    of: Judged, known: Known, settings: Settings, asked: WebhookId | None = None, *, with_event: bool = False
) -> Story:
    """`asked`: only of the handler that this webhook-id names. `with_event`: its Meta too."""
    life = of.life
    seen = _view(of, known, settings)
    told = [id for id in of.matches if asked is None or asked.names(id)] or list(of.matches)
    parts = {id: _part(of, id, known.marks.get(id)) for id in told}
    now = _now(of, seen, known, told)
    kept = life.entry is not None
    advice: list[Advice] = []
    for place in now:
        advice += ways_out(place, parts.get(place.handler), life.id, alive=seen.hands.alive, kept=kept)
    advice += [one for part in parts.values() for one in filtered(part, life.id, kept=kept)][:MISSES]
    return Story(
        id=life.id,
        stream=life.keys.stream,
        partition=of.partition,
        kept=kept,
        event=_summary(of),
        content=masked(withheld(of.event.meta)) if with_event and of.event else None,
        remarks=tuple(_remarks(of, now, settings, asked)),
        steps=tuple(
            one for one in steps(life, of.hide, known.endings) if not one.handler or one.handler in parts
        ),
        handlers=tuple(parts.values()),
        now=now,
        to_do=tuple(dict.fromkeys(advice)),
    )  # fmt: skip


def ending(of: Judged, known: Known, settings: Settings, owner: str) -> str:
    """What became of one request, in a word that follows `which`."""
    meant = owner_of(owner)
    line = line_of(meant.run, of.life.notes)
    mark = known.marks.get(meant.handler)
    found = places(_view(of, known, settings), meant.handler, mark, fires=not line)
    place = next((one for one in found if one.run == line), None)
    own = mark is not None and mark.owner == owner and mark.state in {"d", "x"}
    if place is None or not (of.life.traced or own):
        return "is not kept any more"
    match place.state:
        case "unread" | "pending" | "waiting":
            return "is under way"
        case "held":
            return "is stored until its handler is resumed"
        case "parked":
            return f"is stored for an attempt at {moment(place.until)}"
        case "due":
            return "is stored and due"
        case "dead":
            return f"is a dead letter ({place.reason})" if place.letter else "was a dead letter"
        case "suppressed":
            return "was suppressed itself"
        case "lost":
            return "was lost"
        case "delivered" | "acknowledged" | "unmatched":
            return f"was {place.text}"


def absence(extent: Extent, id: str, stream: str, *, traced: bool = False) -> str:
    """Why a stream does not hold an entry of this id. `traced`: it is known to have been there."""
    doubt = "" if traced else ", if it was ever there"
    if not extent.exists:
        return f"there is no stream {stream}: nothing was ever published to it"
    if order(id) > order(extent.newest):
        return f"{stream} has not given this id yet: its newest is {extent.newest}"
    if extent.whole:
        return f"{stream} never had this entry, and none has ever gone from it"
    if not extent.first:
        return f"{stream} is empty: the entry was trimmed or deleted{doubt}"
    if order(id) < order(extent.first):
        return f"it is older than the first entry that {stream} holds, {extent.first}: trimmed{doubt}"
    return f"{stream} holds older and newer entries: it was deleted{doubt}"


def _view(of: Judged, known: Known, settings: Settings) -> View:
    life = of.life
    hands = Hands(life.now, settings.worker.lease, life.consumers)
    return View(life, hands, settings.worker.journal, of.hide, known.endings)


def _summary(of: Judged) -> Summary | None:
    event = of.event
    return Summary(event.type, event.api_id, event.org_id, event.source, event.timestamp) if event else None


def _part(of: Judged, id: str, mark: Mark | None) -> Part:
    match, handler = of.matches[id], of.handlers.get(id)
    fingerprint = of.fingerprints.get(id, "")
    cooling = None
    if fingerprint and (mark is not None or (handler is not None and handler.event_timeout > 0)):
        window = handler.event_timeout if handler else None
        cooling = cool_down(mark, window, fingerprint, of.life.id, of.life.now)
    return Part(
        handler=id,
        verdict=match.verdict,
        text=match.text,
        webhook_id=webhook_id(of.life.id, of.partition, id),
        cool_down=cooling,
    )


def _now(of: Judged, seen: View, known: Known, told: Iterable[str]) -> tuple[Place, ...]:
    bare = ended_bare(of.life)
    found = [of_entry(seen)] if bare else []
    for id in told:
        match = of.matches[id]
        # Of a handler that is not configured here only what has happened can be told.
        concerned = match.fires if match.judged else _took_part(of.life, id)
        found += places(seen, id, known.marks.get(id), fires=concerned and not bare)
    if found:
        return tuple(found)
    place = of_entry(seen)
    if place.state == "acknowledged" and of.handlers and of.event:
        said = "acknowledged: no handler of the configuration wants it"
        place = replace(place, state="unmatched", text=said)
    return (place,)


def _took_part(life: Life, handler: str) -> bool:
    """Whether the event itself, and not only a replay of it, left a trace for the handler."""
    noted = any(one.note.handler == handler and not line_of(one.note.run, life.notes) for one in life.notes)
    return noted or any(one.handler == handler and not one.id_run for one in records(life))


def _remarks(of: Judged, now: Iterable[Place], settings: Settings, asked: WebhookId | None) -> list[str]:
    life, mode = of.life, settings.worker.journal
    said: list[str] = []
    if of.fault and not any(one.reason == "undecodable" for one in now):
        said.append(f"the entry is no event: {of.fault}")
    if life.entry is None:
        said.append(absence(life.extent, life.id, life.keys.stream, traced=True))
    if not of.handlers:
        said.append("there are no handlers here to judge by: which of them it fires is not known; name a configuration")
    if asked is not None and not any(asked.names(id) for id in of.matches):
        said.append(
            f"no handler has a webhook-id with {asked.handler_hash}: it was renamed or removed; all are told of"
        )
    if mode == "off":
        said.append("worker.journal is off: attempts and suppressions are not noted")
    elif not reaches(life):
        said.append(f"the journal begins at {_begins(life)}, later than this event: what was noted before is gone")
    elif mode == "problems" and any(one.state == "acknowledged" for one in now):
        said.append("worker.journal is problems: a delivery at the first attempt is not noted; all notes each one")
    return said


def _begins(life: Life) -> str:
    first = life.journal.first
    return moment(int(first.partition("-")[0])) if first else moment(life.now)
