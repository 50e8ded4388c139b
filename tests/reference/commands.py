"""docs/reference/commands.md: every command with its options and examples, from the parser that reads them."""

import argparse
import importlib
import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword

from streamhooks.cli import COMMANDS

HEAD = """# Commands

`streamhooks COMMAND`; `streamhooks COMMAND --help` says what this page says. Without `--config` the configuration is
looked for in `./streamhooks.yaml`, then in `/etc/streamhooks/`; what only asks Redis needs none.

| exit code | means |
|---|---|
| 0 | well |
| 1 | something wrong was found, or what was asked for was not achieved |
| 2 | wrong usage, or a configuration with faults |
| 3 | Redis cannot be reached |

Results go to stdout and everything else to stderr. Secrets and callers' credentials are hidden where there is no
`--reveal`. With `--json` a command prints its result as JSON, for programs; members may be added to it.

This page is made from the code by `scripts/reference`.
"""
SHARED = ("--config", "--redis-url", "--json")
"""Options that many commands have and that mean the same there: told once, as `status` has them."""
SHARED_HEAD = """
## Shared options

"""
_HELP = "-h"


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command and of each of its actions, by their words, as the command line makes them."""
    found: dict[str, argparse.ArgumentParser] = {}
    for word, what in COMMANDS.items():
        command = importlib.import_module(f"streamhooks.cli.{word}{'_' if iskeyword(word) else ''}")
        found[word] = parser = argparse.ArgumentParser(
            prog=f"streamhooks {word}",
            description=f"{what[0].upper()}{what[1:]}{'' if what.endswith('?') else '.'}",
            epilog=f"example: {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(parser)
        found |= {f"{word} {action}": own for action, own in _below(parser).items()}
    return found


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def example(parser: argparse.ArgumentParser) -> str:
    """The command line that its help ends with; empty: it has none of its own."""
    return (parser.epilog or "").removeprefix("example: ")


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """What it takes, but for --help and its actions."""
    return [
        action
        for action in parser._actions
        if _HELP not in action.option_strings and not isinstance(action, argparse._SubParsersAction)
    ]


def page() -> str:
    """The whole page."""
    found = parsers()
    shared = {action.option_strings[-1]: _line(action) for action in options(found["status"])}
    parts = [part for name, parser in found.items() for part in _part(name, parser, [shared[name] for name in SHARED])]
    return "".join([HEAD, SHARED_HEAD, *(shared[name] for name in SHARED), *parts])


def _part(name: str, parser: argparse.ArgumentParser, shared: Sequence[str]) -> Iterator[str]:
    yield f"\n{'###' if ' ' in name else '##'} {name}\n\n{parser.description}\n\n"
    if not _below(parser):
        lines = [_line(action) for action in options(parser)]
        yield f"    {_usage(parser)}\n\n"
        yield from (line for line in lines if line not in shared)
        also = [line.partition(":")[0].removeprefix("- ") for line in lines if line in shared]
        yield f"- and {', '.join(also)} as [above](#shared-options)\n\n" if also else "\n"
    yield f"Example:\n\n    {example(parser)}\n"


def _usage(parser: argparse.ArgumentParser) -> str:
    usage = re.sub(r"\s+", " ", parser.format_usage()).strip().removeprefix("usage: ")
    return usage.replace(" [-h]", "")


def _line(action: argparse.Action) -> str:
    return f"- {_spelled(action)}: {_help(action)}\n"


def _spelled(action: argparse.Action) -> str:
    metavar = action.metavar
    assert not isinstance(metavar, tuple)
    value = metavar or ("|".join(action.choices) if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"`{value}`"
    word = action.option_strings[-1]
    return f"`{word}`" if action.nargs == 0 else f"`{word} {value}`"


def _help(action: argparse.Action) -> str:
    assert action.help, action.dest
    needed = "; must be given" if action.required and action.option_strings else ""
    return f"{action.help}{needed}"
