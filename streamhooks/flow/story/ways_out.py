"""What somebody can do about an event, as command lines, for each place that it is at. Pure."""

from streamhooks.flow.story.words import Advice, Part, Place, State

_BEFORE_REPLAY = {
    "template": "mend the template ({render} shows what it makes), then replay the dead letter",
    "exhausted": "when the endpoint answers again, replay the dead letter",
    "expired": "when the endpoint answers again, replay the dead letter",
    "permanent_status": "when the endpoint takes it, replay the dead letter",
    "gone": "when the endpoint is back, or the handler calls another, resume the handler and replay the dead letter",
    "destination_denied": "open the address by allow_cidrs if it is meant, then replay the dead letter",
    "overflow": "when fewer are stored, or worker.max_parked is more, replay the dead letter",
    "handler_removed": "put the handler back into the configuration, then replay the dead letter",
    "crash_loop": "find out from the worker's log why it ended, then replay the dead letter",
}
_UNDER_WAY: frozenset[State] = frozenset({"unread", "pending", "waiting", "held", "parked", "due"})


def ways_out(place: Place, part: Part | None, id: str, *, alive: bool, kept: bool) -> list[Advice]:
    """For one place of event `id`. `alive`: a worker is running; `kept`: the stream still holds the entry."""
    own = _under_way(place, alive=alive) if place.state in _UNDER_WAY else _ended(place, part, id, kept=kept)
    start = [Advice("start a worker", "streamhooks serve")] if place.state in _UNDER_WAY and not alive else []
    return start + own


def _under_way(place: Place, *, alive: bool) -> list[Advice]:
    handler = place.handler
    if place.state == "held":
        return [Advice("let the handler go on", f"streamhooks handlers resume {handler}")]
    if place.state == "parked":
        return [Advice("it is tried by itself; try the endpoint now", f"streamhooks fire --handler {handler}")]
    if place.silent:
        return [Advice("do not wait for the lease", f"streamhooks pending claim {place.carrier}")]
    return [Advice("it goes on by itself; watch it", "streamhooks status --watch")] if alive else []


def _ended(place: Place, part: Part | None, id: str, *, kept: bool) -> list[Advice]:
    if place.state == "dead":
        return _dead(place, id, kept=kept)
    if place.state == "lost":
        return [Advice("publish it again, and let nobody else trim the stream", "streamhooks publish --help")]
    if not kept:
        return []
    again = f"streamhooks replay {id}"
    if place.state == "unmatched":
        return [Advice("add or widen a handler, then fire it from history", again)]
    again += f" --handler {place.handler}"
    if place.state == "suppressed":
        return [Advice("that is what event_timeout is for; deliver it all the same", f"{again} --force")]
    return [Advice("deliver it again", again)] if part is not None and part.verdict == "fires" else []


def _dead(place: Place, id: str, *, kept: bool) -> list[Advice]:
    handler, letter = place.handler, place.letter
    again = f"streamhooks replay {id}" + (f" --handler {handler}" if handler else "")
    if not letter:
        return [Advice("fire it again from history", again)] if kept else []
    if place.reason == "undecodable":
        return [Advice("mend what publishes it; see what came", f"streamhooks dead show {letter} --reveal")]
    if not handler:
        return [Advice("find out why the worker ended, then fire the entry again", again)] if kept else []
    text = _BEFORE_REPLAY.get(place.reason, "replay the dead letter")
    text = text.format(render=f"streamhooks render --handler {handler}")
    resume = [Advice("let the handler go on", f"streamhooks handlers resume {handler}")]
    return (resume if place.reason == "gone" else []) + [Advice(text, f"streamhooks dead replay {letter}")]


def filtered(part: Part, id: str, *, kept: bool) -> list[Advice]:
    """For a handler that the event does not fire."""
    # Not for a type: most handlers are for other types, and that is no miss.
    change = {"api": "apis", "org": "orgs", "when": "when"}.get(part.verdict)
    if change is None or not kept:
        return []
    again = f"streamhooks replay {id} --handler {part.handler}"
    return [Advice(f"if {part.handler} should have fired: widen its {change}, then fire it from history", again)]
