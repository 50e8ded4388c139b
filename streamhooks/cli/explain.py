"""`explain`: one event's whole life, as the story of flow/story, on a page."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

import msgspec
from msgspec import to_builtins

from streamhooks.cli.opening import add_config, add_json, add_redis, known, reach, wrong
from streamhooks.cli.output import complain, document, lines, printable, say
from streamhooks.files import Loaded
from streamhooks.flow.story.finding import Asked, asked, explain
from streamhooks.flow.story.words import Part, Step, Story, Told, moment

EXAMPLE = "streamhooks explain 1795428000000-0"
PUBLISH = "streamhooks publish prints ids, streamhooks tail and streamhooks dead list show them"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="of an entry, of a dead letter, or a webhook-id")
    parser.add_argument("--event", action="store_true", help="show the event too, credentials masked")
    add_config(parser)
    add_redis(parser)
    add_json(parser)


def run(args: Namespace) -> int:
    meant = asked(args.id)
    if meant is None:
        said = "is no id; give that of an entry or of a dead letter, such as 1795428000000-0, or a webhook-id"
        raise wrong("ID", f'"{printable(args.id)}" {said}')
    return asyncio.run(_run(known(args), meant, with_event=args.event, as_json=args.json))


async def _run(loaded: Loaded, meant: Asked, *, with_event: bool, as_json: bool) -> int:
    async with reach(loaded.settings) as client:
        told = await explain(client, loaded, meant, with_event=with_event)
    if as_json:
        document(to_builtins(told))
    elif told.stories:
        say("\n\n".join(page(one) for one in told.stories))
    if not told.stories:
        _complain(told)
    return 0 if told.stories else 1


def _complain(told: Told) -> None:
    for why in told.unknown.values():
        complain(f"{printable(told.id)}: {printable(why)}")
    complain(PUBLISH)


def page(story: Story) -> str:
    """What happened, then where it is, then what to do."""
    blocks = [_head(story), _block("what happened", [f"{moment(one.at)}  {_sentence(one)}" for one in story.steps])]
    named = [one.handler for one in story.handlers] + [one.handler for one in story.now]
    width = max(map(len, named), default=0)
    blocks.append(_block("handlers", [line for one in story.handlers for line in _part(one, width)]))
    blocks.append(_block("now", [f"{one.handler.ljust(width)}  {one.text}".strip() for one in story.now]))
    blocks.append(_block("what to do", [line for one in story.to_do for line in (one.text, f"    {one.command}")]))
    blocks.append(_block("to be known", story.remarks))
    return "\n\n".join(block for block in blocks if block)


def _head(story: Story) -> str:
    words = [f"event {story.id}"]
    event = story.event
    if event is not None:
        about = (("API", event.api_id), ("organisation", event.org_id), ("from", event.source))
        words += [event.type, *(f"{name} {value}" for name, value in about if value)]
    text = printable(", ".join(words))
    if story.content is not None:
        text += "\n" + lines(msgspec.json.format(msgspec.json.encode(story.content), indent=2).decode())
    return text


def _sentence(step: Step) -> str:
    return f"{step.handler}: {step.text}" if step.handler else step.text


def _part(part: Part, width: int) -> list[str]:
    told = [f"{part.handler.ljust(width)}  {part.text}"]
    if part.verdict in {"fires", "removed", "unknown"}:
        told.append(f"{' ' * width}  webhook-id {part.webhook_id}")
    if part.cool_down is not None:
        told.append(f"{' ' * width}  cool-down: {part.cool_down.text}")
    return told


def _block(title: str, told: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {printable(line)}" for line in told)]) if told else ""
