"""Keys of services that call the shop."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class ApiKey(Identified, Base):
    """A service's key. Only its hash is kept, and its beginning, by which people tell keys apart.

    Nothing about a key changes but that it is used and, some day, revoked.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("jsonb_array_length(scopes) > 0", "scopes"),
        CheckConstraint("length(name) BETWEEN 1 AND 200", "name"),
    )

    name: Mapped[str]
    prefix: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
