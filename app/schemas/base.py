"""What all schemas share: strict inputs, plain outputs, money, forms of text."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from app.core.pagination import Page as KeysetPage
from app.core.slugs import SLUG_PATTERN, looks_like_an_id

Item = TypeVar("Item")

LARGEST_AMOUNT = 10**12
LONGEST_PAGE = 100
CURRENCY = "EUR"  # the one currency this shop sells in
EMAIL_PATTERN = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$"
)


def _whole(given: object) -> object:
    return int(given) if isinstance(given, float) and given.is_integer() else given


Whole = BeforeValidator(_whole)
"""For strict integers: 2.0 is 2, in JSON Schema as in JavaScript. It stands behind the limits, which it would hide."""


def _no_id(slug: str) -> str:
    if looks_like_an_id(slug):
        raise PydanticCustomError("reserved_slug", "must not look like an id")
    return slug


Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=120), AfterValidator(_no_id)]
Email = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254, pattern=EMAIL_PATTERN)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
Amount = Annotated[
    int, Field(ge=0, le=LARGEST_AMOUNT, strict=True, description="Minor units: 1999 is 19.99 EUR"), Whole
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()/-]{3,30}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(description="ISO 3166-1 alpha-2")]


def _not_empty(changes: Item) -> Item:
    if not changes:
        raise PydanticCustomError("empty", "name something to change")
    return changes


MOST_MEMBERS = 1000
NotEmpty = AfterValidator(_not_empty)  # of changes: a request for none is a mistake


class Input(BaseModel):
    """A body that a client sends. Unknown fields are refused, so a typo or a smuggled `role` is never ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _not_too_wide(cls, data: object) -> object:
        """Each unknown field is an error of its own: a body of nothing else would keep the process busy."""
        if isinstance(data, dict) and len(data) > MOST_MEMBERS:
            raise PydanticCustomError("too_many_members", "there are more than {most} members", {"most": MOST_MEMBERS})
        return data


class Output(BaseModel):
    """A body that we send. No defaults: whoever builds one says everything."""

    model_config = ConfigDict(from_attributes=True)


class Money(BaseModel):
    """An amount in minor units of its currency; never a float."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_extra={"example": {"amount": 1999, "currency": "EUR"}},
    )

    amount: Amount
    currency: Currency


class PageInfo(Output):
    next_cursor: str | None = Field(description="For `cursor`; none on the last page")
    prev_cursor: str | None = Field(description="For `cursor`; none on the first page")
    has_more: bool
    limit: int
    total: int | None = Field(description="Only with `include_total=true`")


def page_example(row: JsonDict) -> JsonDict:
    """The example of a page with one row."""
    return {
        "data": [row],
        "page": {
            "next_cursor": "KfQCb7xhu7-fmOJlZuBCBFtbIjIwMjYtMDEtMDIiXSxmYWxzZV0",
            "prev_cursor": None,
            "has_more": True,
            "limit": 1,
            "total": None,
        },
    }


def _show_one_row(schema: JsonDict, page: type[Any]) -> None:
    [row] = page.__pydantic_generic_metadata__["args"]
    schema["example"] = page_example(row.model_config["json_schema_extra"]["example"])


class PageRead(Output, Generic[Item]):
    """A page of a list, and the cursors of its neighbours."""

    model_config = ConfigDict(json_schema_extra=_show_one_row)

    data: list[Item]
    page: PageInfo


def page_of(page: KeysetPage[Item]) -> "PageRead[Item]":
    return PageRead(data=list(page.rows), page=PageInfo.model_validate(page))


def page_in_json(rows: Sequence[dict[str, Any]], page: KeysetPage[Any], **beside: str) -> bytes:
    """A `PageRead` of rows that are as the model would be; the further members `beside` are JSON already."""
    info = PageInfo.model_validate(page).model_dump_json()
    members = "".join(f',"{name}":{value}' for name, value in beside.items())
    return b'{"data":%b,"page":%b%b}' % (to_json(rows), info.encode(), members.encode())


class Parameters(Input):
    """The query of an operation. A parameter that it does not know is refused with those that it does."""

    families: ClassVar[dict[str, re.Pattern[str]]] = {}  # parameters whose names have a part of the client's choice

    @model_validator(mode="before")
    @classmethod
    def _known_parameters(cls, given: dict[str, Any]) -> dict[str, Any]:
        known = _parameters_of(cls)
        unknown = [
            name
            for name in given
            if name not in known and not any(family.fullmatch(name) for family in cls.families.values())
        ]
        if unknown:
            listed = {"known": ", ".join([*known, *cls.families])}
            refusal = PydanticCustomError("unknown_parameter", "is unknown here; known are {known}", listed)
            details = [InitErrorDetails(type=refusal, loc=(name,), input=given[name]) for name in unknown]
            raise ValidationError.from_exception_data(cls.__name__, details)
        return given


@cache
def _parameters_of(query: type[BaseModel]) -> dict[str, None]:
    """Their names as clients write them, in order."""
    return dict.fromkeys(field.alias or name for name, field in query.model_fields.items())


class PageQuery(Parameters):
    """What every list takes; subclasses add their filters."""

    limit: int = Field(default=20, ge=1, le=LONGEST_PAGE, description="How many rows to a page")
    cursor: str | None = Field(default=None, max_length=2000, description="`next_cursor` or `prev_cursor` of a page")
    include_total: bool = Field(default=False, description="Count all rows of the list, at a cost")

    def bound(self) -> dict[str, object]:
        """What a cursor belongs to: the sort and the filters, but not the page's size."""
        return self.model_dump(exclude={"limit", "cursor", "include_total"})
