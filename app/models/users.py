"""People, their sign-ins and the one-time links that are mailed to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import CITEXT, INET
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped, Versioned
from app.models.encrypted import EncryptedText


class Role(StrEnum):
    CUSTOMER = "customer"
    SUPPORT = "support"
    CATALOG = "catalog"
    WAREHOUSE = "warehouse"
    ANALYST = "analyst"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    ANONYMISED = "anonymised"


class User(Identified, Versioned, Timestamped, Base):
    """A customer or a member of staff. E-mail addresses are unique among the living accounts."""

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email", "email", unique=True, postgresql_where=text("status <> 'anonymised'")),
        CheckConstraint(f"role IN ({', '.join(repr(role.value) for role in Role)})", "role"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in UserStatus)})", "status"),
        Index("ix_users_newest", "created_at", "id"),
    )

    email: Mapped[str] = mapped_column(CITEXT)
    password_hash: Mapped[str]
    full_name: Mapped[str]
    phone: Mapped[str | None] = mapped_column(EncryptedText("users.phone"))
    role: Mapped[str] = mapped_column(default=Role.CUSTOMER, server_default=Role.CUSTOMER)
    status: Mapped[str] = mapped_column(default=UserStatus.ACTIVE, server_default=UserStatus.ACTIVE)
    email_verified_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        return self.status == UserStatus.ACTIVE


class UserSession(Identified, Base):
    """One refresh token. A rotated token names its successor; all tokens since one sign-in are a family.

    `scope` is what the sign-in asked for, separated by spaces; None when that was all that the role allows.
    """

    __tablename__ = "sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    scope: Mapped[str | None]
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    replaced_by: Mapped[UUID | None]
    replaced_at: Mapped[datetime | None]
    user_agent: Mapped[str | None]
    ip: Mapped[str | None] = mapped_column(INET)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class TokenPurpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the purpose of a token, not one


class OneTimeToken(Base):
    """A link that works once, for the address that it was mailed to. Only its hash is kept."""

    __tablename__ = "one_time_tokens"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]
    email: Mapped[str | None] = mapped_column(CITEXT)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
