"""The address book."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, with_config
from typing_extensions import TypedDict

from app.schemas import examples
from app.schemas.base import Country, Output, PageQuery, Phone
from app.schemas.carts import Address, PostalCode
from app.schemas.text import Name


class AddressCreate(Address):
    """A new address. The first one in the book becomes the default of both kinds."""

    model_config = ConfigDict(json_schema_extra={"example": {**examples.ADDRESS, "is_default_shipping": True}})

    is_default_shipping: StrictBool = Field(default=False, description="Orders go here when they name no address")
    is_default_billing: StrictBool = Field(default=False, description="Invoices say this when an order names none")


@with_config(
    ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"phone": "+49 30 901820", "is_default_billing": True}, "minProperties": 1},
    )
)
class AddressUpdate(TypedDict, total=False):
    """Only what is sent changes. Making an address the default takes that from the one that was."""

    full_name: Name
    line1: Name
    line2: Name | None
    city: Name
    region: Name | None
    postal_code: PostalCode
    country: Country
    phone: Phone | None
    is_default_shipping: StrictBool
    is_default_billing: StrictBool


class AddressRead(Output):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.SAVED_ADDRESS})

    id: UUID
    full_name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str
    phone: str | None
    is_default_shipping: bool
    is_default_billing: bool
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="Send it back as `If-Match` to change only what you have seen")


class AddressQuery(PageQuery):
    sort: Literal["created_at"] = Field(default="created_at", description="The oldest first, which is the only order")
