"""How much there is in the database: a refused request leaves it as it was."""

from sqlalchemy import func, select

from app.database import Database
from app.models import Base

_COUNTS = select(
    *(
        select(func.count()).select_from(each).scalar_subquery().label(name)
        for name, each in Base.metadata.tables.items()
    )
)


async def rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    async with database.snapshot() as tx:
        return dict((await tx.session.execute(_COUNTS)).mappings().one())
