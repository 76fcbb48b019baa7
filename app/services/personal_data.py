"""The export of personal data (GDPR, articles 15 and 20): asked for by the person, made by the worker."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from app.core.clock import now
from app.core.logging import get_logger
from app.database import Database, retried_on_conflict
from app.database_errors import as_shop_error
from app.errors import InternalError
from app.models.jobs import Job, JobResult, JobType

logger = get_logger(__name__)

FILENAME = "emporium-personal-data.json"
_READ = 80  # per cent: reading takes the longest
_JSON = TypeAdapter[Any](Any)


class PersonalDataService:
    def __init__(self, database: Database) -> None:
        self._database = database

    @retried_on_conflict
    async def request(self, user_id: UUID) -> Job:
        """Have the export made, unless it is being made."""
        async with self._database.transaction() as tx:
            job, is_new = await tx.jobs.open(user_id, JobType.PERSONAL_DATA_EXPORT)
            if is_new:
                await tx.outbox.announce("customer.export_requested", job.id)
            return job

    async def export(self, job_id: UUID) -> None:
        """Make the export. Done twice, it is made once; what may pass is left to the next try, all else fails it."""
        async with self._database.transaction() as tx:
            job = await tx.jobs.begin(job_id)
        if job is None:
            return
        try:
            await self._export(job)
        except Exception as error:
            if as_shop_error(error) is not None:
                raise
            logger.exception("an export failed", job_id=str(job_id))
            async with self._database.transaction() as tx:
                await tx.jobs.fail(job_id, InternalError.code)

    async def _export(self, job: Job) -> None:
        async with self._database.snapshot() as tx:
            parts = await tx.personal_data.of(job.owner_id)
        async with self._database.transaction() as tx:
            await tx.jobs.progress(job.id, _READ)
        result = JobResult(job_id=job.id, filename=FILENAME, media_type="application/json", content=_document(parts))
        async with self._database.transaction() as tx:
            await tx.jobs.succeed(job, result)


def _document(parts: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    account, *_ = parts["account"]
    rest = {name: rows for name, rows in parts.items() if name != "account"}
    return _JSON.dump_json({"exported_at": now(), "account": account, **rest}, indent=2).decode()
