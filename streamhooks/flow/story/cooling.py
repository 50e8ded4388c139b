"""What a cool-down says now of an event's request. Pure."""

from typing import assert_never

from streamhooks.flow.story.lines import owner_of
from streamhooks.flow.story.words import CoolDown, CoolDownState, moment, span
from streamhooks.store.life import Mark


def cool_down(mark: Mark | None, window: float | None, fingerprint: str, id: str, now: int) -> CoolDown:
    """`window` in seconds, None: the handler is not known; `now` in milliseconds."""
    if mark is None:
        said = "none is in force: an equal event would be delivered now"
        return CoolDown(text=said, fingerprint=fingerprint, window=window or 0.0)
    owner = owner_of(mark.owner)
    own = owner.entry == id
    whose = "this event" if own else f"event {owner.entry}"
    whose += f" (replay {owner.run})" if owner.run else ""

    def of(state: CoolDownState, text: str, until: int = 0) -> CoolDown:
        return CoolDown(
            text=text, fingerprint=fingerprint, window=window or 0.0, state=state, by=owner.entry, own=own, until=until
        )  # fmt: skip

    match mark.state:
        case "c":
            return of("sending", f"the request of {whose} is under way: an equal event waits for its end")
        case "r":
            return of("stored", f"the request of {whose} is stored: equal events are suppressed")
        case "d" | "x":
            over = mark.stamp + round((window or 0.0) * 1000)
            ended = "delivered" if mark.state == "d" else "dead-lettered"
            rest = "its time is over: an equal event would be delivered now"
            if window is None:
                rest = "how long that suppresses, its configuration would say"
            elif over > now:
                rest = f"equal events are suppressed until {moment(over)}, for {span(over - now)}"
            said = f"{whose} was {ended} at {moment(mark.stamp)}; {rest}"
            return of("delivered" if mark.state == "d" else "dead", said, over if over > now else 0)
        case _:
            assert_never(mark.state)
