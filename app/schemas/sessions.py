"""Where somebody is signed in."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from app.schemas.base import Output


class SessionRead(Output):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": "0198c0de-0000-7000-8000-0000000000f7",
                "current": True,
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "ip": "192.0.2.17",
                "created_at": "2026-01-02T09:55:00Z",
                "last_used_at": "2026-01-02T10:10:00Z",
                "expires_at": "2026-02-01T09:55:00Z",
            }
        },
    )

    id: UUID
    current: bool = Field(description="Whether it is the one that asks")
    user_agent: str | None = Field(description="What the device said it is, when it was last refreshed")
    ip: str | None = Field(description="The address from which it was last refreshed")
    created_at: datetime = Field(description="When somebody signed in")
    last_used_at: datetime = Field(description="When it was last refreshed")
    expires_at: datetime
