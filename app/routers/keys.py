"""What others need to check our access tokens."""

from fastapi import APIRouter, Response

from app.dependencies import TheShop
from app.schemas.keys import JsonWebKeySet

router = APIRouter(prefix="/.well-known", tags=["Accounts"])

KEPT_FOR = 300  # seconds, the time between two steps of a rotation at the least


@router.get("/jwks.json", operation_id="keys_published", response_model=JsonWebKeySet)
async def published_keys(shop: TheShop, response: Response) -> dict[str, list[dict[str, str]]]:
    """Show the public keys of access tokens, as a JSON Web Key Set (RFC 7517).

    A token's `kid` says which one. Empty where tokens are signed with a secret, as in development.
    """
    response.headers["Cache-Control"] = f"public, max-age={KEPT_FOR}"
    return {"keys": shop.tokens.keys.published()}
