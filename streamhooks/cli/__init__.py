"""The command line: finds the command, reads its arguments, and turns its end into an exit code.

Strategy: this file knows the commands by name only. The file of a command is imported when it is the one asked for, so
that `streamhooks --help` loads neither redis nor aiohttp. A command's file has an `EXAMPLE`, `arguments(parser)` and
`run(args)`, which gives the exit code.

Exit codes: 0 well; 1 something wrong was found, or what was asked for was not achieved; 2 wrong usage or
configuration; 3 Redis cannot be reached.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from streamhooks import __version__
from streamhooks.cli.output import complain, printable
from streamhooks.errors import ConfigError, StoreError, StreamhooksError

COMMANDS = {
    "dev": "run everything on this machine, with nothing to set up",
    "init": "write a commented starter configuration and a template",
    "import": "write our own form of somebody else's definitions, such as Tyk's",
    "check": "read the configuration and every template, and list every fault",
    "render": "print the exact HTTP request of a handler, and send nothing",
    "fire": "send one request of a handler now, and print the reply",
    "serve": "run a worker",
    "publish": "add events to the stream",
    "status": "show what waits, what is under way, and what came of it all",
    "explain": "tell one event's whole life: why did it, or did it not, arrive?",
    "tail": "follow what becomes of events, as it happens",
    "pending": "list the entries that are handed out and not acknowledged, or take them over",
    "handlers": "list the handlers, pause one, or let it go on",
    "dead": "list, show, replay or purge dead letters",
    "replay": "fire past events again, from the stream's history",
    "bench": "measure what a delivery costs on this machine, and how long it takes",
}
"""Every command by its name, in the order of their first use, with what it does."""

_FILES = {"import": "import_"}
"""Where the file of a command cannot be called as the command is."""
FOUND, WRONG_USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130
"""130 is the shell's own code for a process ended by SIGINT."""


class Command(Protocol):
    """What the file of a command has."""

    EXAMPLE: str

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


class Parser(argparse.ArgumentParser):
    """Says where more is told, when a word is wrong."""

    def error(self, message: str) -> NoReturn:
        self.refuse(message, self.prog)

    def refuse(self, message: str, told_by: str) -> NoReturn:
        """Raises SystemExit; `told_by` is the command whose help tells more."""
        self.print_usage(sys.stderr)
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}; {told_by} --help tells more\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; `argv` without the program's name. Gives the exit code and never raises SystemExit."""
    words = sys.argv[1:] if argv is None else list(argv)
    command = _command(words)
    try:
        args = _read(words, command)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return WRONG_USAGE if command is None else _run(command, args)


def _read(words: Sequence[str], command: Command | None) -> argparse.Namespace:
    """What the words say. Raises SystemExit where they are wrong, and after --help and --version."""
    parser, own = _parser(words[0] if command else "", command)
    if command is None and words and not words[0].startswith("-"):
        parser.error(_no_command(words[0]))
    args, unknown = parser.parse_known_args(words)
    if unknown:
        action = getattr(args, "action", None)
        own.refuse(f"unrecognized arguments: {' '.join(unknown)}", f"{own.prog} {action}" if action else own.prog)
    if command is None:
        parser.print_help(sys.stderr)
    return args


def _no_command(word: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only who slips pays for it

    near = get_close_matches(word, COMMANDS, n=1, cutoff=0.7)
    return f'"{printable(word)}" is no command' + (f'; the nearest is "{near[0]}"' if near else "")


def _command(words: Sequence[str]) -> Command | None:
    if not words or words[0] not in COMMANDS:
        return None
    return cast("Command", importlib.import_module(f"streamhooks.cli.{_FILES.get(words[0], words[0])}"))


def _parser(name: str, command: Command | None) -> tuple[Parser, Parser]:
    """All commands by name, and the one that runs; it alone has its arguments. Without one, twice the same."""
    parser = running = Parser(
        prog="streamhooks",
        description="Gateway events from a Redis stream to webhooks: at least once, nothing lost on a crash.",
        epilog="example: streamhooks dev\n\nstreamhooks COMMAND --help tells more of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"streamhooks {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for word, what in COMMANDS.items():
        chosen = word == name and command is not None
        own = commands.add_parser(
            word,
            help=what,
            description=f"{what[0].upper()}{what[1:]}{'' if what.endswith('?') else '.'}",
            epilog=f"example: {command.EXAMPLE}" if chosen and command else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if chosen and command:
            command.arguments(own)
            running = own
    return parser, running


def _run(command: Command, args: argparse.Namespace) -> int:
    try:
        code = command.run(args)
        sys.stdout.flush()
    except ConfigError as error:
        return faults(error)
    except StoreError as error:
        complain(str(error))
        return UNREACHABLE if error.kind == "away" else FOUND
    except StreamhooksError as error:
        complain(str(error))
        return FOUND
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`). Python would complain once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND
    return code


def faults(error: ConfigError) -> int:
    """Tells every fault, then how many there are."""
    for fault in error.faults:
        complain(str(fault))
    count = len(error.faults)
    complain("1 fault" if count == 1 else f"{count} faults")
    return WRONG_USAGE
