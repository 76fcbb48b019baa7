"""Work that takes a while: how far it is, and what came of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app.dependencies import AccountReader, Jobs
from app.errors import NotFound, ResultExpired, ResultNotReady
from app.models.jobs import Job
from app.openapi import problems
from app.schemas import examples
from app.schemas.jobs import JobRead

router = APIRouter(prefix="/jobs", tags=["Accounts"])

JobId = Annotated[UUID, Path(description="The job's `id`")]
RESULT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document, as a file",
        "content": {
            "application/json": {
                "schema": {"type": "object", "additionalProperties": True},
                "example": examples.PERSONAL_DATA,
            }
        },
    }
}


@router.get("/{job_id}", operation_id="jobs_get", response_model=JobRead, responses=problems(NotFound))
async def get_job(job_id: JobId, user: AccountReader, jobs: Jobs, response: Response) -> Job:
    """Tell how far a job of yours is."""
    response.headers["Cache-Control"] = "no-store"
    return await jobs.get(user.user_id, job_id)


@router.get(
    "/{job_id}/result",
    operation_id="jobs_result",
    response_class=Response,
    responses={**RESULT, **problems(NotFound, ResultNotReady, ResultExpired)},
)
async def get_result(job_id: JobId, user: AccountReader, jobs: Jobs) -> Response:
    """Fetch what a job of yours has made. It is kept for a day."""
    result = await jobs.result(user.user_id, job_id)
    headers = {"Content-Disposition": f'attachment; filename="{result.filename}"', "Cache-Control": "no-store"}
    return Response(result.content, media_type=result.media_type, headers=headers)
