"""Jobs, as those who asked for them see them."""

from uuid import UUID

from app.database import Database
from app.errors import NotFound, ResultExpired, ResultNotReady
from app.models.jobs import Job, JobResult, JobState


class JobService:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, owner_id: UUID, job_id: UUID) -> Job:
        async with self._database.snapshot() as tx:
            job = await tx.jobs.of_owner(owner_id, job_id)
        if job is None:
            raise NotFound
        return job

    async def result(self, owner_id: UUID, job_id: UUID) -> JobResult:
        """What the job has made.

        Raises:
            ResultNotReady: it has made nothing, yet or at all.
            ResultExpired: it is a while ago.
        """
        async with self._database.snapshot() as tx:
            job = await tx.jobs.of_owner(owner_id, job_id)
            if job is None:
                raise NotFound
            if job.state != JobState.SUCCEEDED:
                raise ResultNotReady(state=job.state)
            result = await tx.jobs.result_of(job)
        if result is None:
            raise ResultExpired
        return result
