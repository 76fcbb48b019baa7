"""Bodies of the signed-in person's own account."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models.users import Role
from app.schemas.base import Input, Name, Output


class UserRead(Output):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": "01890a5d-ac96-774b-bcce-b302099a8057",
                "email": "ada@example.com",
                "full_name": "Ada Lovelace",
                "role": "customer",
                "email_verified_at": "2026-11-22T15:04:05Z",
                "created_at": "2026-11-22T15:00:00Z",
                "version": 1,
            }
        },
    )

    id: UUID
    email: str
    full_name: str
    role: Role
    email_verified_at: datetime | None
    created_at: datetime
    version: int = Field(description="Send it back as `If-Match` when you change something")


class UserUpdate(Input):
    """What people may change about themselves. Their role and their status are not among it."""

    model_config = ConfigDict(json_schema_extra={"example": {"full_name": "Ada King"}})

    full_name: Name
