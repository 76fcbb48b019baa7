"""Pictures of products."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from app.schemas import examples
from app.schemas.base import Input, Output, Whole
from app.schemas.text import ShortText

MOST_PICTURES = 20

Alt = Annotated[ShortText, Field(description="What the picture shows, for those who do not see it")]
Position = Annotated[int, Field(ge=0, lt=MOST_PICTURES, strict=True, description="Its place; 0 is the cover"), Whole]


class MediaCreate(Input):
    """The fields of the form beside the file."""

    model_config = ConfigDict(json_schema_extra={"example": {"alt": "A tee on a hanger"}})

    alt: Alt = ""


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"alt": "A tee on a hanger", "position": 0}}))
class MediaUpdate(TypedDict, total=False):
    """Only what is sent changes. Other pictures make room for the new position."""

    alt: Alt
    position: Position


class RenditionRead(Output):
    """The picture in a smaller size."""

    url: str
    width: int
    height: int


class MediaRead(Output):
    """A picture. Sizes are in pixels; `renditions` are there soon after the upload, the smallest first."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PICTURE})

    id: UUID
    url: str
    alt: str
    width: int
    height: int
    position: int
    renditions: list[RenditionRead]
