"""Accounts, as their owners and as staff see them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from app.models.users import Role, UserStatus
from app.schemas import examples
from app.schemas.base import Output, PageQuery, Phone
from app.schemas.text import Name


class UserRead(Output):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.ACCOUNT})

    id: UUID
    email: str
    full_name: str
    phone: str | None
    role: Role
    email_verified_at: datetime | None
    created_at: datetime
    version: int = Field(description="Send it back as `If-Match` when you change something")


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"full_name": "Ada King"}, "minProperties": 1}))
class UserUpdate(TypedDict, total=False):
    """What people may change about themselves: only what is sent. Their role and their status are not among it."""

    full_name: Name
    phone: Phone | None


class UserDetail(Output):
    """What staff see of an account."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.ACCOUNT_FOR_STAFF})

    id: UUID
    email: str = Field(description="Of a deleted account, a placeholder that no mail reaches")
    full_name: str
    role: Role
    status: UserStatus
    email_verified_at: datetime | None
    created_at: datetime
    version: int = Field(description="Send it back as `If-Match` when you change something")


class UserSort(StrEnum):
    NEWEST = "-created_at"
    OLDEST = "created_at"


class UserQuery(PageQuery):
    sort: UserSort = Field(default=UserSort.NEWEST, description="By when the account was opened")
    q: Name | None = Field(default=None, description="A part of the name or of the e-mail address")
    role: Role | None = Field(default=None, description="Only accounts with this role")
    status: UserStatus | None = Field(default=None, description="Only accounts in this state")


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"role": "support"}, "minProperties": 1}))
class UserAdministration(TypedDict, total=False):
    """Only what is sent changes. Nobody but its owner can delete an account."""

    role: Role
    status: Literal["active", "disabled"]
