"""What completes a search box."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.dependencies import Suggesting
from app.routers.etags import CATALOGUE, NOT_MODIFIED, published
from app.schemas.suggestions import SuggestionQuery, Suggestions

router = APIRouter(prefix="/products", tags=["Catalogue"])


@router.get("/suggest", operation_id="products_suggest", response_model=Suggestions, responses=NOT_MODIFIED)
async def suggest(request: Request, query: Annotated[SuggestionQuery, Query()], suggesting: Suggesting) -> Response:
    """Complete what is being typed into a search box.

    Every word that was typed begins a word of the name; accents and case do not matter. When no name is like that,
    those are found that resemble what was typed, from four characters on.
    """
    return published(request, await suggesting.completing(query.q, query.limit), CATALOGUE)
