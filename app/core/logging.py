"""Structured logs through Python's own `logging`, one JSON object a line, with the request's id in each."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|api_key|signature|card", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_NOISY = ("httpx", "httpcore", "stripe", "asyncio", "aiosmtplib", "slowapi")


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep secrets and personal data out: by the name of a field, and e-mail addresses anywhere."""
    return {
        name: "[redacted]" if _SECRET_NAMES.search(name) else _without_addresses(value) for name, value in event.items()
    }


def _drop_colours(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """uvicorn sends its messages twice, the second time with escape codes."""
    event.pop("color_message", None)
    return event


def _without_addresses(value: Any) -> Any:
    return _EMAIL.sub("[e-mail]", value) if isinstance(value, str) else value


def configure_logging(level: str, form: str) -> None:
    """Route structlog and every library's logger to one handler on standard output.

    `form` is `json` for machines or `console` for people.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: list[Processor] = (
        [structlog.processors.format_exc_info, _redact, structlog.processors.JSONRenderer()]
        if form == "json"
        else [_redact, structlog.dev.ConsoleRenderer()]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _drop_colours, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
