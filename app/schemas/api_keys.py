"""Keys of services that call the shop."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from app.models.scopes import FOR_SERVICES, Scope
from app.schemas.base import Input, Output, PageQuery, Whole
from app.schemas.text import Name

LONGEST_LIFE = 366  # days: a key that nobody knows of any more ends by itself
USUAL_LIFE = 90

_READ: JsonDict = {
    "id": "0198c0de-0000-7000-8000-0000000000e1",
    "name": "Stock import",
    "prefix": "emp_live_x7Qa",
    "scopes": ["inventory:read", "inventory:write"],
    "created_by": "0198c0de-0000-7000-8000-00000000005a",
    "created_at": "2026-01-02T08:00:00Z",
    "expires_at": "2026-04-02T08:00:00Z",
    "last_used_at": None,
}


def _in_order(scopes: list[Scope]) -> list[Scope]:
    return sorted(set(scopes))


# Spelt out, so that the description of the API lists them.
ServiceScope = Literal[
    Scope.ORDERS_READ_ALL,
    Scope.ORDERS_WRITE_ALL,
    Scope.REVIEWS_READ_ALL,
    Scope.USERS_READ,
    Scope.CATALOG_READ,
    Scope.CATALOG_WRITE,
    Scope.INVENTORY_READ,
    Scope.INVENTORY_WRITE,
]


class ApiKeyCreate(Input):
    """A new key. It can do no more than whoever makes it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": _READ["name"], "scopes": _READ["scopes"], "expires_in_days": USUAL_LIFE}}
    )

    name: Name = Field(description="What the key is for: people tell keys apart by it")
    scopes: Annotated[list[ServiceScope], Field(min_length=1, max_length=len(FOR_SERVICES)), AfterValidator(_in_order)]
    expires_in_days: Annotated[int, Field(ge=1, le=LONGEST_LIFE, strict=True), Whole] = USUAL_LIFE


class ApiKeyRead(Output):
    """What is known of a key: all but the key itself."""

    model_config = ConfigDict(json_schema_extra={"example": _READ})

    id: UUID
    name: str
    prefix: str = Field(description="How the key begins")
    scopes: list[str]
    created_by: UUID | None = Field(description="Whose key it is; none once that account is gone")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the minute")


class ApiKeyMade(ApiKeyRead):
    """A new key, which is told this once."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_READ, "key": "emp_live_x7QaJ0l4bq6H1Yx3mWc8RkT5sNd9aGvUeLh0oXyE2vB"}}
    )

    key: str = Field(description="Send it as `Authorization: Bearer emp_…`. Nobody can look it up again.")


class ApiKeyQuery(PageQuery):
    """All keys, the newest first."""
