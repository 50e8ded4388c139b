"""`handlers`: who is paused, and how to pause a handler and let it go on.

A pause is noted with every partition. Workers look every second, so it is in force a second later at the most; what is
under way then is delivered.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from redis.asyncio import Redis

from streamhooks.cli.opening import add_config, add_json, add_redis, known, reach, wrong
from streamhooks.cli.output import complain, document, printable, say
from streamhooks.cli.table import table
from streamhooks.files import Loaded
from streamhooks.operations.moments import utc
from streamhooks.operations.standing import Standings, pause_length, resume_rate
from streamhooks.settings.rules import RefusedError
from streamhooks.store.pauses import RESUME_RATE

EXAMPLE = 'streamhooks handlers pause security-slack --for 1h --why "maintenance"'


def arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    for name, what, example in (
        ("list", "list the handlers: active, paused or being resumed, and how many events are held", "handlers list"),
        ("pause", "store a handler's events from now on instead of sending them", EXAMPLE.partition(" ")[2]),
        ("resume", "send to it again, what was stored too", "handlers resume security-slack --rate 50/s"),
    ):
        own = actions.add_parser(
            name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"example: streamhooks {example}"
        )
        if name != "list":
            own.add_argument("ids", nargs="+", metavar="ID", help="a handler")
        if name == "pause":
            own.add_argument("--for", dest="length", metavar="DURATION", help="resume by itself after so long, as 1h")
            own.add_argument("--why", default="", metavar="TEXT", help="what is shown to whoever asks")
        if name == "resume":
            own.add_argument(
                "--rate",
                default="",
                help=f"stored events a second at most (default: {RESUME_RATE:g}/s for a partition)",
            )
        add_config(own)
        add_redis(own)
        add_json(own)


def run(args: Namespace) -> int:
    loaded = known(args)
    match args.action:
        case "list":
            return asyncio.run(_list(loaded, as_json=args.json))
        case "pause":
            return asyncio.run(_pause(loaded, args.ids, _length(args.length), args.why, as_json=args.json))
        case _:
            return asyncio.run(_resume(loaded, args.ids, _rate(args.rate), as_json=args.json))


def _length(text: str | None) -> float:
    """Seconds; 0: until it is resumed."""
    if text is None:
        return 0.0
    try:
        return pause_length(text)
    except RefusedError as refusal:
        raise wrong("--for", f'is "{printable(text)}"; {refusal}') from None


def _rate(text: str) -> float:
    try:
        return resume_rate(text)
    except RefusedError as refusal:
        raise wrong("--rate", str(refusal)) from None


def _standings(loaded: Loaded, client: Redis) -> Standings:
    return Standings(client, loaded.settings, [handler.id for handler in loaded.handlers])


async def _list(loaded: Loaded, *, as_json: bool) -> int:
    async with reach(loaded.settings) as client:
        states = await _standings(loaded, client).states()
    if as_json:
        document([state.told() for state in states.values()])
    elif states:
        rows = [
            (
                state.id,
                state.note.state if state.note else "active" if state.configured else "not configured",
                utc(state.note.since) if state.note else None,
                utc(state.note.until) if state.note and state.note.until else None,
                state.held,
                state.note.why if state.note else None,
            )
            for state in states.values()
        ]
        say(table(("HANDLER", "STATE", "SINCE", "UNTIL", "HELD", "WHY"), rows))
    else:
        say("no handlers: there is no configuration here, and none is paused; name one by --config")
    return 0


async def _pause(loaded: Loaded, ids: Sequence[str], length: float, why: str, *, as_json: bool) -> int:
    named = [handler.id for handler in loaded.handlers]
    strange = [id for id in ids if named and id not in named]
    if strange:
        said = f'"{printable(strange[0])}" is no handler of the configuration; it has {", ".join(named)}'
        raise wrong("ID", said)
    async with reach(loaded.settings) as client:
        standings = _standings(loaded, client)
        fresh = {id: await standings.pause(id, why, length) for id in ids}
    if not named:
        complain("there is no configuration here to look for such a handler in; name one by --config")
    if as_json:
        document([{"id": id, "paused": True, "was_paused": not new} for id, new in fresh.items()])
    else:
        for id, new in fresh.items():
            until = "for " + str(round(length)) + " s" if length else "until it is resumed"
            say(f"{id} {'is paused' if new else 'was paused, and stays so'} {until}; its events are stored")
    return 0


async def _resume(loaded: Loaded, ids: Sequence[str], rate: float, *, as_json: bool) -> int:
    async with reach(loaded.settings) as client:
        standings = _standings(loaded, client)
        states = await standings.states()
        paused = [id for id in ids if id in states and (states[id].note or states[id].held)]
        for id in paused:
            await standings.resume(id, rate)
    if as_json:
        document([{"id": id, "resumed": id in paused, "held": states[id].held if id in states else 0} for id in ids])
    else:
        for id in paused:
            say(f"{id} goes on; what is stored of it ({states[id].held}) follows at {rate:g} a second at most")
    for id in ids:
        if id not in paused:
            complain(
                f"{printable(id)} is not paused, and nothing is held of it; streamhooks handlers list shows who is"
            )
    return 0 if len(paused) == len(ids) else 1
