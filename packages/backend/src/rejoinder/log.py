"""What the server says of itself, on standard error: for people on a terminal, as JSON elsewhere."""

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import Processor

# Without the values of variables: among them are tokens, and what people write.
TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
Level = Literal["debug", "info", "warning", "error"]


LEFT_OPEN = "Cancel %s running task(s), timeout graceful shutdown exceeded"
"""What uvicorn says at its end where connections are still open."""


def configure(level: Level) -> None:
    """Log from that level on. Values are escaped, so that what a client sends can't forge a line."""
    number = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if terminal
        else [TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The libraries speak through the standard library; only what needs a person's attention is passed on.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared,
                *rendered,
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
        )
    )
    handler.addFilter(_needs_attention)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _needs_attention(record: logging.LogRecord) -> bool:
    """False where a client did not take its last bytes before the server ended, and nothing was under way for it."""
    return not (record.msg == LEFT_OPEN and record.args == (0,))
