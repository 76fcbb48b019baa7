"""What the media store may hold in vain. The pictures themselves are `ProductMedia`, beside their products."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class UnusedMedia(Base):
    """An object that may belong to no picture: it is being uploaded, or its picture was deleted.

    Whoever uploads notes the key before the object exists, and a trigger notes it when a row of `product_media` goes.
    """

    __tablename__ = "unused_media"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
