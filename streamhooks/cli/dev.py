"""`dev`: everything on one machine."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from streamhooks import dev
from streamhooks.cli.opening import add_config, wrong

EXAMPLE = "streamhooks dev --config streamhooks.yaml"


def arguments(parser: ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument(
        "--redis-url",
        default="",
        metavar="URL",
        help="use this server, with the group streamhooks-dev, and start none",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path(".streamhooks"),
        metavar="DIR",
        help="where the embedded server keeps its data",
    )
    parser.add_argument(
        "--exit-after",
        type=int,
        default=0,
        metavar="N",
        help="end with exit 0 after N deliveries that were answered 2xx, or with exit 1 after 60 s",
    )


def run(args: Namespace) -> int:
    if args.exit_after < 0:
        raise wrong("--exit-after", f"is {args.exit_after}; must be a number of deliveries, 0 for no end")
    return dev.run(
        dev.Options(
            config=tuple(args.config or ()), redis_url=args.redis_url, state=args.state, exit_after=args.exit_after
        )
    )
