"""`serve`: a worker in the foreground."""

from argparse import ArgumentParser, Namespace

from streamhooks import app
from streamhooks.cli.opening import add_config, add_redis, configuration

EXAMPLE = "streamhooks serve --config /etc/streamhooks/"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--until-idle",
        action="store_true",
        help="return when nothing is left to deliver: no lag, nothing pending, no retry stored",
    )
    add_config(parser)
    add_redis(parser)


def run(args: Namespace) -> int:
    return app.serve(configuration(args), until_idle=args.until_idle, load_again=lambda held: configuration(args, held))
