"""Text that clients send. Each rule checks it, and says the same as a pattern in the API's description."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_CONTROL = r"\u0000-\u001f\u007f-\u009f"


@dataclass(frozen=True, slots=True)
class Rule:
    """For use in `Annotated`. The check returns the text, raises ValueError, and sees it as it was sent."""

    check: Callable[[str], str]
    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "pattern": self.pattern}


def by_name(schema: JsonDict) -> None:
    """For dictionaries: Pydantic lets members pass whose names break the rule, the description should not."""
    patterns, names = cast("JsonDict", schema.pop("patternProperties")), cast("JsonDict", schema["propertyNames"])
    [(names["pattern"], schema["additionalProperties"])] = patterns.items()


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the NUL character")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("must not contain lone surrogates")
    return value


def _one_line(value: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in _storable(value)):
        raise ValueError("must not contain control characters")
    return value.strip()


def _filled_line(value: str) -> str:
    line = _one_line(value)
    if not line:
        raise ValueError("must not be blank")
    return line


def _paragraphs(value: str) -> str:
    plain = _storable(value).replace("\r\n", "\n")
    if any(character != "\n" and unicodedata.category(character) == "Cc" for character in plain):
        raise ValueError("must not contain control characters other than line breaks")
    return plain.strip()


Storable = Rule(_storable, r"^[^\u0000]*$")
"""Whatever PostgreSQL can store."""

OneLine = Rule(_one_line, f"^[^{_CONTROL}]*$")
"""Trimmed, and without line breaks: it may end up in the head of a mail."""

FilledLine = Rule(_filled_line, rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$")
"""The same, and not blank."""

Paragraphs = Rule(_paragraphs, rf"^(?:[^{_CONTROL}]|\r?\n)*$")
"""Trimmed; line breaks are kept."""

Name = Annotated[str, Field(min_length=1, max_length=200), FilledLine]
ShortText = Annotated[str, Field(max_length=500), Rule(lambda value: _storable(value).strip(), Storable.pattern)]
LongText = Annotated[str, Field(max_length=20_000), Storable]
