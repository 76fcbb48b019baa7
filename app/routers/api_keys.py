"""Keys of services that call the shop."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response, status

from app.dependencies import ApiKeyReader, ApiKeys, ApiKeyWriter
from app.errors import InvalidCursor, NotFound
from app.models.api_keys import ApiKey
from app.openapi import problems
from app.schemas.api_keys import ApiKeyCreate, ApiKeyMade, ApiKeyQuery, ApiKeyRead
from app.schemas.base import PageInfo, PageRead

router = APIRouter(prefix="/api-keys", tags=["API keys"])

ApiKeyId = Annotated[UUID, Path(description="The key's `id`, not the key")]


@router.post(
    "",
    operation_id="api_keys_make",
    status_code=status.HTTP_201_CREATED,
    response_model=ApiKeyMade,
)
async def make_key(data: ApiKeyCreate, maker: ApiKeyWriter, api_keys: ApiKeys, response: Response) -> ApiKeyMade:
    """Make a key for a service.

    The answer tells the key this once: only its hash is kept. It is sent like an access token, as
    `Authorization: Bearer emp_…`, and may do what its scopes say, for as long as it is not expired or revoked.
    """
    made = await api_keys.make(maker, data)
    response.headers["Location"] = f"/api/v1/api-keys/{made.key.id}"
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyMade(**ApiKeyRead.model_validate(made.key).model_dump(), key=made.secret)


@router.get("", operation_id="api_keys_list", response_model=PageRead[ApiKeyRead], responses=problems(InvalidCursor))
async def list_keys(query: Annotated[ApiKeyQuery, Query()], _: ApiKeyReader, api_keys: ApiKeys) -> PageRead[ApiKeyRead]:
    """List the keys that are not revoked, newest first, with when each was last used."""
    page = await api_keys.page(query)
    return PageRead(data=[ApiKeyRead.model_validate(key) for key in page.rows], page=PageInfo.model_validate(page))


@router.get("/{api_key_id}", operation_id="api_keys_get", response_model=ApiKeyRead, responses=problems(NotFound))
async def get_key(api_key_id: ApiKeyId, _: ApiKeyReader, api_keys: ApiKeys) -> ApiKey:
    """Show what is known of a key."""
    return await api_keys.get(api_key_id)


@router.delete(
    "/{api_key_id}",
    operation_id="api_keys_revoke",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound),
)
async def revoke_key(api_key_id: ApiKeyId, _: ApiKeyWriter, api_keys: ApiKeys) -> None:
    """Revoke a key: it stops working at once, in every process."""
    await api_keys.revoke(api_key_id)
