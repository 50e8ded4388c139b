"""Times and lengths of time on the command line."""

from streamhooks.cli.opening import wrong
from streamhooks.cli.output import printable
from streamhooks.operations import moments
from streamhooks.settings.rules import RefusedError


def moment(text: str, now: float, option: str) -> str:
    """What an option says, as XRANGE takes it. `now` in seconds. Raises ConfigError."""
    try:
        return moments.moment(text, now)
    except RefusedError as refusal:
        raise wrong(option, f'"{printable(text)}" {refusal}') from None
