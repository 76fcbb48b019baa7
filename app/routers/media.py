"""Pictures: for the catalogue's staff the making of them, for everybody the files."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response, status
from fastapi.responses import StreamingResponse

from app.core.conditional import matches
from app.dependencies import CatalogReader, CatalogWriter, Media, OptionalIfMatch, ProductId, limited_by_account
from app.errors import (
    AnimatedImage,
    ImageTooLarge,
    ImageUnreadable,
    NotFound,
    NotOnlyAnImage,
    PreconditionFailed,
    TooManyPictures,
    UnsupportedMediaType,
)
from app.gateways.media_store import CONTENT_TYPE, FOR_EVER
from app.openapi import problems
from app.routers.uploads import read_upload, upload_body
from app.schemas.media import MediaCreate, MediaRead, MediaUpdate

staff_router = APIRouter(prefix="/products/{product_id}/media", tags=["Catalogue for staff"])
files_router = APIRouter(prefix="/media", include_in_schema=False)

_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38}/[1-9][0-9]{0,3}\.webp")
_HEADERS = {
    "Cache-Control": FOR_EVER,
    "Content-Disposition": "inline",
    "Cross-Origin-Resource-Policy": "cross-origin",  # a shop front on another origin shows them
    # As for user content on GitHub: a browser that shows the file by itself styles the page around it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
}

MediaId = Annotated[UUID, Path(description="The picture's `id`")]


async def _upload(request: Request, _: CatalogWriter) -> tuple[bytes, MediaCreate]:
    return await read_upload(request, MediaCreate)


@staff_router.post(
    "",
    operation_id="media_add",
    status_code=status.HTTP_201_CREATED,
    response_model=MediaRead,
    responses=problems(
        NotFound,
        TooManyPictures,
        UnsupportedMediaType,
        ImageUnreadable,
        ImageTooLarge,
        AnimatedImage,
        NotOnlyAnImage,
    ),
    dependencies=[limited_by_account("upload")],
    openapi_extra=upload_body(MediaCreate, "JPEG, PNG or WebP, of up to 10 MB and 25 megapixels"),
)
async def add_picture(
    product_id: ProductId,
    upload: Annotated[tuple[bytes, MediaCreate], Depends(_upload)],
    media: Media,
    response: Response,
) -> MediaRead:
    """Add a picture behind those that the product has.

    It is turned upright and stored as WebP of at most 2560 pixels a side, without anything that the file held besides
    the picture, such as where it was taken. What the file is, its content says: its name and its type are not asked.
    """
    file, fields = upload
    picture = await media.add(product_id, file, fields.alt)
    response.headers["Location"] = f"/api/v1/products/{product_id}/media/{picture.id}"
    return picture


@staff_router.get(
    "/{media_id}",
    operation_id="media_get",
    response_model=MediaRead,
    responses=problems(NotFound),
)
async def get_picture(product_id: ProductId, media_id: MediaId, _: CatalogReader, media: Media) -> MediaRead:
    """Show one picture of a product, to see whether its renditions are ready; the product's page shows them all."""
    return await media.get(product_id, media_id)


@staff_router.patch(
    "/{media_id}",
    operation_id="media_update",
    response_model=MediaRead,
    responses=problems(NotFound, PreconditionFailed),
)
async def update_picture(
    product_id: ProductId,
    media_id: MediaId,
    data: MediaUpdate,
    _: CatalogWriter,
    seen: OptionalIfMatch,
    media: Media,
) -> MediaRead:
    """Say what a picture shows, or move it among the product's pictures. If-Match takes the product's ETag."""
    return await media.update(product_id, media_id, seen, data)


@staff_router.delete(
    "/{media_id}",
    operation_id="media_delete",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, PreconditionFailed),
)
async def delete_picture(
    product_id: ProductId, media_id: MediaId, _: CatalogWriter, seen: OptionalIfMatch, media: Media
) -> None:
    """Take a picture off a product. Its files stay for a day, and as long as another product shows them.

    If-Match takes the product's ETag.
    """
    await media.remove(product_id, media_id, seen)


@files_router.api_route("/{key:path}", methods=["GET", "HEAD"])
async def get_file(request: Request, key: str, media: Media) -> Response:
    """A picture's file, straight from the store, whichever that is: a private bucket needs nothing in front of it.

    A CDN that takes its files from here is MEDIA_URL's purpose. The key is a hash of the content, so it is the ETag
    too; parts of a file (Range) are not served, which RFC 9110 §14.2 leaves to the server.
    """
    if not _KEY.fullmatch(key):
        raise NotFound
    found, etag = await media.open(key), f'"{key}"'
    headers = {**_HEADERS, "ETag": etag}
    if matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    headers["Content-Length"] = str(found.size)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=CONTENT_TYPE)
    return StreamingResponse(found.chunks, headers=headers, media_type=CONTENT_TYPE)
