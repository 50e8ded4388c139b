"""`python -m streamhooks`, and the console script."""

import sys

from streamhooks import cli


def main() -> None:
    """Runs the command line of this process and exits with its code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows ASCII only must not end a command over a name with an accent.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
