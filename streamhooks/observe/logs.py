"""Logging, set up once: JSON for machines, one coloured line for people.

Records are events with fields; their name is a constant, and what a stranger wrote stands only in fields. Secrets and
payloads are never given to a logger; no traceback shows local variables.
"""

import logging
import sys
from typing import TextIO

import structlog

log = structlog.get_logger("streamhooks")


class _Libraries(logging.Handler):
    """What a library says by Python's own logging, as a record of ours: else it would be bare text between JSON."""

    def emit(self, record: logging.LogRecord) -> None:
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell("library", source=record.name, message=record.getMessage(), exc_info=record.exc_info)


_LIBRARIES = _Libraries(logging.WARNING)


def set_up(level: str, format: str, stream: TextIO | None = None) -> None:
    """Configures structlog for this process. `format` is json, console, or auto: console on a terminal, else JSON."""
    out = stream if stream is not None else sys.stderr
    console = format == "console" or (format == "auto" and out.isatty())
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    finish: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
            *finish,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # records are rare, and whoever sets it up again is heard
    )
    logging.getLogger().addHandler(_LIBRARIES)  # once, however often it is set up
