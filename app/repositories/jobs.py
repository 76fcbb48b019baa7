"""Jobs and their results. Every read for a person starts from their own."""

from uuid import UUID

from sqlalchemy import Update, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.models.jobs import RESULT_KEPT_FOR, Job, JobResult, JobState, JobType
from app.repositories.base import ModelRepository

_UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
_UNFINISHED_LITERALLY = text("state IN ('queued', 'running')")


class JobRepository(ModelRepository[Job]):
    model = Job

    async def of_owner(self, owner_id: UUID, job_id: UUID) -> Job | None:
        return await self._one_or_none(select(Job).where(Job.owner_id == owner_id, Job.id == job_id))

    async def result_of(self, job: Job) -> JobResult | None:
        """None once it has expired, whether or not it has been deleted by now."""
        return await self._one_or_none(
            select(JobResult)
            .join(Job, Job.id == JobResult.job_id)
            .where(JobResult.job_id == job.id, Job.expires_at > func.now())
        )

    async def open(self, owner_id: UUID, type_: JobType) -> tuple[Job, bool]:
        """A new job, or the owner's unfinished one of this type; and whether it is new."""
        opened = (
            insert(Job)
            .values(owner_id=owner_id, type=type_)
            .on_conflict_do_nothing(index_elements=["owner_id", "type"], index_where=_UNFINISHED_LITERALLY)
            .returning(Job)
        )
        job = (await self._session.execute(opened)).scalar_one_or_none()
        if job is not None:
            return job, True
        unfinished = select(Job).where(Job.owner_id == owner_id, Job.type == type_, Job.state.in_(_UNFINISHED))
        return (await self._session.execute(unfinished)).scalar_one(), False

    async def begin(self, job_id: UUID) -> Job | None:
        """Whose worker died is begun again. None when the job is finished, or gone with its owner."""
        return await self._one_or_none_updated(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(_UNFINISHED))
            .values(state=JobState.RUNNING, started_at=func.now())
        )

    async def progress(self, job_id: UUID, percent: int) -> None:
        await self._session.execute(
            update(Job).where(Job.id == job_id, Job.state == JobState.RUNNING).values(progress=percent)
        )

    async def succeed(self, job: Job, result: JobResult) -> bool:
        """Keep the result for a while, in place of what earlier jobs of this type made for the owner.

        False when somebody else has finished the job, or it is gone with its owner.
        """
        finished = await self._one_or_none_updated(
            update(Job)
            .where(Job.id == job.id, Job.state == JobState.RUNNING)
            .values(
                state=JobState.SUCCEEDED,
                progress=100,
                finished_at=func.now(),
                expires_at=func.now() + RESULT_KEPT_FOR,
            )
        )
        if finished is None:
            return False
        await self._session.execute(
            delete(Job).where(Job.owner_id == job.owner_id, Job.type == job.type, Job.id != job.id)
        )
        self._session.add(result)
        await self._session.flush()
        return True

    async def fail(self, job_id: UUID, error: str) -> None:
        await self._session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.in_(_UNFINISHED))
            .values(state=JobState.FAILED, error=error, finished_at=func.now())
        )

    async def forget_expired(self) -> None:
        """Delete results that can be fetched no more; the jobs still say that there was one."""
        expired = select(Job.id).where(Job.expires_at < func.now())
        await self._session.execute(delete(JobResult).where(JobResult.job_id.in_(expired)))

    async def _one_or_none_updated(self, statement: Update) -> Job | None:
        returned = statement.returning(Job).execution_options(populate_existing=True)
        return (await self._session.execute(returned)).scalar_one_or_none()
