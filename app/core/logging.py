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

_SECRET_NAMES = re.compile(
    r"password|secret|token|authorization|cookie|api_key|signature|card|cvc|phone|iban|otp|recovery|full_name"
    r"|address|street|line1|line2|postal_code",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_OUR_KEYS = re.compile(r"\bemp_(?:live|test)_[\w-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*)")
_CREDENTIALS = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_IN_A_URL = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]*(?=@)")
_CARD = re.compile(r"\b[0-9](?:[ -]?[0-9]){12,18}\b")
# What errors say of the values they are about: PostgreSQL's detail may be a whole row, with line breaks in it, and
# Pydantic's the input. The detail ends where the exception's next part begins.
_DETAIL = re.compile(r"(?m)^(DETAIL|CONTEXT):.*(?:\n(?![A-Z]+:|\s*File |[\w.]+(?:Error|Exception)\b|\[|\n).*)*")
_INPUT = re.compile(r"input_value=.*?, input_type=", re.DOTALL)
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


def without_addresses(text: str) -> str:
    return _EMAIL.sub("[e-mail]", text) if "@" in text else text


def without_personal_data(text: str) -> str:
    """Without what is recognised by its looks: an e-mail address, a JWT, a key, credentials, the number of a card."""
    text = without_addresses(_IN_A_URL.sub("[redacted]", text) if "@" in text else text)
    if "eyJ" in text:
        text = _JWT.sub("[token]", text)
    if "emp_" in text or "-----BEGIN" in text:
        text = _OUR_KEYS.sub("[key]", text)
    text = _CREDENTIALS.sub(r"\1 [redacted]", text)
    return _CARD.sub(_unless_no_card, text)


def _unless_no_card(found: re.Match[str]) -> str:
    """Thirteen digits and more may be many things; a card's have the checksum of ISO/IEC 7812."""
    digits = [int(digit) for digit in found[0] if digit.isdigit()][::-1]
    checksum = sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return "[card]" if checksum % 10 == 0 else found[0]


def _without_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A traceback names what failed and where; the values it failed on are somebody's."""
    if isinstance(traceback := event.get("exception"), str):
        traceback = _DETAIL.sub(r"\1: [redacted]", traceback)
        event["exception"] = _INPUT.sub("input_value=[redacted], input_type=", traceback)
    return event


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
                _without_values,
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
