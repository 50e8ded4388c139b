"""Times and lengths of time on the command line."""

from streamhooks.cli.opening import wrong
from streamhooks.cli.output import printable
from streamhooks.operations import moments
from streamhooks.settings.duration import spelled
from streamhooks.settings.rules import RefusedError


def moment(text: str, now: float, option: str) -> str:
    """What an option says, as XRANGE takes it. `now` in seconds. Raises ConfigError."""
    try:
        return moments.moment(text, now)
    except RefusedError as refusal:
        raise wrong(option, f'"{printable(text)}" {refusal}') from None


def length(amount: float) -> str:
    """Seconds, as short as tells enough: `340ms`, `12s`, `3h5m`."""
    if amount < 1:
        return spelled(amount)
    if amount < 3600:
        return spelled(round(amount))
    return spelled(round(amount / 60) * 60)
