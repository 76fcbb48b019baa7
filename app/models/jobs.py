"""Work that somebody asked for and comes back to: its state, and what came of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped
from app.models.encrypted import EncryptedText

RESULT_KEPT_FOR = timedelta(hours=24)


class JobType(StrEnum):
    PERSONAL_DATA_EXPORT = "personal_data_export"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Job(Identified, Timestamped, Base):
    """`progress` is a percentage, `error` the code of what went wrong, `expires_at` when its result is thrown away.

    Nobody has two unfinished jobs of one type: whoever asks again while one is under way gets that one.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state.value) for state in JobState)})", "state"),
        CheckConstraint("progress BETWEEN 0 AND 100", "progress"),
        CheckConstraint("(state = 'failed') = (error IS NOT NULL)", "error"),
        Index(
            "uq_jobs_unfinished",
            "owner_id",
            "type",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index("ix_jobs_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    type: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default=JobState.QUEUED, server_default=JobState.QUEUED)
    progress: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class JobResult(Base):
    """The document that a job has made.

    In the database and encrypted, rather than in the media store: that one is public, and these are small. Apart from
    the job, so that asking for a job's state does not read it.
    """

    __tablename__ = "job_results"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    filename: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[str] = mapped_column(EncryptedText("job_results.content"))
