"""Structured logs through Python's own `logging`, one JSON object a line, with the request's id in each."""

import logging
import re
import sys
from typing import Any

import stamina.instrumentation
import structlog
from stamina.instrumentation import RetryDetails
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.context import merge_context

_SECRET_NAMES = re.compile(r"password|secret|token|authorization|cookie|api_key|signature|card", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_IN_TRACEBACK = re.compile(_CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))
_TRACEBACKS = ("exception", "stack")
_RENDER_JSON = structlog.processors.JSONRenderer()
_NOISY = ("httpx", "httpcore", "stripe", "asyncio", "aiosmtplib", "slowapi")


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep secrets and personal data out: by the name of a field, and e-mail addresses anywhere."""
    return {name: _harmless(name, value) for name, value in event.items()}


def _harmless(name: object, value: Any) -> Any:
    if isinstance(name, str) and _SECRET_NAMES.search(name):
        return "[redacted]"
    if isinstance(value, dict):
        return {key: _harmless(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(None, inner) for inner in value]
    return without_personal_data(value) if isinstance(value, str) else value


def without_personal_data(text: str) -> str:
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def _without_control_characters(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """What a terminal would obey, or not show, is written as Python's escapes. Tracebacks keep their lines."""
    return {_escaped(name, _CONTROL): _escaped_value(name, value) for name, value in event.items()}


def _escaped_value(name: str, value: object) -> object:
    pattern = _CONTROL_IN_TRACEBACK if name in _TRACEBACKS else _CONTROL
    text = value if isinstance(value, str) else repr(value)  # as the console shows it
    return _escaped(text, pattern) if pattern.search(text) else value


def _escaped(text: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def as_json_line(rendered: str) -> str:
    """JSON with the one control character escaped that JSON allows and `json` leaves as it is, DEL."""
    return rendered.replace("\x7f", r"\u007f")


def _json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return as_json_line(str(_RENDER_JSON(logger, name, event)))


def _drop_colours(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """uvicorn sends its messages twice, the second time with escape codes."""
    event.pop("color_message", None)
    return event


def _log_retry(details: RetryDetails) -> None:
    """In place of stamina's own line, which repeats all arguments: a guest's token is one of them."""
    get_logger("retry").warning(
        "trying again", callable=details.name, retry=details.retry_num, because=type(details.caused_by).__name__
    )


def configure_logging(level: str, form: str) -> None:
    """Route structlog and every library's logger to one handler on standard output.

    `form` is `json` for machines or `console` for people.
    """
    shared: list[Processor] = [
        merge_context,
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
    # The console's own tracebacks print local variables, and so whatever a request holds.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    rendering: list[Processor] = [_json] if form == "json" else [_without_control_characters, console]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _drop_colours, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact,
                *rendering,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    stamina.instrumentation.set_on_retry_hooks([_log_retry])


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
