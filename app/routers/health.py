"""Is the process alive, and should it get requests?"""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.dependencies import TheShop
from app.errors import ServiceUnavailable
from app.openapi import problems
from app.schemas.base import Output

router = APIRouter(prefix="/health", tags=["Operations"])


class Health(Output):
    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})

    status: Literal["ok"]


@router.get("/live", response_model=Health, operation_id="health_live")
async def live() -> Health:
    """Say that the process runs.

    Depends on nothing: restarting this process would not mend a database.
    """
    return Health(status="ok")


@router.get("/ready", response_model=Health, responses=problems(ServiceUnavailable), operation_id="health_ready")
async def ready(shop: TheShop) -> Health:
    """Say whether to send requests here.

    Checks what every request needs: a database whose tables are as new as this code. Redis is not among it, for the
    shop sells without it.
    """
    try:
        async with asyncio.timeout(shop.settings.database_timeout), shop.database.snapshot() as tx:
            revision = await tx.session.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        revision = None  # there are no tables at all yet
    if revision != shop.newest_revision:
        raise ServiceUnavailable("The database's tables are older or newer than this code.")
    return Health(status="ok")
