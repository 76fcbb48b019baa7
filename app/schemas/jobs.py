"""Jobs: what somebody asked for, and how far it is."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from app.models.jobs import JobState, JobType
from app.schemas import examples
from app.schemas.base import Output


class JobRead(Output):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": examples.JOB})

    id: UUID
    type: JobType
    status: JobState = Field(validation_alias="state")
    progress: int = Field(description="In per cent")
    error: str | None = Field(description="The code of what went wrong, if the job failed")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="Until when the result can be fetched")
