"""What guards an account beyond its password."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified
from app.models.encrypted import EncryptedText


class GuessBudget(Base):
    """How much is left of an allowance of guesses, in one moment: when all of it will be there again.

    Whose allowance it is stands in the name only, which is a keyed hash: nobody reads addresses in this table, and
    those without an account are counted like those with one.
    """

    __tablename__ = "guess_budgets"

    name: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    restored_at: Mapped[datetime] = mapped_column(index=True)


class KnownOrigin(Base):
    """A device or a network from which somebody has signed in, as a keyed hash."""

    __tablename__ = "known_origins"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    origin: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    last_used_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)


class EmailChange(Identified, Base):
    """Somebody wants another e-mail address, and has to show that it is theirs. The old one is told of it."""

    __tablename__ = "email_changes"
    __table_args__ = (
        Index("uq_email_changes_waiting", "user_id", unique=True, postgresql_where=text("confirmed_at IS NULL")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    old_email: Mapped[str] = mapped_column(CITEXT)
    new_email: Mapped[str] = mapped_column(CITEXT)
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
    confirmed_at: Mapped[datetime | None]


class SecondFactor(Base):
    """A person's authenticator app (RFC 6238). It counts once a first code has confirmed it."""

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText("second_factors.secret"))
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")  # codes up to this time step were used
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    confirmed_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in for a code of the app once, and is gone then."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("second_factors.user_id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
